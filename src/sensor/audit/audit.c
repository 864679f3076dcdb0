/* SPDX-License-Identifier: MIT */
#include "sensor/audit/audit.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/audit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/audit/complete.h"
#include "sensor/audit/held.h"
#include "sensor/audit/object.h"
#include "sensor/audit/session.h"
#include "sensor/audit/tell.h"

#define DEFAULT_STATE_DIR "/run/culprit"
#define BATCH 4096           /* messages before the rest of the loop has its turn */
#define EXPIRE_MS 500        /* an event's records follow each other at once */
#define TICK_MS 100
#define LAGS_MS 300          /* the stream still brings something: its end is yet to come */
#define CHECK_MS 1000
#define LOOK_MS 10000        /* a removal whose record was kept from us is noticed by then */
#define SETTLE_MS 100        /* whoever deletes rules deletes many */
#define REWALK_MS 1000
#define FLAGS_MS 500
#define GHOST_MS 2000
#define TOLD_MAX 16
#define MARK_TYPE 1121       /* AUDIT_TRUSTED_APP */

#define CAPABILITIES                                                                               \
    (CAPABILITY_NAMES | CAPABILITY_CONTENTS | CAPABILITY_METADATA | CAPABILITY_READS |             \
     CAPABILITY_EXECUTIONS | CAPABILITY_MOUNTS | CAPABILITY_REFUSED | CAPABILITY_CREDENTIALS |     \
     CAPABILITY_ACTOR_EXITED | CAPABILITY_BEFORE_AFTER | CAPABILITY_RESTART | \
     CAPABILITY_FLAGS | CAPABILITY_ROUTE)

struct told {
    struct event *event;
    uint32_t group;
    unsigned change;
};

struct sensor {
    struct sensor_options options;
    struct audit_session session;
    struct audit_rules *rules;
    struct audit_grouper *grouper;
    struct audit_scratch scratch;
    struct audit_facts facts;
    struct audit_object *objects; /* by view: the nearest to the victim first */
    struct audit_rule_set *pathless_rules, *window_rules, *excluded;
    unsigned permissions;         /* of all objects together */
    struct audit_held *held;
    bool window, replay, replaying;
    struct audit_completion completion;
    uint64_t next_tick_ms, next_check_ms, next_rewalk_ms, next_flags_ms;
    uint64_t lost_paths, lost_records, lost_held; /* since the last tick */
    uint64_t gap_from_ns;
    uint64_t next_look_ms, rules_stood_ns; /* our rules in the kernel: the next look, the last good one */
    uint64_t jiffy_ns;
    char mark[64];
    bool mark_seen;
    char not_seen[256];
    char host[256];
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t now_ms(void)
{
    return now_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}

/* ---- gaps ---- */

static void tell_gap(struct sensor *s, enum lost reason, uint64_t count, const char *text)
{
    struct gap gap = { .reason = reason,
                       .count = count,
                       .from_ns = s->gap_from_ns,
                       .to_ns = now_ns(CLOCK_REALTIME),
                       .sensor = SENSOR_AUDIT };

    snprintf(gap.text, sizeof(gap.text), "%s", text);
    s->options.sink.gap(s->options.sink.data, &gap);
}

static void tell_losses(struct sensor *s)
{
    if (s->lost_paths)
        tell_gap(s, LOST_PATH, s->lost_paths, "changes whose path could not be found");
    if (s->lost_records)
        tell_gap(s, LOST_AUDIT_DAMAGED, s->lost_records, "audit events without all their records");
    if (s->lost_held)
        tell_gap(s, LOST_WATCH_WINDOW, s->lost_held, "changes while a container was starting");
    s->lost_paths = s->lost_records = s->lost_held = 0;
}

/* ---- one event ---- */

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3ull; /* FNV-1a */
    return h;
}

/* The same record read twice, live or from a log, is the same event. */
static void set_id(const struct sensor *s, const struct audit_facts *f, unsigned index,
                   uint8_t id[16])
{
    uint64_t parts[3] = { f->time_ms, f->serial, index }, half[2] = { 0xcbf29ce484222325ull,
                                                                      0x9e3779b97f4a7c15ull };

    for (int i = 0; i < 2; i++) {
        half[i] = mix(half[i], s->host, strlen(s->host));
        half[i] = mix(half[i], parts, sizeof(parts));
    }
    memcpy(id, half, sizeof(half));
}

