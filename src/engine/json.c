/* SPDX-License-Identifier: MIT */
#include "engine/json.h"

#include <errno.h>
#include <string.h>

#include "engine/labels.h"
#include "util/limits.h"
#include "util/sbuf.h"

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

/* Whatever is no text, or could not be an argument, makes the whole unknown. */
static bool add_arguments(struct sbuf *out, const json_t *list, size_t first)
{
    for (size_t i = first; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        struct bytes word = json_text(value);

        if (!json_is_string(value) || (word.len && memchr(word.data, '\0', word.len)) || out->len + word.len >= LIMIT_ARGS)
            return false;
        sbuf_add_bytes(out, word);
        sbuf_add_char(out, '\0');
    }
    return true;
}

void json_take_health_check(struct container *c, const json_t *check, const json_t *shell)
{
    const json_t *test = json_object_get(check, "Test");
    struct bytes form = json_text(json_array_get(test, 0));
    _cleanup_sbuf_ struct sbuf args = SBUF_INIT;
    bool by_shell = bytes_equal_str(form, "CMD-SHELL"), known = true;
    /* without a form it is the command itself: Podman's --health-cmd as a list */
    size_t first = by_shell || bytes_equal_str(form, "CMD") ? 1 : 0;

    if (!form.len || bytes_equal_str(form, "NONE") || json_array_size(test) <= first)
        return;
    if (by_shell && json_array_size(shell))
        known = add_arguments(&args, shell, 0);
    else if (by_shell)
        sbuf_add(&args, "/bin/sh\0-c", sizeof("/bin/sh\0-c"));
    known = known && add_arguments(&args, test, first);
    if (known && sbuf_error(&args) == 0)
        json_take(c, &c->health_check, sbuf_bytes(&args));
}
