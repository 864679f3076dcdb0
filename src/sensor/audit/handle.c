/* SPDX-License-Identifier: MIT */
/* A group of records becomes events of the objects that it concerns. */
#include "sensor/audit/handle.h"

#include <linux/audit.h>
#include <stdio.h>
#include <string.h>

#include "event/operation.h"
#include "sensor/audit/audit_state.h"
#include "sensor/audit/apply.h"
#include "sensor/audit/change_event.h"
#include "sensor/audit/describe.h"
#include "sensor/audit/facts_read.h"
#include "sensor/audit/flags.h"
#include "sensor/audit/meaning.h"
#include "sensor/audit/refresh.h"
#include "util/clock.h"

#define REWALK_MS 1000
#define EVENTS_MAX AUDIT_FLAGS_EVENTS_MAX

struct made_event {
    struct event *event;
    uint32_t group;
    unsigned change;
};

static void fill(const struct sensor *s, const struct audit_facts *f, unsigned index, struct event *e)
{
    uint64_t real = clock_ns(CLOCK_REALTIME), boot = clock_ns(CLOCK_BOOTTIME);

    audit_event_id(bytes_of(s->host), f->time_ms, f->serial, index, e->id);
    audit_describe(f, e);
    e->sensors = SENSOR_AUDIT;
    /* the stamp is that of the last timer tick: the process may be younger than that */
    e->boot_ns = e->time_ns + s->jiffy_ns - (real - boot);
}

/* Whose call it was follows from the time alone, or not even from that. */
static void doubt_actor(enum audit_match match, struct event *e)
{
    if (match == AUDIT_MATCH_NAMED)
        return;
    e->actor_inferred = true;
    if (match == AUDIT_MATCH_TIMELY)
        return;
    e->actor_presumed = true;
    e->actor = (struct actor){ 0 };
    e->note = bytes_of("whose call it was does not follow from the records");
}

static void send(struct sensor *s, struct event *e, unsigned index, enum audit_match match)
{
    fill(s, &s->facts, index, e);
    doubt_actor(match, e);
    s->options.sink.event(s->options.sink.data, e);
}

static bool was_made(const struct made_event *made, unsigned count, uint32_t group, unsigned change)
{
    for (unsigned i = 0; i < count; i++)
        if (made[i].group == group && made[i].change == change)
            return true;
    return false;
}

static unsigned make_events(struct sensor *s, const struct audit_change *changes, unsigned count,
                            struct made_event *made)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned permission = operation_info(changes[i].operation)->permission;

        for (struct audit_object *o = s->objects; o && n < EVENTS_MAX; o = o->next) {
            bool here;
            struct event *e;

            if (o->unwatched || (s->replaying && !o->fresh) || !(o->wanted.permissions & permission) ||
                (o->tombstone_until_ms && s->facts.time_ms > o->tombstone_since_ms) || was_made(made, n, o->wanted.group, i))
                continue;
            e = audit_change_event(o, &s->facts, &changes[i], &here);
            if (e && e->arena.failed) {
                event_free(e);
                e = NULL;
            }
            if (here && !e) /* no memory */
                s->lost_paths++;
            if (!e)
                continue;
            made[n++] = (struct made_event){ e, o->wanted.group, i };
        }
    }
    return n;
}

/* One of flags is kept until it is decided whose it is. */
static void keep_found(struct sensor *s, struct audit_flags_search *search, struct audit_change *c)
{
    struct made_event made[EVENTS_MAX];
    struct event *events[EVENTS_MAX];
    unsigned n = make_events(s, c, 1, made);

    for (struct audit_object *o = s->objects; o; o = o->next)
        audit_apply(o, &s->facts, c, 1);
    for (unsigned i = 0; i < n; i++)
        events[i] = made[i].event;
    if (audit_flags_found(search, c, events, n))
        return;
    for (unsigned i = 0; i < n; i++)
        send(s, events[i], 0, AUDIT_MATCH_UNSURE);
}

/* The call says of which file it was; or all that differs is found, and whose it was is seen later. */
static void complete_flags(struct sensor *s, struct audit_change *c, bool is_known)
{
    struct audit_facts call;
    struct audit_flags_search search;
    struct audit_change found;

    if (s->replaying || audit_flags_is_certain(s, c, is_known))
        return;
    call = s->facts;
    audit_flags_begin(s, &search);
    while (audit_flags_next(&search, &found))
        keep_found(s, &search, &found);
    s->facts = call;
    audit_flags_end(&search, c, is_known);
}

static bool mentioned(const struct sensor *s)
{
    for (const struct audit_object *o = s->objects; o; o = o->next)
        if (audit_mentions(o, &s->facts))
            return true;
    return false;
}

static void complete(struct sensor *s, struct audit_change *changes, unsigned count)
{
    bool files;

    if (changes[0].fd >= 0 && changes[0].error && !changes[0].object)
        return; /* which file it was is known by what changed, and nothing did */
    files = audit_complete_files(&s->facts, changes, count, &s->completion);
    for (struct audit_object *o = s->objects; o && s->facts.route == ROUTE_IO_URING; o = o->next)
        audit_complete_names(o, changes, count, &s->completion);
    if (changes[0].operation == OPERATION_SETFLAGS)
        complete_flags(s, &changes[0], files);
}

/* True if some object has it. */
static bool handle(struct sensor *s, struct audit_change *changes, unsigned count,
                   enum audit_key key)
{
    struct made_event made[EVENTS_MAX];
    unsigned n, wanted = 0;