static void fill(const struct sensor *s, const struct audit_facts *f, unsigned index,
                 struct event *e)
{
    uint64_t real = now_ns(CLOCK_REALTIME), boot = now_ns(CLOCK_BOOTTIME);

    set_id(s, f, index, e->id);
    e->sensors = SENSOR_AUDIT;
    e->time_ns = f->time_ms * NS_PER_MS;
    /* the stamp is that of the last timer tick: the process may be younger than that */
    e->boot_ns = e->time_ns + s->jiffy_ns - (real - boot);
    e->route = f->route;
    if (f->route == ROUTE_SYSCALL) {
        e->syscall_arch = f->arch;
        e->syscall = f->number;
    }
    e->actor.pid = f->pid;
    e->actor.parent_pid = f->parent_pid;
    e->actor.cred = f->cred;
    e->actor.login_uid = f->login_uid;
    e->actor.session = f->session;
    event_set(e, &e->actor.executable, f->executable);
    event_set(e, &e->actor.name, f->name);
    event_set(e, &e->actor.args, bytes_known(f->argv) ? f->argv : f->args_text);
    event_set(e, &e->actor.working_directory, f->cwd);
    if (f->tty.len && !bytes_equal_str(f->tty, "(none)"))
        event_set(e, &e->actor.tty, f->tty);
}

static bool was_told(const struct told *told, unsigned count, uint32_t group, unsigned change)
{
    for (unsigned i = 0; i < count; i++)
        if (told[i].group == group && told[i].change == change)
            return true;
    return false;
}

/* Something else stands at the path now. What the records still tell of what stood there before is
 * found in its index, which is kept for a while. */
static void place_again(struct sensor *s, struct audit_object *o)
{
    bool was_directory = o->stand == AUDIT_STAND_DIRECTORY;
    struct audit_object *ghost = audit_object_ghost(o, now_ms() + GHOST_MS);
    struct err err = ERR_INIT;
    int r;

    if (ghost) {
        ghost->next = o->next;
        o->next = ghost;
    }
    r = audit_object_place(o, s->rules, &err);

    if (r < 0)
        log_warn(s->options.log, "audit: a watched path was replaced: %s; trying again",
                 err_text(&err, r));
    /* the name was watched meanwhile, but not what happened below a new directory */
    if (was_directory && o->stand == AUDIT_STAND_DIRECTORY && o->wanted.view != VIEW_MERGED)
        tell_gap(s, LOST_WATCH_WINDOW, 0, "a watched directory was replaced by another one");
}

static void rewalk(struct sensor *s)
{
    if (now_ms() < s->next_rewalk_ms)
        return;
    s->next_rewalk_ms = now_ms() + REWALK_MS;
    for (struct audit_object *o = s->objects; o; o = o->next)
        if (o->tree && !o->gone)
            audit_object_walk(o, tree_root(o->tree));
}

static unsigned tell_all(struct sensor *s, const struct audit_change *changes, unsigned count,
                         struct told *told)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned permission = operation_info(changes[i].operation)->permission;

        for (struct audit_object *o = s->objects; o && n < TOLD_MAX; o = o->next) {
            bool here;
            struct event *e;

            if (o->unwatched || (s->replaying && !o->fresh) || !(o->wanted.permissions & permission) || was_told(told, n, o->wanted.group, i))
                continue;
            e = audit_tell(o, &s->facts, &changes[i], &here);
            if (here && !e) /* no memory */
                s->lost_paths++;
            if (!e)
                continue;
            fill(s, &s->facts, i, e);
            told[n++] = (struct told){ e, o->wanted.group, i };
        }
    }
    return n;
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
    bool files = audit_complete_files(&s->facts, changes, count, &s->completion);

    for (struct audit_object *o = s->objects; o; o = o->next) {
        if (s->facts.route == ROUTE_IO_URING)
            audit_complete_names(o, changes, count, &s->completion);
        if (!files && changes[0].operation == OPERATION_SETFLAGS && now_ms() >= s->next_flags_ms)
            files = audit_complete_flags(o, &changes[0], &s->completion);
    }
    if (!files) /* whoever changes flags all day elsewhere must not keep us busy */
        s->next_flags_ms = now_ms() + FLAGS_MS;
}

