/* SPDX-License-Identifier: MIT */
#include "watch/turn.h"

#include "event/event.h"
#include "event/operation.h"
#include "watch/plan.h"
#include "watch/state.h"

static bool would_emit(const struct watch *w, const struct watch *other, const struct event *e, unsigned permission)
{
    return other != w && other->target.permissions & permission && plan_same_place(&other->target, &w->target) &&
           (bytes_path_covers(other->target.path, e->path) ||
            (e->previous_path.len && bytes_path_covers(other->target.path, e->previous_path)));
}

bool turn_is_anothers(const struct watchset *set, const struct watch *w, const struct event *e)
{
    unsigned permission = operation_info(e->operation)->permission;

    if (w->until_ns)
        return e->time_ns >= w->until_ns;
    if (!w->from_ns || e->time_ns >= w->from_ns)
        return false;
    for (size_t i = 0; i < set->count; i++)
        if (set->watches[i]->until_ns == w->from_ns && would_emit(w, set->watches[i], e, permission))
            return true;
    return false;
}
