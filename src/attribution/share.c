/* SPDX-License-Identifier: MIT */
#include "attribution/share.h"

#include "event/share.h"

/* What would be found if it had been that one. */
static struct event *as_by(struct attribution *a, const struct event *e, unsigned actor)
{
    struct event *other = event_new();

    if (!other)
        return NULL;
    other->time_ns = e->time_ns;
    other->boot_ns = e->share->actors[actor].boot_ns;
    other->boot_from_ns = e->boot_from_ns;
    other->actor.pid = e->share->actors[actor].pid;
    other->actor.gone = e->share->actors[actor].gone;
    attribution_event(a, other);
    return other;
}

static struct bytes tool_of(struct event *keeper, const struct event *e)
{
    return arena_copy(&keeper->arena, e->cause.tool.len ? e->cause.tool : event_actor_name(e));
}

static bool is_same_cause(const struct event *a, const struct event *b)
{
    return b->actor.process && b->cause.run.kind != RUN_UNKNOWN && fingerprint_equal(a->cause.key, b->cause.key);
}

void attribution_share(struct attribution *a, struct event *e)
{
    const struct event_share *s = e->share;
    struct bytes tools[SHARE_MAX] = { 0 };
    bool same = s && e->actor.process && e->cause.run.kind != RUN_UNKNOWN;

    for (unsigned i = 0; same && i < s->count; i++) {
        struct event *other = i == s->own ? NULL : as_by(a, e, i);

        same = i == s->own || (other && is_same_cause(e, other));
        if (same)
            tools[i] = tool_of(e, other ? other : e);
        event_free(other);
    }
    if (same)
        event_share_settle(e, event_share_choose(s, tools));
    e->share = NULL;
}
