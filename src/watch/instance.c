/* SPDX-License-Identifier: MIT */
#include "watch/instance.h"

#include <errno.h>
#include <stdlib.h>

#include "watch/early.h"
#include "watch/objects.h"
#include "watch/state.h"

#define INSTANCES_MAX 4096
#define REMOVED_MAX 16 /* containers that were removed and whose volumes are still watched */

struct instance *instance_add(struct watchset *set, struct watch *w, struct err *err)
{
    struct instance *i = w->instance_count < INSTANCES_MAX ? calloc(1, sizeof(*i)) : NULL;

    if (!i) {
        err_say(err, -ENOMEM, "more than %d containers in one watch", INSTANCES_MAX);
        return NULL;
    }
    i->watch = w;
    i->group = set->next_group++;
    i->next = w->instances;
    w->instances = i;
    w->instance_count++;
    return i;
}

static void instance_free(struct instance *i)
{
    container_unref(i->container);
    container_unref(i->previous);
    early_done(i);
    free(i->layer);
    free(i);
}

void instances_free(struct watch *w)
{
    while (w->instances) {
        struct instance *i = w->instances;

        w->instances = i->next;
        instance_free(i);
    }
}

void instance_remove(struct watchset *set, struct instance *i)
{
    struct instance **at = &i->watch->instances;

    (void)objects_set(set, i, NULL, 0, NULL);
    while (*at && *at != i)
        at = &(*at)->next;
    if (*at)
        *at = i->next;
    i->watch->instance_count--;
    instance_free(i);
}

void instances_forget_removed(struct watchset *set, struct watch *w)
{
    struct instance *next;
    unsigned removed = 0;

    if (!selector_is_plural(&w->target.selector))
        return;
    for (struct instance *i = w->instances; i; i = next) { /* the newest first */
        next = i->next;
        if (i->removed && (!objects_concern(i) || ++removed > REMOVED_MAX))
            instance_remove(set, i);
    }
}

struct instance *instance_find(const struct watch *w, const struct container *c)
{
    for (struct instance *i = w->instances; i; i = i->next)
        if (i->container && bytes_equal(i->container->id, c->id) &&
            bytes_equal(i->container->runtime, c->runtime))
            return i;
    return NULL;
}
