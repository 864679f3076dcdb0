/* SPDX-License-Identifier: MIT */
/* Writing Varlink's messages (control/call.h reads them), each with the NUL that ends it. Pure. */
#pragma once

#include <stdbool.h>

#include "util/json_writer.h"

#define CONTROL_INTERFACE "org.culprit"
#define CONTROL_SERVICE "org.varlink.service"

/* A reply: its parameters are written between the two. */
void control_reply_begin(struct sbuf *out);
void control_reply_end(struct sbuf *out, bool continues);
/* An error: its parameters are written between begin and end. */
void control_error_begin(struct sbuf *out, const char *name);
void control_error_end(struct sbuf *out);
/* One with a text for people, or without any. */
void control_error(struct sbuf *out, const char *name, const char *message);

/* A call; its parameters are written between the two. */
void control_call_begin(struct sbuf *out, const char *method, bool more);
void control_call_end(struct sbuf *out);
