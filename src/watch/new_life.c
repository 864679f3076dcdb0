/* SPDX-License-Identifier: MIT */
#include "watch/new_life.h"

#include <string.h>

#include "watch/early.h"
#include "watch/state.h"

/* The container's own, or one below it. */
static bool is_of(const struct instance *i, struct bytes cgroup)
{
    struct bytes own = i->cgroup ? bytes_basename(bytes_of(i->cgroup)) : BYTES_NULL;

    return own.len && memmem(cgroup.data, cgroup.len, own.data, own.len);
}

void new_life_look(struct watchset *set, struct watch *w)
{
    for (struct instance *i = w->instances; i; i = i->next)
        i->failed |= early_look(set, i);
}

void watchset_process(struct watchset *set, struct bytes cgroup)
{
    for (size_t k = 0; k < set->count && set->any_container && !set->new_life; k++)
        for (const struct instance *i = set->watches[k]->instances; i; i = i->next)
            set->new_life |= is_of(i, cgroup);
}

void watchset_look_for_new_lives(struct watchset *set)
{
    if (!set->new_life)
        return;
    set->new_life = false;
    for (size_t k = 0; k < set->count; k++)
        new_life_look(set, set->watches[k]);
}
