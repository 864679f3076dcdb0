/* SPDX-License-Identifier: MIT */
#include "watch/change.h"

#include <errno.h>

#include "util/clock.h"
#include "watch/follow.h"
#include "watch/gone.h"
#include "watch/instance.h"
#include "watch/state.h"
#include "watch/watchset.h"

#define TURN_NS NS_PER_S       /* the new ones take over so long after they were armed: further off than any stamp of
                                * the kernel's (the coarse clock's tick, audit's milliseconds) */
#define READ_NS NS_PER_S       /* the kernel's queues are read in the order of time, but for this at the most */
#define END_NS (3 * NS_PER_S)  /* the old ones are given up */

static bool ends(const struct watch *w)
{
    return w->until_ns != 0;
}

static struct watch *find(struct watchset *set, const struct target *target)
{
    for (size_t i = 0; i < set->count; i++) {
        struct watch *w = set->watches[i];

        if (!ends(w) && !w->kept && plan_same_place(&w->target, target) && bytes_equal(w->target.path, target->path) &&
            w->target.permissions == target->permissions)
            return w;
    }
    return NULL;
}

static void remove_watch(struct watchset *set, size_t index)
{
    struct watch *w = set->watches[index];

    while (w->instances)
        instance_remove(set, w->instances);
    set->watches[index] = set->watches[--set->count];
    gone_add(set, w, NULL);
}

/* Undo: remove at once what was added. No coverage has been claimed for it yet. */
static void roll_back(struct watchset *set, size_t before)
{
    while (set->count > before) {
        set->watches[set->count - 1]->until_ns = 1;
        remove_watch(set, set->count - 1);
    }
    follow_window(set);
}

static void keep_all(struct watchset *set, struct plan *plan, struct watchset_difference *d)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct watch *w = find(set, &plan->entries[i].target);

        if (!w)
            continue;
        w->kept = true;
        plan->entries[i].kept_by = w;
        d->kept++;
    }
}

static int add_all(struct watchset *set, struct plan *plan, struct watchset_difference *d, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < plan->count; i++) {
        struct plan_entry *e = &plan->entries[i];

        if (e->kept_by)
            continue;
        r = watchset_add(set, &e->target, err);
        if (r < 0) {
            d->failed_ask = e->ask;
            break;
        }
        set->watches[set->count - 1]->labels = TAKE_PTR(e->labels);
        d->added++;
    }
    return r;
}

/* Would anything that is armed be given up? */
static bool gives_up(const struct watchset *set, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (!set->watches[i]->kept && !ends(set->watches[i]))
            return true;
    return false;
}

/* From here on nothing fails. While an exchange is under way, what comes takes over at the same turn. */
static void take_over(struct watchset *set, struct plan *plan, size_t before, struct watchset_difference *d)
{
    const bool under_way = watchset_is_changing(set);
    uint64_t turn_ns = under_way ? set->turn_ns : clock_ns(CLOCK_REALTIME) + TURN_NS;

    for (size_t i = 0; i < plan->count; i++) {
        struct watch *w = plan->entries[i].kept_by;

        if (!w)
            continue;
        gone_add(set, NULL, w->labels);
        w->labels = TAKE_PTR(plan->entries[i].labels);
    }
    for (size_t i = 0; i < before; i++) {
        struct watch *w = set->watches[i];

        if (!w->kept && !ends(w)) {
            w->until_ns = turn_ns;
            d->ended++;
        }
        w->kept = false;
    }
    for (size_t i = before; i < set->count && (d->ended || under_way); i++)
        set->watches[i]->from_ns = turn_ns;
    if (d->ended) {
        set->turn_ns = turn_ns;
        set->change_until_ns = clock_ns(CLOCK_MONOTONIC) + END_NS;
    }
    watchset_make_text(set);
}

int watchset_change(struct watchset *set, struct plan *plan, struct watchset_difference *ret, struct err *err)
{
    struct watchset_difference d = { .failed_ask = SIZE_MAX };
    size_t before = set->count;
    int r;

    ret->failed_ask = SIZE_MAX;
    keep_all(set, plan, &d);
    if (watchset_is_changing(set) && gives_up(set, before))
        r = err_say(err, -EBUSY, "the last change is not over yet");
    else
        r = add_all(set, plan, &d, err);
    if (r < 0) {
        for (size_t i = 0; i < before; i++)
            set->watches[i]->kept = false;
        roll_back(set, before);
        watchset_make_text(set);
    } else {
        take_over(set, plan, before, &d);
    }
    *ret = d;
    plan_done(plan);
    return r;
}

bool watchset_is_changing(const struct watchset *set)
{
    return set->change_until_ns != 0;
}

bool watchset_change_is_read(const struct watchset *set, uint64_t newest_ns)
{
    return set->change_until_ns && newest_ns > set->turn_ns + READ_NS;
}

void watchset_change_finish(struct watchset *set)
{
    gone_forget(set, false);
    if (!set->change_until_ns || clock_ns(CLOCK_MONOTONIC) < set->change_until_ns)
        return;
    for (size_t i = set->count; i > 0; i--) {
        set->watches[i - 1]->from_ns = 0;
        if (ends(set->watches[i - 1]))
            remove_watch(set, i - 1);
    }
    set->change_until_ns = 0;
    follow_window(set);
}
