/* SPDX-License-Identifier: MIT */
#include "attribution/json.h"

#include <errno.h>

#include "attribution/labels.h"
#include "util/limits.h"

json_t *json_read(struct bytes body, const char *what, struct err *err)
{
    json_error_t where;
    json_t *j = json_loadb(body.data ? body.data : "", body.len, JSON_ALLOW_NUL, &where);

    if (!j)
        err_say(err, -EBADMSG, "%s is not JSON (byte %d)", what, where.position);
    return j;
}

struct bytes json_text(const json_t *value)
{
    if (!json_is_string(value))
        return BYTES_NULL;
    return (struct bytes){ json_string_value(value), json_string_length(value) };
}

struct bytes json_text_at(const json_t *object, const char *key)
{
    return json_text(json_object_get(object, key));
}

uint64_t json_number_at(const json_t *object, const char *key, uint64_t max)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v) || json_integer_value(v) <= 0 || (uint64_t)json_integer_value(v) > max)
        return 0;
    return (uint64_t)json_integer_value(v);
}

void json_take(struct container *c, struct bytes *field, struct bytes value)
{
    if (value.len)
        container_set(c, field, value);
}

void json_take_labels(struct container *c, const json_t *labels)
{
    struct labels l = LABELS_INIT;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)labels, key, v)
        labels_add(&l, c, bytes_of(key), json_text(v));
    labels_done(&l, c);
}
