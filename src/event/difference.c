/* SPDX-License-Identifier: MIT */
#include "event/difference.h"

#include <stdlib.h>

struct difference *difference_new(void)
{
    return calloc(1, sizeof(struct difference));
}

void difference_free(struct difference *d)
{
    if (!d)
        return;
    event_free(d->event);
    arena_done(&d->arena);
    free(d);
}

static const char *const names[DIFFERENCE_COUNT] = {
    [DIFFERENCE_MISSING] = "missing", [DIFFERENCE_ADDED] = "added", [DIFFERENCE_TYPE] = "type",
    [DIFFERENCE_CONTENT] = "content", [DIFFERENCE_MODE] = "mode",   [DIFFERENCE_OWNER] = "owner",
    [DIFFERENCE_XATTR] = "xattr",     [DIFFERENCE_TIMES] = "times",
};

const char *difference_kind_name(enum difference_kind kind)
{
    return (unsigned)kind < DIFFERENCE_COUNT ? names[kind] : "unknown";
}
