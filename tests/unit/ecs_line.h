/* SPDX-License-Identifier: MIT */
/* What the tests of ECS lines share: an event as a line, parsed again, and what its fields must be. */
#pragma once

#include <jansson.h>
#include <linux/audit.h>
#include <stdio.h>

#include "event/ecs.h"

static const struct ecs_host host = { { "srv1", 4 }, { "0123", 4 }, { "4567", 4 } };

/* Exactly one line of one object; NUL is no byte of JSON. Every empty text, object and list is one
 * too many: what is not known is left out. */
static inline void check_no_empty(const char *where, json_t *v)
{
    const char *key;
    json_t *below;
    size_t i;

    if ((json_is_object(v) && !json_object_size(v)) || (json_is_array(v) && !json_array_size(v)) ||
        (json_is_string(v) && !json_string_length(v)) || json_is_null(v))
        fail_msg("%s is empty", where);
    json_object_foreach(v, key, below)
        check_no_empty(key, below);
    json_array_foreach(v, i, below)
        if (strcmp(where, "args") != 0) /* an empty argument is an argument */
            check_no_empty(where, below);
}

static inline json_t *parse_line(const struct sbuf *out)
{
    json_error_t where;
    json_t *root;

    assert_int_equal(sbuf_error(out), 0);
    assert_true(out->len > 2);
    assert_ptr_equal(memchr(out->data, '\n', out->len), out->data + out->len - 1);
    for (size_t i = 0; i + 1 < out->len; i++)
        assert_true((unsigned char)out->data[i] >= 0x20 && out->data[i] != 0x7f);
    root = json_loadb(out->data, out->len, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        fail_msg("%s at %d: %s", where.text, where.position, out->data);
    check_no_empty("line", root);
    return root;
}

static inline json_t *line_of(const struct event *e)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    ecs_write_event(&out, e, &host);
    return parse_line(&out);
}

/* "file.path"; NULL if it is not there */
static inline json_t *get(json_t *root, const char *path)
{
    char key[64];

    while (root && *path) {
        size_t n = strcspn(path, ".");

        snprintf(key, sizeof(key), "%.*s", (int)n, path);
        root = json_is_array(root) ? json_array_get(root, (size_t)(key[0] - '0')) : json_object_get(root, key);
        path += n + (path[n] == '.');
    }
    return root;
}

static inline void is_text(json_t *root, const char *path, const char *text)
{
    json_t *v = get(root, path);

    if (!json_is_string(v))
        fail_msg("%s is no text", path);
    if (strcmp(json_string_value(v), text) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", path, json_string_value(v), text);
}

static inline void is_not_there(json_t *root, const char *path)
{
    if (get(root, path))
        fail_msg("%s is there", path);
}
