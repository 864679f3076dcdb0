/* SPDX-License-Identifier: MIT */
#include "sensor/audit/refresh.h"

#include "sensor/object/gap.h"
#include "util/clock.h"
#include "util/macro.h"

#define SETTLE_MS 100        /* whoever deletes rules deletes many */

void audit_emit_gap(struct sensor *s, enum lost reason, uint64_t count, const char *text)
{
    emit_gap(&s->options, SENSOR_AUDIT, reason, count, s->gap_from_ns, text);
}

void audit_emit_object_gap(struct sensor *s, const struct audit_object *o, enum lost reason, const char *text)
{
    emit_object_gap(&s->options, SENSOR_AUDIT, reason, s->gap_from_ns, &o->wanted, text);
}

/* Another file is at the path now. Late records of the previous one are resolved by its index, which is kept for a while. */
void audit_place_again(struct sensor *s, struct audit_object *o)
{
    bool was_directory = o->path_kind == AUDIT_PATH_DIRECTORY;
    bool was_unseen = o->path_kind == AUDIT_PATH_ABSENT && audit_object_above_is_gone(o);
    struct audit_object *tombstone = audit_object_tombstone(o, clock_ns(CLOCK_REALTIME) / NS_PER_MS, clock_ms(CLOCK_MONOTONIC) + AUDIT_TOMBSTONE_MS);
    struct err err = ERR_INIT;
    int r;

    if (tombstone) {
        tombstone->next = o->next;
        o->next = tombstone;
    }
    r = watched_place(&o->watched, &audit_object_ops, s->rules, &err);

    if (r < 0)
        log_warn(s->options.log, "audit: a watched path was replaced: %s; trying again",
                 err_text(&err, r));
    /* the name was watched meanwhile, but not what happened below a new directory */
    if (was_directory && o->path_kind == AUDIT_PATH_DIRECTORY && o->wanted.view != VIEW_MERGED)
        audit_emit_object_gap(s, o, LOST_WATCH_WINDOW, "a watched directory was replaced by another one");
    if (was_unseen && o->path_kind != AUDIT_PATH_ABSENT && o->wanted.view != VIEW_MERGED)
        audit_emit_object_gap(s, o, LOST_WATCH_WINDOW, "a watched path came back before anybody looked for it again");
}

void audit_rewalk(struct sensor *s)
{
    for (struct audit_object *o = s->objects; o; o = o->next)
        if (o->tree && !o->gone)
            audit_object_walk(o, tree_root(o->tree));
}

void audit_look_soon(struct sensor *s)
{
    s->next_look_ms = MIN(s->next_look_ms, clock_ms(CLOCK_MONOTONIC) + SETTLE_MS);
}
