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

#include <utlist.h>

#include "sensor/audit/audit_state.h"
#include "sensor/audit/facts_read.h"
#include "sensor/audit/flags.h"
#include "sensor/audit/handle.h"
#include "sensor/audit/refresh.h"
#include "sensor/audit/upkeep.h"
#include "util/clock.h"
#define DEFAULT_STATE_DIR "/run/culprit"
#define TARGETS 50           /* each is a dozen rules, and a rule is waited for */
#define BATCH 4096           /* messages before the rest of the loop has its turn */
#define EXPIRE_MS 500        /* an event's records follow each other at once */
#define LAGS_MS 300          /* the stream still brings something: its end is yet to come */

#define CAPABILITIES                                                                               \
    (CAPABILITY_NAMES | CAPABILITY_CONTENTS | CAPABILITY_METADATA | CAPABILITY_READS |             \
     CAPABILITY_EXECUTIONS | CAPABILITY_MOUNTS | CAPABILITY_REFUSED | CAPABILITY_CREDENTIALS |     \
     CAPABILITY_ACTOR_EXITED | CAPABILITY_BEFORE_AFTER | CAPABILITY_RESTART | \
     CAPABILITY_FLAGS | CAPABILITY_ROUTE)

static void on_message(void *data, uint16_t type, const char *payload, size_t len)
{
    struct sensor *s = data;
    struct audit_record record;

    while (len > 0 && (payload[len - 1] == '\0' || payload[len - 1] == '\n'))
        len--;
    if (type == AUDIT_REPLACE) {
        s->asked_for = true; /* not here: the stream is being read */
        return;
    }
    if (audit_record_parse_payload(type, (struct bytes){ payload, len }, &record, NULL) < 0) {
        if (type >= AUDIT_FIRST_USER_MSG)
            s->lost_records++;
        return;
    }
    if (audit_grouper_add(s->grouper, &record, clock_ms(CLOCK_MONOTONIC)) < 0)
        s->lost_records++;
}

static void give_way(struct sensor *s, const char *why)
{
    if (!s->session.owner || audit_session_yield(&s->session, NULL) < 0)
        return;
    audit_exclude_records(s, false); /* the other one wants them all */
    if (!s->options.alone) /* else it is left, which is said */
        log_warn(s->options.log, "%s; reading beside it", why);
}

static int receive(struct sensor *s, unsigned max)
{
    int r = audit_session_receive(&s->session, max, on_message, s);

    if (r == -ENOBUFS) {
        audit_emit_gap(s, LOST_AUDIT_SOCKET, 0, "audit records came faster than they were read");
        r = 1;
    }
    if (audit_session_is_awaited(&s->session))
        give_way(s, "auditd starts: it gets audit's stream");
    else if (s->asked_for)
        give_way(s, "another program asked for audit's stream");
    s->asked_for = false;
    return r;
}

static int refuse_sharing(const struct sensor *s, struct err *err)
{
    char whose[64];

    audit_session_taken_by(&s->session, whose, sizeof(whose));
    return err_say(err, -EBUSY, "audit was given to %s, where every change would end up too",
                   whose[0] ? whose : "another program that asked for it");
}

static int audit_dispatch(struct sensor *s, struct err *err)
{
    int r = receive(s, BATCH);

    audit_grouper_expire(s->grouper, clock_ms(CLOCK_MONOTONIC), EXPIRE_MS);
    if (r == 0 || r == -EAGAIN) /* the stream is empty */
        audit_handle_flags(s);
    audit_upkeep(s);
    if (s->options.alone && !s->session.owner)
        return refuse_sharing(s, err);
    return r < 0 && r != -EAGAIN ? err_set(err, r, "audit stream") : 0;
}

static int audit_sync(struct sensor *s, unsigned timeout_ms, struct err *err)
{
    static unsigned number; /* of the process, not of the sensor: a mark of one that was closed may still be in the stream */
    uint64_t deadline = clock_ms(CLOCK_MONOTONIC) + timeout_ms, progress_ms = 0;
    bool all;
    int r;

    snprintf(s->mark, sizeof(s->mark), "culprit-sync-%d-%u", getpid(), ++number);
    s->mark_seen = false;
    r = audit_session_mark(&s->session, s->mark);
    if (r < 0)
        return err_set(err, r, "marking the stream");
    while (!s->mark_seen && clock_ms(CLOCK_MONOTONIC) < deadline) {
        struct pollfd pollfd = { .fd = s->session.poll_fd, .events = POLLIN };

        if (poll(&pollfd, 1, 10) > 0)
            progress_ms = clock_ms(CLOCK_MONOTONIC);
        (void)receive(s, BATCH);
        audit_grouper_expire(s->grouper, clock_ms(CLOCK_MONOTONIC), EXPIRE_MS);
    }
    audit_grouper_expire(s->grouper, clock_ms(CLOCK_MONOTONIC), 0);
    all = audit_handle_flags_until(s, deadline);
    s->next_tick_ms = s->next_check_ms = s->next_look_ms = 0; /* nobody looks after this */
    audit_upkeep(s);
    if (s->mark_seen && !all)
        return err_say(err, -EAGAIN, "not all changed flags were looked for in %u ms", timeout_ms);
    if (s->mark_seen)
        return 0;
    r = clock_ms(CLOCK_MONOTONIC) - progress_ms < LAGS_MS ? -EAGAIN : -ETIMEDOUT;
    return err_say(err, r, "audit's stream did not come to its end in %u ms", timeout_ms);
}

