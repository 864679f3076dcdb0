/* SPDX-License-Identifier: MIT */
#include "control/call.h"

#include <errno.h>
#include <jansson.h>

static json_t *read_object(struct bytes text, struct err *err)
{
    json_error_t where;
    json_t *json = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &where);

    if (!json) {
        err_say(err, -EBADMSG, "this is not JSON (byte %d)", where.position);
        return NULL;
    }
    if (json_is_object(json))
        return json;
    err_say(err, -EBADMSG, "this is no object");
    json_decref(json);
    return NULL;
}

struct bytes control_text(const json_t *parameters, const char *name)
{
    const json_t *value = json_object_get(parameters, name);

    if (!json_is_string(value))
        return BYTES_NULL;
    return (struct bytes){ json_string_value(value), json_string_length(value) };
}

bool control_is_text(const json_t *parameters, const char *name)
{
    const json_t *value = json_object_get(parameters, name);

    return !value || json_is_null(value) || json_is_string(value);
}

bool control_flag(const json_t *parameters, const char *name)
{
    return json_is_true(json_object_get(parameters, name));
}

uint64_t control_number(const json_t *parameters, const char *name)
{
    const json_t *value = json_object_get(parameters, name);

    return json_is_integer(value) && json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
}

const json_t *control_object(const json_t *parameters, const char *name)
{
    const json_t *value = json_object_get(parameters, name);

    return json_is_object(value) ? value : NULL;
}

size_t control_array_size(const json_t *parameters, const char *name)
{
    return json_array_size(json_object_get(parameters, name));
}

const json_t *control_array_object(const json_t *parameters, const char *name, size_t index)
{
    const json_t *value = json_array_get(json_object_get(parameters, name), index);

    return json_is_object(value) ? value : NULL;
}

struct bytes control_array_text(const json_t *parameters, const char *name, size_t index)
{
    const json_t *value = json_array_get(json_object_get(parameters, name), index);

    if (!json_is_string(value))
        return BYTES_NULL;
    return (struct bytes){ json_string_value(value), json_string_length(value) };
}

/* null stands for what is not there. */
static int take_parameters(const json_t *json, const json_t **ret, struct err *err)
{
    const json_t *parameters = json_object_get(json, "parameters");

    if (json_is_null(parameters))
        parameters = NULL;
    if (parameters && !json_is_object(parameters))
        return err_say(err, -EBADMSG, "its parameters are no object");
    *ret = parameters;
    return 0;
}

static int take_flag(const json_t *json, const char *name, bool *ret, struct err *err)
{
    const json_t *value = json_object_get(json, name);

    if (value && !json_is_null(value) && !json_is_boolean(value))
        return err_say(err, -EBADMSG, "\"%s\" is neither true nor false", name);
    *ret = json_is_true(value);
    return 0;
}

int control_call_parse(struct bytes text, struct control_call *ret, struct err *err)
{
    struct control_call call = { .json = read_object(text, err) };
    int r;

    if (!call.json)
        return -EBADMSG;
    call.method = control_text(call.json, "method");
    r = call.method.len ? 0 : err_say(err, -EBADMSG, "it names no method");
    if (r == 0)
        r = take_parameters(call.json, &call.parameters, err);
    if (r == 0)
        r = take_flag(call.json, "more", &call.more, err);
    if (r == 0)
        r = take_flag(call.json, "oneway", &call.oneway, err);
    if (r < 0) {
        json_decref(call.json);
        return r;
    }
    *ret = call;
    return 0;
}

void control_call_done(struct control_call *call)
{
    json_decref(call->json);
    *call = (struct control_call){ 0 };
}

static int add_piece(const char *piece, size_t len, void *data)
{
    sbuf_add(data, piece, len);
    return 0;
}

void control_write(const json_t *value, struct sbuf *out)
{
    (void)json_dump_callback(value, add_piece, out, JSON_COMPACT | JSON_ENCODE_ANY);
}

int control_reply_parse(struct bytes text, struct control_reply *ret, struct err *err)
{
    struct control_reply reply = { .json = read_object(text, err) };
    int r;

    if (!reply.json)
        return -EBADMSG;
    r = take_parameters(reply.json, &reply.parameters, err);
    if (r == 0)
        r = take_flag(reply.json, "continues", &reply.continues, err);
    if (r < 0) {
        json_decref(reply.json);
        return r;
    }
    reply.error = control_text(reply.json, "error");
    *ret = reply;
    return 0;
}

void control_reply_done(struct control_reply *reply)
{
    json_decref(reply->json);
    *reply = (struct control_reply){ 0 };
}
