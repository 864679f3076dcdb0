/* SPDX-License-Identifier: MIT */
#include "event/container.h"

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

void container_set(struct container *c, struct bytes *field, struct bytes value)
{
    *field = arena_copy(&c->arena, value);
}

static const char *const life_kind_names[LIFE_COUNT] = {
    [LIFE_CREATE] = "create",   [LIFE_START] = "start", [LIFE_DIE] = "die",
    [LIFE_DESTROY] = "destroy", [LIFE_RENAME] = "rename", [LIFE_PAUSE] = "pause",
    [LIFE_UNPAUSE] = "unpause", [LIFE_OOM] = "oom",
};

const char *life_kind_name(enum life_kind kind)
{
    return (unsigned)kind < LIFE_COUNT && life_kind_names[kind] ? life_kind_names[kind] : "unknown";
}
