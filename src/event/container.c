/* SPDX-License-Identifier: MIT */
#include "event/container.h"

#include <stddef.h>
#include <stdlib.h>

#include "util/macro.h"

struct container *container_new(void)
{
    struct container *c = calloc(1, sizeof(*c));

    if (c)
        c->refs = 1;
    return c;
}

struct container *container_ref(struct container *c)
{
    if (c)
        c->refs++;
    return c;
}

void container_unref(struct container *c)
{
    if (!c || --c->refs > 0)
        return;
    arena_done(&c->arena);
    free(c);
}

void container_unrefp(struct container **c)
{
    container_unref(*c);
}

struct container *container_copy(const struct container *from)
{
    static const size_t texts[] = {
        offsetof(struct container, id),           offsetof(struct container, name),
        offsetof(struct container, runtime),      offsetof(struct container, image_name),
        offsetof(struct container, compose_project), offsetof(struct container, compose_service),
        offsetof(struct container, pod_namespace), offsetof(struct container, pod_name),
        offsetof(struct container, pod_container), offsetof(struct container, labels),
        offsetof(struct container, cgroup),      offsetof(struct container, health_check),
    };
    struct container *c = container_new();

    if (!c)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        *(struct bytes *)(void *)((char *)c + texts[i]) =
            arena_copy(&c->arena, *(const struct bytes *)(const void *)((const char *)from + texts[i]));
    c->pid = from->pid;
    c->created_ns = from->created_ns;
    c->started_ns = from->started_ns;
    return c;
}

void container_set(struct container *c, struct bytes *field, struct bytes value)
{
    *field = arena_copy(&c->arena, value);
}

struct bytes container_label(const struct container *c, const char *name)
{
    struct bytes rest = c->labels;

    while (rest.len) {
        struct bytes label = bytes_next_field(&rest, '\0'), key = bytes_next_field(&label, '=');

        if (bytes_equal_str(key, name))
            return label.data ? label : bytes_of("");
    }
    return BYTES_NULL;
}