/* True if some object has it. */
static bool handle(struct sensor *s, struct audit_change *changes, unsigned count,
                   enum audit_key key)
{
    struct told told[TOLD_MAX];
    unsigned n, wanted = 0;

    complete(s, changes, count);
    n = tell_all(s, changes, count, told);
    for (unsigned i = 0; i < count; i++)
        wanted |= operation_info(changes[i].operation)->permission & s->permissions;
    if (n == 0 && key == AUDIT_KEY_EXACT && wanted && !mentioned(s)) {
        rewalk(s); /* who is invisible to audit may have made directories */
        n = tell_all(s, changes, count, told);
        if (n == 0 && !mentioned(s))
            s->lost_paths++;
    }
    /* what is replayed is older than what the indexes have learnt since */
    for (struct audit_object *o = s->objects; o && !s->replaying; o = o->next)
        audit_apply(o, &s->facts, changes, count);
    for (struct audit_object *o = s->objects; o; o = o->next)
        if ((o->doubtful || (o->stand == AUDIT_STAND_NOTHING && key == AUDIT_KEY_WIDE)) &&
            audit_object_is_stale(o))
            place_again(s, o);
    /* last: the receiver may add and remove objects */
    for (unsigned i = 0; i < n; i++)
        s->options.sink.event(s->options.sink.data, told[i].event);
    return n > 0;
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
    const struct audit_record *mark = audit_group_find(group, MARK_TYPE);

    if (mark && s->mark[0] && memmem(mark->body.data, mark->body.len, s->mark, strlen(s->mark)))
        s->mark_seen = true;
}

/* A rule of ours is gone: its directory is, or somebody deleted it. Alone, or with the system call that asked. */
static void on_config_change(struct sensor *s)
{
    if (!bytes_equal_str(s->facts.config_op, "remove_rule") ||
        audit_rules_key(s->rules, s->facts.config_key) == AUDIT_KEY_FOREIGN)
        return;
    s->next_look_ms = MIN(s->next_look_ms, now_ms() + SETTLE_MS);
    for (struct audit_object *o = s->objects; o; o = o->next)
        if ((o->rules && audit_rule_set_has_key(o->rules, s->facts.config_key)) ||
            (o->name_rules && audit_rule_set_has_key(o->name_rules, s->facts.config_key)))
            o->doubtful = true;
}

