/* SPDX-License-Identifier: MIT */
/* Answers to calls of the control socket: at once, or when what they wait for has come. A client is borrowed, and may be gone after
 * its answer. */
#pragma once

#include "daemon/control_state.h"

/* The whole answer: an error (its full name) with a text for people; that a parameter is wrong. */
void control_answer_fail(struct control_client *client, const char *error, const char *message);
void control_answer_fail_parameter(struct control_client *client, const char *name);

/* The reply's parameters are written between the two, into what begin returns: the client's. */
struct sbuf *control_answer_begin(struct control_client *client);
void control_answer_end(struct control_client *client);

/* The call waits in the list c->pending from now on; kind: PENDING_. NULL: out of memory, and it was answered so. Owned by the list. */
struct waiting_call *control_answer_later(struct control *c, struct control_client *client, int kind);
/* It was answered, or its client is gone: out of the list, and freed. */
void control_answer_forget(struct control *c, struct waiting_call *p);
