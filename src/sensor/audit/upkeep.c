/* SPDX-License-Identifier: MIT */
/* What changes without a record of ours: objects, rules, the owner of the stream, what was lost. */
#include "sensor/audit/upkeep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event/operation.h"
#include "foreign/mounts.h"
#include "sensor/audit/audit_state.h"
#include "sensor/audit/handle.h"
#include "sensor/audit/refresh.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/proc_stat.h"

#define TICK_MS 100
#define CHECK_MS 1000

static void emit_losses(struct sensor *s)
{
    if (s->lost_paths)
        audit_emit_gap(s, LOST_PATH, s->lost_paths, "changes whose path could not be found");
    if (s->lost_records)
        audit_emit_gap(s, LOST_AUDIT_DAMAGED, s->lost_records, "audit events without all their records");
    if (s->lost_startup)
        audit_emit_gap(s, LOST_WATCH_WINDOW, s->lost_startup, "changes while a container was starting");
    s->lost_paths = s->lost_records = s->lost_startup = 0;
    for (struct audit_object *o = s->objects; o; o = o->next) {
        if (watched_take_unanswered(&o->watched))
            audit_emit_object_gap(s, o, LOST_UNANSWERED, FOREIGN_UNANSWERED_WAY);
        if (tree_take_unanswered(o->tree))
            audit_emit_object_gap(s, o, LOST_UNANSWERED, FOREIGN_UNANSWERED);
    }
}
void audit_exclude_records(struct sensor *s, bool on)
{
    if (on && !s->excluded && s->session.owner && !s->session.others) {
        int r = audit_rules_exclude(s->rules, &s->excluded);

        if (r < 0)
            log_debug(s->options.log, "audit: no record types can be left out: %s", strerror(-r));
    } else if (!on) {
        audit_rules_remove(s->rules, TAKE_PTR(s->excluded));
    }
}

/* The kernel makes everybody wait who has something for audit. */
static void note_backlog(struct sensor *s, int r)
{
    bool full = r == -EAGAIN || r == -ETIMEDOUT;

    if (full && !s->backlog_full)
        log_warn(s->options.log, "audit's backlog is full: its owner %s (pid %u) does not read what it gets; the kernel holds up programs, and loses records",
                 s->session.owner_name[0] ? s->session.owner_name : "", s->session.owner_pid);
    else if (!full && s->backlog_full)
        log_message(s->options.log, LOG_LEVEL_INFO, "audit's kernel side answers again");
    s->backlog_full = full;
}

static void check_session(struct sensor *s)
{
    struct err err = ERR_INIT;
    struct audit_session_changes changes;
    int r;

    if (s->options.alone && !s->session.owner) /* it is being left: who has audit now is said with that */
        return;
    r = audit_session_check(&s->session, &changes, &err);
    note_backlog(s, r);
    if (r == -EAGAIN || r == -ETIMEDOUT)
        return; /* as before, as far as we know; what was lost is counted with the next answer */
    if (r < 0)
        log_warn(s->options.log, "audit: %s", err_text(&err, r));
    if (changes.lost)
        audit_emit_gap(s, LOST_AUDIT_KERNEL, changes.lost, "the kernel lost audit records (backlog, rate limit)");
    if (changes.off) {
        audit_emit_gap(s, LOST_WATCH_WINDOW, 0, "somebody switched audit off");
        s->next_look_ms = 0;
    }
    if (changes.moved) {
        audit_exclude_records(s, false);
        audit_emit_gap(s, LOST_WATCH_WINDOW, 0, "another program took audit's stream");
        if (!s->options.alone) /* else it is left, which is said */
            log_warn(s->options.log, "audit belongs to %s (pid %u) now: reading beside it",
                     s->session.owner_name, s->session.owner_pid);
    }
    if (changes.taken) {
        audit_exclude_records(s, true);
        log_message(s->options.log, LOG_LEVEL_INFO, "audit's stream belongs to nobody any more: taken");
    }
    s->gap_from_ns = clock_ns(CLOCK_REALTIME);
}

int audit_window(struct sensor *s, bool on, struct err *err)
{
    struct audit_place everywhere = { .wide = true,
                                      .permissions = PERMISSION_WRITE | PERMISSION_ATTR };
    int r = 0;

    if (on && !s->window_rules)
        r = audit_rules_add(s->rules, &everywhere, &s->window_rules, err);
    else if (!on)
        audit_rules_remove(s->rules, TAKE_PTR(s->window_rules));
    if (r == 0)
        s->window = on;
    if (r == 0 && on)
        s->window_boot_ns = clock_ns(CLOCK_BOOTTIME);
    return r;
}