static void on_group(void *data, const struct audit_group *group)
{
    struct sensor *s = data;
    struct audit_facts *f = &s->facts;
    struct audit_change changes[AUDIT_CHANGES_MAX];
    enum audit_key key;
    unsigned count;

    if (!read_group(s, group))
        return;
    if (f->config_change)
        on_config_change(s);
    if (!f->has_syscall) {
        on_other_record(s, group);
        return;
    }
    if (f->pid == s->options.self)
        return;
    key = audit_rules_key(s->rules, f->key);
    if (key != AUDIT_KEY_FOREIGN && (f->damaged || (!f->complete && f->path_count < f->items)))
        s->lost_records++;
    count = audit_meaning(f, changes);
    if (count == 0 || handle(s, changes, count, key) || !s->window)
        return;
    if (key == AUDIT_KEY_WIDE && !audit_held_add(s->held, group))
        s->lost_held++;
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

static void on_message(void *data, uint16_t type, const char *payload, size_t len)
{
    struct sensor *s = data;
    struct audit_record record;

    while (len > 0 && (payload[len - 1] == '\0' || payload[len - 1] == '\n'))
        len--;
    if (type == AUDIT_REPLACE) {
        if (audit_session_yield(&s->session, NULL) == 0)
            log_warn(s->options.log, "another program asked for audit's stream; reading beside it");
        return;
    }
    if (audit_record_parse_payload(type, (struct bytes){ payload, len }, &record, NULL) < 0) {
        if (type >= AUDIT_FIRST_USER_MSG)
            s->lost_records++;
        return;
    }
    audit_grouper_add(s->grouper, &record, now_ms());
}

/* ---- time ---- */

static void exclude_records(struct sensor *s, bool on)
{
    if (on && !s->excluded && s->session.owner && !s->session.others) {
        int r = audit_rules_exclude(s->rules, s->options.arguments_known, &s->excluded);

        if (r < 0)
            log_debug(s->options.log, "audit: no record types can be left out: %s", strerror(-r));
        else
            audit_grouper_ends_left_out(s->grouper, s->options.arguments_known);
    } else if (!on) {
        audit_grouper_ends_left_out(s->grouper, false);
        audit_rules_remove(s->rules, TAKE_PTR(s->excluded));
    }
}

static void check_session(struct sensor *s)
{
    struct err err = ERR_INIT;
    uint32_t lost = 0;
    bool off = false, moved = false;
    int r = audit_session_check(&s->session, &lost, &off, &moved, &err);

    if (r < 0)
        log_warn(s->options.log, "audit: %s", err_text(&err, r));
    if (lost)
        tell_gap(s, LOST_AUDIT_KERNEL, lost, "the kernel lost audit records (backlog, rate limit)");
    if (off) {
        tell_gap(s, LOST_WATCH_WINDOW, 0, "somebody switched audit off");
        s->next_look_ms = 0;
    }
    if (moved) {
        exclude_records(s, false);
        tell_gap(s, LOST_WATCH_WINDOW, 0, "another program took audit's stream");
        log_warn(s->options.log, "audit belongs to %s (pid %u) now: reading beside it",
                 s->session.owner_name, s->session.owner_pid);
    }
    s->gap_from_ns = now_ns(CLOCK_REALTIME);
}

static int audit_window(struct sensor *s, bool on, struct err *err)
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
    return r;
}

/* Rules that somebody deleted are placed again; what happened meanwhile is not known. */
static void check_rules(struct sensor *s, uint64_t now)
{
    uint64_t from_ns = s->rules_stood_ns;
    struct err err = ERR_INIT;
    bool blind = false;

    s->next_look_ms = now + LOOK_MS;
    s->rules_stood_ns = now_ns(CLOCK_REALTIME);
    if (audit_rules_look(s->rules) <= 0)
        return;
    for (struct audit_object *o = s->objects; o; o = o->next) {
        if (o->ghost_until_ms || o->gone ||
            !(audit_rule_set_is_missing(o->rules) || audit_rule_set_is_missing(o->name_rules)))
            continue;
        /* the kernel itself drops the rules of a directory that is gone */
        if (audit_object_is_stale(o)) {
            place_again(s, o);
            continue;
        }
        blind = true;
        if (audit_object_place(o, s->rules, &err) < 0)
            log_warn(s->options.log, "audit: placing rules again: %s", err_text(&err, -EIO));
    }
    if (audit_rule_set_is_missing(s->pathless_rules)) {
        blind = true;
        audit_rules_remove(s->rules, TAKE_PTR(s->pathless_rules));
        (void)audit_rules_add_pathless(s->rules, s->permissions, &s->pathless_rules, NULL);
    }
    if (audit_rule_set_is_missing(s->window_rules)) {
        blind = true;
        (void)audit_window(s, false, NULL);
        (void)audit_window(s, true, NULL);
    }
    if (audit_rule_set_is_missing(s->excluded)) {
        exclude_records(s, false);
        exclude_records(s, true);
    }
    if (!blind)
        return;
    s->gap_from_ns = from_ns;
    tell_gap(s, LOST_WATCH_WINDOW, 0, "somebody deleted the audit rules of the watch");
    log_warn(s->options.log, "somebody deleted the audit rules of the watch: placed again");
}

static void bury_ghosts(struct sensor *s, uint64_t now)
{
    struct audit_object **at = &s->objects;

    while (*at) {
        struct audit_object *o = *at;

        if (!o->ghost_until_ms || now < o->ghost_until_ms) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        audit_object_free(o, NULL);
    }
}