/* ---- what is watched ---- */

static int by_view(const struct audit_object *a, const struct audit_object *b)
{
    return watched_by_view(&a->watched, &b->watched);
}

static int audit_watch(struct sensor *s, const struct watch_object *wanted, struct err *err)
{
    struct audit_object *o;
    int r = audit_object_new(wanted, &o, err);

    if (r < 0)
        return r;
    r = watched_place(&o->watched, &audit_object_ops, s->rules, err);
    if (r < 0) {
        audit_object_free(o, s->rules);
        return r;
    }
    tree_log(o->tree, s->options.log, "audit", o->wanted.path);
    audit_check_start(s, o);
    LL_INSERT_INORDER(s->objects, o, by_view);
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
        watched_bury(&o->watched, &audit_object_ops, s->rules, clock_ms(CLOCK_MONOTONIC) + AUDIT_TOMBSTONE_MS);
        o->unwatched = true;
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

static void audit_recover(const char *wanted, const struct log *log, struct sbuf *said)
{
    static const struct {
        unsigned setting;
        const char *text;
    } rows[] = { { AUDIT_STATUS_ENABLED, "auditing switched on" },
                 { AUDIT_STATUS_BACKLOG_LIMIT, "another backlog limit of audit" },
                 { AUDIT_STATUS_RATE_LIMIT, "no rate limit of audit" } };
    struct audit_left left;

    if (audit_session_recover(state_dir(wanted), log, &left) < 0)
        return;
    if (left.rules)
        sbuf_addf(said, "%s%u audit rule%s", said->len ? ", " : "", left.rules, left.rules == 1 ? "" : "s");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (left.settings & rows[i].setting)
            sbuf_addf(said, "%s%s", said->len ? ", " : "", rows[i].text);
}

static void audit_close(struct sensor *s)
{
    if (!s)
        return;
    audit_rules_withdraw(s->rules);
    while (s->objects) {
        struct audit_object *o = s->objects;

        s->objects = o->next;
        audit_object_free(o, s->rules);
    }
    audit_rules_free(s->rules);
    audit_session_close(&s->session);
    audit_grouper_free(s->grouper);
    audit_scratch_done(&s->scratch);
    startup_buffer_free(s->startup);
    audit_flags_done(s);
    free(s);
}

static int audit_open(const struct sensor_options *options, struct sensor **ret, struct err *err)
{
    struct audit_grouper_options grouping = { .copy = true, .group = audit_handle_group };
    struct sensor *s = calloc(1, sizeof(*s));
    struct timespec jiffy;
    int r;

    if (!s)
        return err_set(err, -ENOMEM, "audit");
    s->options = *options;
    s->session.fd = -EBADF;
    grouping.data = s;
    s->grouper = audit_grouper_new(&grouping);
    s->startup = startup_buffer_new(LIMIT_AUDIT_STARTUP);
    clock_getres(CLOCK_REALTIME_COARSE, &jiffy);
    s->jiffy_ns = (uint64_t)jiffy.tv_nsec;
    (void)gethostname(s->host, sizeof(s->host) - 1);
    r = s->grouper && s->startup ? 0 : err_set(err, -ENOMEM, "audit");
    if (r == 0)
        r = audit_session_open(&s->session, options->log, state_dir(options->state_dir), options->alone, err);
    if (r == 0)
        r = audit_rules_new(s->session.fd, &s->rules, err);
    s->opened_ms = clock_ns(CLOCK_REALTIME) / NS_PER_MS;
    if (r < 0) {
        audit_close(s);
        return r;
    }
    s->gap_from_ns = s->rules_loaded_ns = clock_ns(CLOCK_REALTIME);
    s->next_look_ms = clock_ms(CLOCK_MONOTONIC) + AUDIT_LOOK_MS;
    audit_exclude_records(s, true);
    write_not_seen(s);
    *ret = s;
    return 0;
}

static int audit_probe(struct sensor_capabilities *ret, struct err *err)
{
    struct audit_session session;
    struct err why = ERR_INIT;
    int r = audit_session_probe(DEFAULT_STATE_DIR, &session, &why);

    *ret = (struct sensor_capabilities){ .has = CAPABILITIES, .cost = 700, .targets = TARGETS };
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
    audit_session_taken_by(&session, ret->taken_by, sizeof(ret->taken_by));
    if (session.owner)
        snprintf(ret->state, sizeof(ret->state), "free: culprit reads the stream itself%s",
                 audit_session_is_heard_now() ? "; the journal, or what else listens to audit, gets the records of its rules too" : "");
    else
        snprintf(ret->state, sizeof(ret->state), "owned by %s (pid %u): reading beside it; if it stops reading, a start may wait for a minute",
                 session.owner_name, session.owner_pid);
    return 0;
}

static int audit_fd(const struct sensor *s)
{
    return s->session.poll_fd;
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
    .recover = audit_recover,
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