/* What was at this container's path before its last restart; NULL: nothing that we watched. */
static struct audit_object *life_before(struct sensor *s, const struct audit_object *o)
{
    for (struct audit_object *old = s->objects; old; old = old->next)
        if (old != o && !old->unwatched && !old->tombstone_until_ms && old->wanted.group == o->wanted.group &&
            old->wanted.view == o->wanted.view && old->wanted.ns_pid && old->wanted.ns_pid != o->wanted.ns_pid)
            return old;
    return NULL;
}

void audit_check_start(struct sensor *s, const struct audit_object *o)
{
    const uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    struct audit_object *old = o->wanted.ns_pid ? life_before(s, o) : NULL;
    uint64_t start_ns = old ? proc_stat_start_ticks("/proc", o->wanted.ns_pid) * tick_ns : 0;

    if (!start_ns || (s->window && s->window_boot_ns <= start_ns + tick_ns))
        return;
    /* where the mount is the same one, the rules are still there, and saw all */
    if (audit_rules_look(s->rules) < 0 || !audit_rule_set_is_missing(old->rules))
        return;
    s->gap_from_ns = clock_ns(CLOCK_REALTIME) - (clock_ns(CLOCK_BOOTTIME) - start_ns);
    audit_emit_object_gap(s, o, LOST_WATCH_WINDOW, "a container had started again before culprit saw that it had stopped");
}

/* Rules that somebody deleted are placed again; what happened meanwhile is not known. */
static void check_rules(struct sensor *s, uint64_t now)
{
    uint64_t from_ns = s->rules_loaded_ns;
    struct err err = ERR_INIT;
    bool blind = false;

    s->next_look_ms = now + AUDIT_LOOK_MS;
    s->rules_loaded_ns = clock_ns(CLOCK_REALTIME);
    if (audit_rules_look(s->rules) <= 0)
        return;
    for (struct audit_object *o = s->objects; o; o = o->next) {
        if (o->tombstone_until_ms || o->gone ||
            !(audit_rule_set_is_missing(o->rules) || audit_rule_set_is_missing(o->name_rules)))
            continue;
        /* the kernel itself drops the rules of a directory that is gone */
        if (watched_is_stale(&o->watched, &audit_object_ops)) {
            audit_place_again(s, o);
            continue;
        }
        if (o->gone) /* its namespace went, and the rules with it: found by looking */
            continue;
        if (watched_place(&o->watched, &audit_object_ops, s->rules, &err) < 0)
            log_debug(s->options.log, "audit: placing rules again: %s", err_text(&err, -EIO));
        blind |= !o->gone;
    }
    if (audit_rule_set_is_missing(s->pathless_rules)) {
        blind = true;
        audit_rules_remove(s->rules, TAKE_PTR(s->pathless_rules));
        (void)audit_rules_add_pathless(s->rules, s->permissions, &s->pathless_rules, NULL);
        audit_rewalk(s); /* changed flags are found by what they were */
    }
    if (audit_rule_set_is_missing(s->window_rules)) {
        blind = true;
        (void)audit_window(s, false, NULL);
        (void)audit_window(s, true, NULL);
    }
    if (audit_rule_set_is_missing(s->excluded)) {
        audit_exclude_records(s, false);
        audit_exclude_records(s, true);
    }
    if (!blind)
        return;
    s->gap_from_ns = from_ns;
    audit_emit_gap(s, LOST_WATCH_WINDOW, 0, "somebody deleted the audit rules of the watch");
    log_warn(s->options.log, "somebody deleted the audit rules of the watch: placed again");
}

static void bury_tombstones(struct sensor *s, uint64_t now)
{
    struct audit_object **at = &s->objects;

    while (*at) {
        struct audit_object *o = *at;

        if (!watched_is_over(&o->watched, now)) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        audit_object_free(o, NULL);
    }
}

void audit_upkeep(struct sensor *s)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC);

    while (s->replay && !s->replaying) {
        s->replay = false;
        audit_handle_startup(s);
    }
    if (!s->window)
        startup_buffer_clear(s->startup);
    if (now < s->next_tick_ms)
        return;
    s->next_tick_ms = now + TICK_MS;
    bury_tombstones(s, now);
    for (struct audit_object *o = s->objects; o; o = o->next) {
        audit_object_refresh(o);
        if (watched_is_stale(&o->watched, &audit_object_ops))
            audit_place_again(s, o);
    }
    emit_losses(s);
    if (now >= s->next_check_ms) {
        s->next_check_ms = now + CHECK_MS;
        check_session(s);
    }
    if (now >= s->next_look_ms)
        check_rules(s, now);
}