static void tick(struct sensor *s)
{
    uint64_t now = now_ms();

    if (s->replay && !s->replaying) {
        s->replay = false;
        s->replaying = true;
        audit_held_replay(s->held, claim, s);
        s->replaying = false;
        for (struct audit_object *o = s->objects; o; o = o->next)
            o->fresh = false;
    }
    if (!s->window)
        audit_held_clear(s->held);
    if (now < s->next_tick_ms)
        return;
    s->next_tick_ms = now + TICK_MS;
    bury_ghosts(s, now);
    for (struct audit_object *o = s->objects; o; o = o->next) {
        audit_object_refresh(o);
        if (audit_object_is_stale(o))
            place_again(s, o);
    }
    tell_losses(s);
    if (now >= s->next_check_ms) {
        s->next_check_ms = now + CHECK_MS;
        check_session(s);
    }
    if (now >= s->next_look_ms)
        check_rules(s, now);
}

static int receive(struct sensor *s, unsigned max)
{
    int r = audit_stream_receive(s->session.stream, max, on_message, s);

    if (r == -ENOBUFS) {
        tell_gap(s, LOST_AUDIT_SOCKET, 0, "audit records came faster than they were read");
        return 1;
    }
    return r;
}

static int audit_dispatch(struct sensor *s, struct err *err)
{
    int r = receive(s, BATCH);

    audit_grouper_expire(s->grouper, now_ms(), EXPIRE_MS);
    tick(s);
    return r < 0 && r != -EAGAIN ? err_set(err, r, "audit stream") : 0;
}

static int audit_sync(struct sensor *s, unsigned timeout_ms, struct err *err)
{
    static unsigned number;
    uint64_t deadline = now_ms() + timeout_ms, news_ms = 0;
    int r;

    snprintf(s->mark, sizeof(s->mark), "culprit-sync-%d-%u", getpid(), ++number);
    s->mark_seen = false;
    r = audit_session_mark(&s->session, s->mark);
    if (r < 0)
        return err_set(err, r, "marking the stream");
    while (!s->mark_seen && now_ms() < deadline) {
        struct pollfd pollfd = { .fd = audit_stream_fd(s->session.stream), .events = POLLIN };

        if (poll(&pollfd, 1, 10) > 0)
            news_ms = now_ms();
        (void)receive(s, BATCH);
        audit_grouper_expire(s->grouper, now_ms(), EXPIRE_MS);
    }
    audit_grouper_expire(s->grouper, now_ms(), 0);
    s->next_tick_ms = s->next_check_ms = 0;
    tick(s);
    return s->mark_seen ? 0 : err_say(err, now_ms() - news_ms < LAGS_MS ? -EAGAIN : -ETIMEDOUT, "audit's stream did not come to its end in %u ms", timeout_ms);
}

/* ---- what is watched ---- */

static int audit_watch(struct sensor *s, const struct watch_object *wanted, struct err *err)
{
    struct audit_object *o, **at = &s->objects;
    int r = audit_object_new(wanted, &o, err);

    if (r == 0)
        r = audit_object_place(o, s->rules, err);
    if (r < 0) {
        audit_object_free(o, s->rules);
        return r;
    }
    while (*at && (*at)->wanted.view <= wanted->view)
        at = &(*at)->next;
    o->next = *at;
    *at = o;
    s->permissions |= wanted->permissions;
    o->fresh = s->replay = true;
    if (!s->pathless_rules)
        (void)audit_rules_add_pathless(s->rules, wanted->permissions, &s->pathless_rules, NULL);
    return 0;
}

static int audit_unwatch(struct sensor *s, uint32_t object_id, struct err *err)
{
    bool found = false;

    for (struct audit_object *o = s->objects; o; o = o->next) {
        if (o->wanted.id != object_id)
            continue;
        found = true;
        /* records that are under way still belong here: nobody asks for them, but they are not lost */
        audit_object_let_go(o, s->rules, now_ms() + GHOST_MS);
    }
    return found ? 0 : err_set(err, -ENOENT, "no such watch");
}

/* ---- opening and closing ---- */

static const char *state_dir(const char *wanted)
{
    return wanted ? wanted : DEFAULT_STATE_DIR;
}