    complete(s, changes, count);
    n = make_events(s, changes, count, made);
    for (unsigned i = 0; i < count; i++)
        wanted |= operation_info(changes[i].operation)->permission & s->permissions;
    if (n == 0 && key == AUDIT_KEY_EXACT && wanted && !mentioned(s)) {
        if (clock_ms(CLOCK_MONOTONIC) >= s->next_rewalk_ms) { /* who is invisible to audit may have made directories */
            s->next_rewalk_ms = clock_ms(CLOCK_MONOTONIC) + REWALK_MS;
            audit_rewalk(s);
        }
        n = make_events(s, changes, count, made);
        if (n == 0 && !mentioned(s))
            s->lost_paths++;
    }
    /* what is replayed is older than what the indexes have learnt since */
    for (struct audit_object *o = s->objects; o && !s->replaying; o = o->next)
        audit_apply(o, &s->facts, changes, count);
    for (struct audit_object *o = s->objects; o; o = o->next)
        if ((o->needs_recheck || (o->path_kind == AUDIT_PATH_ABSENT && key != AUDIT_KEY_EXACT)) &&
            watched_is_stale(&o->watched, &audit_object_ops))
            audit_place_again(s, o);
    /* last: the receiver may add and remove objects */
    for (unsigned i = 0; i < n; i++)
        send(s, made[i].event, made[i].change, changes[made[i].change].match);
    return n > 0;
}

static void handle_flags(struct sensor *s, bool now)
{
    struct audit_flags_search search;
    struct audit_change found;

    if (audit_flags_find(s, now, &search, &found))
        keep_found(s, &search, &found);
}

static void send_flags(struct sensor *s, bool now)
{
    struct event *events[EVENTS_MAX];
    enum audit_match match;
    unsigned n;

    while (audit_flags_take(s, now, events, &n, &match))
        for (unsigned i = 0; i < n; i++)
            send(s, events[i], 0, match);
}

void audit_handle_flags(struct sensor *s)
{
    handle_flags(s, false);
    send_flags(s, false);
}

bool audit_handle_flags_until(struct sensor *s, uint64_t until_ms)
{
    do
        handle_flags(s, true);
    while (s->flags.due_ms && clock_ms(CLOCK_MONOTONIC) < until_ms);
    send_flags(s, true);
    return !s->flags.due_ms;
}

static bool read_group(struct sensor *s, const struct audit_group *group)
{
    if (audit_facts_read(group, &s->scratch, &s->facts) < 0) {
        s->lost_records++;
        return false;
    }
    return true;
}

static void on_other_record(struct sensor *s, const struct audit_group *group)
{
    const struct audit_record *mark = audit_group_find(group, AUDIT_MARK_TYPE);

    if (mark && s->mark[0] && memmem(mark->body.data, mark->body.len, s->mark, strlen(s->mark)))
        s->mark_seen = true;
}

/* A rule of ours is gone: its directory is, or somebody deleted it. Alone, or with the system call that asked. */
static void on_config_change(struct sensor *s)
{
    if (!bytes_equal_str(s->facts.config_op, "remove_rule") ||
        audit_rules_key(s->rules, s->facts.config_key) == AUDIT_KEY_FOREIGN)
        return;
    audit_look_soon(s);
    for (struct audit_object *o = s->objects; o; o = o->next)
        if ((o->rules && audit_rule_set_has_key(o->rules, s->facts.config_key)) ||
            (o->name_rules && audit_rule_set_has_key(o->name_rules, s->facts.config_key)))
            o->needs_recheck = true;
}

void audit_handle_group(void *data, const struct audit_group *group)
{
    struct sensor *s = data;
    struct audit_facts *f = &s->facts;
    struct audit_change changes[AUDIT_CHANGES_MAX];
    enum audit_key key;
    unsigned count;
    bool made;

    if (!read_group(s, group))
        return;
    if (f->config_change)
        on_config_change(s);
    if (!f->has_syscall) {
        /* paths, and not the call's own record: who did what is not known. (Of a call from before we listened we have
         * the end only.) */
        s->lost_records += f->path_count > 0 && f->time_ms > s->opened_ms;
        on_other_record(s, group);
        return;
    }
    if (f->pid == s->options.self)
        return;
    key = audit_rules_key(s->rules, f->key);
    if (key != AUDIT_KEY_FOREIGN && (f->damaged || (!f->complete && f->path_count < f->items)))
        s->lost_records++;
    count = audit_meaning(f, changes);
    if (count == 0)
        return;
    made = handle(s, changes, count, key);
    audit_flags_keep(s, group);
    if (made || !s->window)
        return;
    /* whatever its key: a record has one, and that may be of somebody's rule that catches as much as ours */
    audit_startup_add(s->startup, group, clock_ms(CLOCK_MONOTONIC));
}

static bool claim(void *data, const struct audit_group *group)
{
    struct sensor *s = data;
    struct audit_change changes[AUDIT_CHANGES_MAX];
    unsigned count;

    if (!read_group(s, group))
        return true;
    count = audit_meaning(&s->facts, changes);
    return count == 0 || handle(s, changes, count, AUDIT_KEY_FOREIGN);
}

void audit_handle_startup(struct sensor *s)
{
    s->lost_startup += startup_buffer_take_lost(s->startup, clock_ms(CLOCK_MONOTONIC));
    s->replaying = true;
    audit_startup_replay(s->startup, claim, s);
    s->replaying = false;
    if (s->replay) /* emitting brought a notification of another container: once more, for its objects */
        return;
    for (struct audit_object *o = s->objects; o; o = o->next)
        o->fresh = false;
}
