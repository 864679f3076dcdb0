/* SPDX-License-Identifier: MIT */
/* The input is labels as whoever starts a container chooses them: keys and values in turn, one a line. */
#include <stdlib.h>

#include "engine/labels.h"
#include "fuzz.h"
#include "util/limits.h"

static struct bytes next_line(struct bytes *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct bytes line = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
    size_t step = line.len + (end ? 1 : 0);

    *rest = (struct bytes){ rest->data + step, rest->len - step };
    return line;
}

static void check(struct bytes b)
{
    if (b.data && (b.data[b.len] != '\0' || strlen(b.data) < b.len))
        abort(); /* no NUL within, one behind it */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = { (const char *)data, size };
    struct container *c = container_new();
    struct labels labels = LABELS_INIT;

    if (!c)
        return 0;
    while (rest.len) {
        struct bytes key = next_line(&rest);

        labels_add(&labels, c, key, next_line(&rest));
    }
    labels_done(&labels, c);
    if (c->labels.len > LIMIT_LABELS || (c->labels.len && c->labels.data[c->labels.len - 1] != '\0'))
        abort();
    check(c->name);
    check(c->image_name);
    check(c->compose_project);
    check(c->pod_name);
    container_unref(c);
    return 0;
}