static void write_not_seen(struct sensor *s)
{
    if (s->session.blind_unknown)
        snprintf(s->not_seen, sizeof(s->not_seen),
                 "audit was enabled before by somebody else: which older processes it misses is unknown");
    else if (!s->session.owner && s->session.owner_pid)
        snprintf(s->not_seen, sizeof(s->not_seen), "what audit's owner %s (pid %u) excludes",
                 s->session.owner_name, s->session.owner_pid);
}

static void audit_close(struct sensor *s)
{
    if (!s)
        return;
    while (s->objects) {
        struct audit_object *o = s->objects;

        s->objects = o->next;
        audit_object_free(o, s->rules);
    }
    audit_rules_free(s->rules);
    audit_session_close(&s->session);
    audit_grouper_free(s->grouper);
    audit_scratch_done(&s->scratch);
    audit_held_free(s->held);
    free(s);
}

static int audit_open(const struct sensor_options *options, struct sensor **ret, struct err *err)
{
    struct audit_grouper_options grouping = { .copy = true, .group = on_group };
    struct sensor *s = calloc(1, sizeof(*s));
    struct timespec jiffy;
    int r;

    if (!s)
        return err_set(err, -ENOMEM, "audit");
    s->options = *options;
    s->session.fd = -EBADF;
    grouping.data = s;
    s->grouper = audit_grouper_new(&grouping);
    s->held = audit_held_new();
    clock_getres(CLOCK_REALTIME_COARSE, &jiffy);
    s->jiffy_ns = (uint64_t)jiffy.tv_nsec;
    (void)gethostname(s->host, sizeof(s->host) - 1);
    r = s->grouper && s->held ? 0 : err_set(err, -ENOMEM, "audit");
    if (r == 0)
        r = audit_session_open(&s->session, options->log, state_dir(options->state_dir), err);
    if (r == 0)
        r = audit_rules_new(s->session.fd, &s->rules, err);
    if (r < 0) {
        audit_close(s);
        return r;
    }
    s->gap_from_ns = s->rules_stood_ns = now_ns(CLOCK_REALTIME);
    s->next_look_ms = now_ms() + LOOK_MS;
    exclude_records(s, true);
    write_not_seen(s);
    *ret = s;
    return 0;
}

static int audit_probe(struct sensor_capabilities *ret, struct err *err)
{
    struct audit_session session;
    struct err why = ERR_INIT;
    int r = audit_session_probe(DEFAULT_STATE_DIR, &session, &why);

    *ret = (struct sensor_capabilities){ .has = CAPABILITIES, .cost = 700 };
    if (r < 0) {
        snprintf(ret->state, sizeof(ret->state), "%.250s", err_text(&why, r));
        return err_say(err, r, "%s", err_text(&why, r));
    }
    ret->works = true;
    if (session.blind_before_ns == 0 && !session.blind_unknown)
        ret->has |= CAPABILITY_OLD_PROCESSES;
    else
        snprintf(ret->advice, sizeof(ret->advice),
                 "boot with audit=1, so that processes older than auditing are seen");
    if (session.owner)
        snprintf(ret->state, sizeof(ret->state), "free: culprit reads the stream itself");
    else
        snprintf(ret->state, sizeof(ret->state), "owned by %s (pid %u): reading beside it",
                 session.owner_name, session.owner_pid);
    return 0;
}

static int audit_fd(const struct sensor *s)
{
    return audit_stream_fd(s->session.stream);
}

static const char *audit_not_seen(struct sensor *s)
{
    return s->not_seen;
}

static uint64_t audit_blind_before(const struct sensor *s)
{
    return s->session.blind_before_ns;
}

const struct sensor_ops audit_sensor_ops = {
    .name = "audit",
    .bit = SENSOR_AUDIT,
    .privileges = 1ull << CAP_AUDIT_CONTROL | 1ull << CAP_AUDIT_READ | 1ull << CAP_AUDIT_WRITE,
    .probe = audit_probe,
    .open = audit_open,
    .watch = audit_watch,
    .unwatch = audit_unwatch,
    .window = audit_window,
    .fd = audit_fd,
    .dispatch = audit_dispatch,
    .sync = audit_sync,
    .not_seen = audit_not_seen,
    .blind_before = audit_blind_before,
    .close = audit_close,
};
