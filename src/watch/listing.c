/* SPDX-License-Identifier: MIT */
#include "watch/listing.h"

#include "watch/state.h"

static void look(const struct watchset *set, const struct watch *w, struct watch_listing *ret)
{
    *ret = (struct watch_listing){ .target = &w->target, .permissions = watch_permissions(set, w), .missing = w->missing_said };
    for (const struct object *o = w->objects; o; o = o->next)
        ret->objects++;
    ret->waiting = w->target.selector.kind != SELECTOR_NONE && w->target.selector.kind != SELECTOR_VOLUME;
    for (const struct instance *i = w->instances; i; i = i->next) {
        ret->failed |= i->failed;
        if (i->up)
            ret->waiting = false;
    }
}

void watchset_each_listing(const struct watchset *set, void (*each)(void *data, const struct watch_listing *listing), void *data)
{
    struct watch_listing listing;

    for (size_t i = 0; i < set->count; i++) {
        if (set->watches[i]->until_ns)
            continue;
        look(set, set->watches[i], &listing);
        each(data, &listing);
    }
}

const struct target *watchset_target(const struct watchset *set, uint32_t index)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->watches[i]->index == index)
            return &set->watches[i]->target;
    return NULL;
}

void watchset_each_merged(const struct watchset *set, void (*each)(void *data, const struct watch_merged *merged), void *data)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct watch *w = set->watches[i];

        if (w->until_ns)
            continue;
        for (const struct object *o = w->objects; o; o = o->next) {
            struct watch_merged m = { .target = &w->target, .object = o->place.object.id };

            if (o->place.object.view != VIEW_MERGED || o->retired_ns || !o->use_count)
                continue;
            m.victim_path = o->uses[0].victim_path;
            m.host_path = o->uses[0].shown_host_path;
            each(data, &m);
        }
    }
}
