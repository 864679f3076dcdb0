/* SPDX-License-Identifier: MIT */
#include "store/kept_retention.h"

#include <stdlib.h>

#include "util/macro.h"

struct kept_retention *retention_copy(const struct store_retention *from)
{
    struct kept_retention *k = calloc(1, sizeof(*k));
    struct store_watch_retention *watches = NULL;

    if (k)
        watches = arena_alloc(&k->arena, MAX(from->watch_count, (size_t)1) * sizeof(*watches));
    if (!watches) {
        free(k);
        return NULL;
    }
    for (size_t i = 0; i < from->watch_count; i++)
        watches[i] = (struct store_watch_retention){ arena_copy(&k->arena, from->watches[i].watch), from->watches[i].age_ns };
    k->retention = *from;
    k->retention.watches = watches;
    return k;
}

void retention_free(struct kept_retention *k)
{
    if (!k)
        return;
    arena_done(&k->arena);
    free(k);
}
