/* SPDX-License-Identifier: MIT */
/*
 * Varlink's messages: a call is {"method": "org.culprit.Status", "parameters": {}, "more": true}, a reply is
 * {"parameters": {}, "continues": true} or {"error": "org.culprit.NotPermitted", "parameters": {}}, each ended by a NUL.
 * Pure. What is read here may come from anybody who may connect.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

struct json_t; /* jansson's */

struct control_call {
    struct json_t *json;             /* owned */
    struct bytes method;      /* within json */
    const struct json_t *parameters; /* an object; NULL: there is none */
    bool more;                /* several replies are wanted */
    bool oneway;              /* none is */
};

/* text: without the NUL. -EBADMSG: it is no call; nothing is owned then. */
int control_call_parse(struct bytes text, struct control_call *ret, struct err *err);
void control_call_done(struct control_call *call);

/* A parameter that is a text; BYTES_NULL: there is none, or it is none. */
struct bytes control_text(const struct json_t *parameters, const char *name);
/* False: there is one, and it is of another kind. */
bool control_is_text(const struct json_t *parameters, const char *name);
bool control_flag(const struct json_t *parameters, const char *name); /* true if it is there and true */
uint64_t control_number(const struct json_t *parameters, const char *name); /* 0: there is none, or it is negative */
const struct json_t *control_object(const struct json_t *parameters, const char *name); /* NULL: there is none */
/* An array: how long it is, 0 where there is none; one of its objects (NULL: it is none) or texts. */
size_t control_array_size(const struct json_t *parameters, const char *name);
const struct json_t *control_array_object(const struct json_t *parameters, const char *name, size_t index);
struct bytes control_array_text(const struct json_t *parameters, const char *name, size_t index);

/* As JSON on one line. */
void control_write(const struct json_t *value, struct sbuf *out);

/* A reply that was received. */
struct control_reply {
    struct json_t *json;
    const struct json_t *parameters; /* an object; NULL: there is none */
    struct bytes error;       /* BYTES_NULL: it is none */
    bool continues;
};
int control_reply_parse(struct bytes text, struct control_reply *ret, struct err *err); /* -EBADMSG */
void control_reply_done(struct control_reply *reply);
