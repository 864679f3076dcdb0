/* SPDX-License-Identifier: MIT */
#include "watch/gone.h"

#include <stdlib.h>

#include "util/clock.h"
#include "watch/instance.h"
#include "watch/objects.h"
#include "watch/plan.h"
#include "watch/state.h"

#define GONE_NS (60 * NS_PER_S) /* no event waits so long, in a sensor or for another one's observation */

void watch_free(struct watch *w)
{
    objects_free(w);
    instances_free(w);
    target_done(&w->target);
    watch_labels_free(w->labels);
    free(w);
}

void gone_add(struct watchset *set, struct watch *w, struct watch_labels *labels)
{
    struct gone *g = w || labels ? calloc(1, sizeof(*g)) : NULL;

    if (!g) /* out of memory: it stays, since somebody may still read it */
        return;
    *g = (struct gone){ .next = set->gone, .watch = w, .labels = labels, .since_ns = clock_ns(CLOCK_MONOTONIC) };
    set->gone = g;
}

void gone_forget(struct watchset *set, bool all)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    struct gone **at = &set->gone;

    while (*at) {
        struct gone *g = *at;

        if (!all && now - g->since_ns < GONE_NS) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        watch_labels_free(g->labels);
        if (g->watch)
            watch_free(g->watch);
        free(g);
    }
}
