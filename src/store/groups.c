/* SPDX-License-Identifier: MIT */
#include "store/groups.h"

#include <errno.h>
#include <stdlib.h>

#include "util/macro.h"

int groups_add(struct group **groups, const struct group_key *key, const struct group_part *part)
{
    struct group *g;

    HASH_FIND(hh, *groups, key, sizeof(*key), g);
    if (!g) {
        g = calloc(1, sizeof(*g));
        if (!g)
            return -ENOMEM;
        g->key = *key;
        g->all.first_ns = UINT64_MAX;
        HASH_ADD(hh, *groups, key, sizeof(g->key), g);
        HASH_FREE_IF_OUT(hh, g);
        if (!g)
            return -ENOMEM;
    }
    g->all.count += part->count;
    if (part->first_ns < g->all.first_ns ||
        (part->first_ns == g->all.first_ns && part->first_event < g->all.first_event)) { /* as a row or in a block */
        g->all.first_ns = part->first_ns;
        g->all.first_event = part->first_event;
    }
    g->all.last_ns = MAX(g->all.last_ns, part->last_ns);
    return 0;
}

int groups_join(struct group **groups, struct group **more)
{
    int r = 0;

    for (const struct group *g = *more; g && r == 0; g = g->hh.next)
        r = groups_add(groups, &g->key, &g->all);
    groups_free(more);
    return r;
}

static int by_time(const struct group *a, const struct group *b)
{
    if (a->all.first_ns != b->all.first_ns)
        return a->all.first_ns < b->all.first_ns ? -1 : 1;
    return a->all.first_event < b->all.first_event ? -1 : a->all.first_event > b->all.first_event;
}

void groups_sort(struct group **groups)
{
    HASH_SORT(*groups, by_time);
}

void groups_free(struct group **groups)
{
    struct group *g, *next;

    HASH_ITER(hh, *groups, g, next) {
        HASH_DEL(*groups, g);
        free(g);
    }
}
