/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attribution/attribution.h"
#include "attribution/share.h"
#include "daemon/blind.h"
#include "daemon/choose.h"
#include "daemon/follow.h"
#include "daemon/privileges.h"
#include "daemon/seccomp.h"
#include "event/operation.h"
#include "report/coverage.h"
#include "sensor/sensors.h"
#include "store/store.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/memory.h"
#include "util/priority.h"
#include "util/sbuf.h"
#include "watch/change.h"
#include "watch/coverage.h"
#include "watch/follow.h"
#include "watch/fuse.h"
#include "watch/watchset.h"

#define TRIM_NS (60 * NS_PER_S) /* so often unused memory goes back to the kernel */
#define TICK_MS 100          /* time-outs of sensors and the fold are checked so often */
#define FUSE_TICK_MS 25      /* while an event waits for another sensor's observation: silent for so long, all have delivered theirs */
#define BACKOFF_US 1000         /* under load: what comes in this time is read in one go, if no sensor says otherwise */
#define BUSY_WAKES 20        /* wakes without a pause between: it is a load */
#define POLL_NS NS_PER_S     /* what is waited for is looked for so often */
#define SYNC_MS 2000         /* at the end, what happened before is waited for so long at a time */
#define LEAVE_MS 500         /* a sensor that is left delivers what it saw within that */
#define FINISH_NS (60 * NS_PER_S) /* and so long in all: a storm's events are read faster than they are made */
#define ENGINE_WAIT_MS 200   /* an event of a container that is starting waits for the engine's word so long */
#define PATIENCE_MS 200      /* while events wait, an engine's answer is waited for so long */
#define EPOLL_MAX 16
#define SEEN_NS (20 * NS_PER_MS) /* the store learns so often how far everything was seen */
#define FLOWING_NS NS_PER_S       /* events come, if the last one is not older */
#define HELD_NS (100 * NS_PER_MS) /* sensors hold an event until those that belong to it have come */

enum source_kind { SOURCE_SENSOR, SOURCE_FOLLOWER, SOURCE_ENGINES, SOURCE_CALLER };

struct source {
    enum source_kind kind;
    int fd;
    void (*ready)(void *data, int fd);
    void *data;
};

struct open_sensor {
    const struct sensor_ops *ops;
    struct sensor *sensor;
    int fd; /* as it is waited for */
    char taken[256]; /* somebody else has it now: why it is to be left; "" = no */
};

struct pipeline {
    struct pipeline_options options;
    struct choice choice;
    struct open_sensor sensors[CHOICE_MAX];
    size_t sensor_count;
    struct follower *follower;
    struct engines *engines;
    struct attribution *attribution;
    struct watchset *watches;
    struct fuse *fuse;        /* NULL: one sensor is open, nothing to fold */
    struct store *store;
    struct case_ *case_;
    int epoll_fd;
    int engines_fd;           /* the one in the epoll set, -1 = none */
    struct source *sources[EPOLL_MAX];
    size_t source_count;
    uint64_t sequence;
    uint64_t coverage_id;
    bool recorded_places;     /* those that were there at the beginning */
    uint64_t from_ns;
    uint64_t next_poll_ns;
    uint64_t next_seen_ns, next_trim_ns;
    bool raised;            /* the priority of this thread, and of those that were started before the store's */
    uint64_t newest_event_ns;     /* of what was handed out */
    uint64_t last_event_ns;       /* CLOCK_REALTIME: when it was */
    uint64_t last_engine_wait_ns;
    bool stop;
};

static int add_source(struct pipeline *p, enum source_kind kind, int fd,
                      void (*ready)(void *, int), void *data, struct err *err)
{
    struct epoll_event event = { .events = EPOLLIN };
    struct source *s;

    if (fd < 0)
        return 0;
    if (p->source_count == EPOLL_MAX)
        return err_set(err, -E2BIG, "event sources");
    s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, -ENOMEM, "event sources");
    *s = (struct source){ kind, fd, ready, data };
    event.data.ptr = s;
    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int r = -errno;

        free(s);
        return err_set(err, r, "epoll");
    }
    p->sources[p->source_count++] = s;
    return 0;
}

/* ---- what comes in ---- */

static void on_process(void *data, const struct process_event *event)
{
    struct pipeline *p = data;

    attribution_process_event(p->attribution, event);
}

static void on_gap(void *data, const struct gap *gap)
{
    struct pipeline *p = data;

    if (gap->reason == LOST_PROCESS_EVENTS)
        attribution_recheck(p->attribution);
    if (p->case_)
        (void)case_add_gap(p->case_, gap);
    if (p->store)
        (void)store_add_gap(p->store, gap);
    if (p->options.gap)
        p->options.gap(p->options.data, gap);
}

/* All observations of the change are in: find the actor, and emit the event. */
/* What our own reader opens: it changes nothing, so that only a watch of reads sees it. */
static bool is_own_read(const struct event *e)
{
    const struct process *p = e->actor.process;

    return foreign_is_ours(e->actor.pid, p ? p->parent_pid : e->actor.parent_pid);
}

static void deliver(void *data, struct event *event)
{
    struct pipeline *p = data;
    enum filter_result result;

    if (p->follower && !attribution_knows(p->attribution, event))
        follower_dispatch(p->follower);
    attribution_event(p->attribution, event);
    attribution_share(p->attribution, event);
    if (is_own_read(event)) {
        event_free(event);
        return;
    }
    event->sequence = ++p->sequence;
    p->newest_event_ns = MAX(p->newest_event_ns, event->time_ns);
    p->last_event_ns = clock_ns(CLOCK_REALTIME);
    result = p->options.filter ? filter_event(p->options.filter, event) : FILTER_MATCHES;
    if (p->case_ && result == FILTER_MATCHES)
        (void)case_add_event(p->case_, event);
    else if (p->case_)
        case_leave_out_event(p->case_, result, event);
    if (p->store)
        (void)store_add_event(p->store, event);
    if (p->options.event && result == FILTER_MATCHES)
        p->options.event(p->options.data, event);
    event_free(event);
}

/* The event has left its sensor: whose file is it? */
static void on_event(void *data, struct event *event)
{
    struct pipeline *p = data;

    if (watchset_is_waiting(p->watches) &&
        clock_ns(CLOCK_MONOTONIC) - p->last_engine_wait_ns > ENGINE_WAIT_MS * NS_PER_MS) {
        /* the container is starting: what the engine says decides whose file this is, since when */
        p->last_engine_wait_ns = clock_ns(CLOCK_MONOTONIC);
        (void)engines_sync(p->engines, ENGINE_WAIT_MS, NULL);
    }
    if (!watchset_event(p->watches, event)) {
        event_free(event);
        return;
    }
    if (p->fuse)
        fuse_add(p->fuse, event, clock_ns(CLOCK_MONOTONIC));
    else
        deliver(p, event);
}

static void on_life(void *data, const struct lifecycle_event *life)
{
    struct pipeline *p = data;
    bool ours;

    if (!p->watches) /* while we start: targets are looked up after this */
        return;
    ours = watchset_concerns(p->watches, life->container);
    watchset_life(p->watches, life);
    if (!ours)
        return;
    if (p->case_)
        (void)case_add_life(p->case_, life);
    if (p->store)
        (void)store_add_life(p->store, life);
    if (p->options.life)
        p->options.life(p->options.data, life);
}

/* ---- what the watches ask for ---- */

/* Its mount namespace ended while it was looked at: nothing is watched by it. */
static bool has_ended(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* Linux 5.3 */
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    bool ended = fd < 0 ? errno == ESRCH : poll(&pollfd, 1, 0) > 0;

    if (fd >= 0)
        close(fd);
    return ended;
}

static void remove_object(void *data, uint32_t object_id)
{
    struct pipeline *p = data;

    for (size_t i = 0; i < p->sensor_count; i++)
        (void)p->sensors[i].ops->unwatch(p->sensors[i].sensor, object_id, NULL);
}

static int add_object(void *data, const struct watch_object *object, struct err *err)
{
    struct pipeline *p = data;
    int works = 0, first_error = 0;

    for (size_t i = 0; i < p->sensor_count; i++) {
        struct err why = ERR_INIT;
        int r = p->sensors[i].ops->watch(p->sensors[i].sensor, object, &why);

        if (r >= 0) {
            works++;
            continue;
        }
        if (first_error == 0) {
            first_error = r;
            err_say(err, r, "%s: %s", p->sensors[i].ops->name, err_text(&why, r));
        }
    }
    if (object->ns_pid && has_ended(object->ns_pid)) {
        remove_object(p, object->id);
        return err_say(err, -ESRCH, "the container has ended");
    }
    if (works)
        return 0;
    return first_error ? first_error : -ENODEV;
}

static void set_window(void *data, bool on)
{
    struct pipeline *p = data;

    for (size_t i = 0; i < p->sensor_count; i++) {
        struct err err = ERR_INIT;
        int r;

        if (!p->sensors[i].ops->window)
            continue;
        r = p->sensors[i].ops->window(p->sensors[i].sensor, on, &err);
        if (r < 0)
            log_warn(p->options.log, "%s: %s; the first moments of a container may be missed",
                     p->sensors[i].ops->name, err_text(&err, r));
    }
}

static void on_notice(void *data, const char *text)
{
    struct pipeline *p = data;

    if (p->options.notice)
        p->options.notice(p->options.data, text);
}

static void on_explain(void *data, enum watch_explanation why, uint64_t time_ns, uint64_t files,
                       struct bytes detail)
{
    static const enum explanation explanations[] = {
        [WATCH_RECREATED] = EXPLANATION_RECREATED,
        [WATCH_REMOVED] = EXPLANATION_REMOVED,
        [WATCH_TMPFS_EMPTIED] = EXPLANATION_TMPFS,
        [WATCH_MISSING] = EXPLANATION_BEFORE,
    };
    struct pipeline *p = data;

    if (p->case_)
        (void)case_add_explanation(p->case_, explanations[why], time_ns, files, detail);
}

/* ---- life of the pipeline ---- */

static void open_follower(struct pipeline *p)
{
    struct follower_options options = { p->options.log, p, on_process, on_gap };
    struct err err = ERR_INIT;
    int r = follower_open(&options, &p->follower, &err);

    if (r < 0) {
        log_warn(p->options.log,
                 "processes cannot be followed (%s); reading /proc, short-lived actors may stay unnamed",
                 err_text(&err, r));
        return;
    }
    (void)add_source(p, SOURCE_FOLLOWER, follower_fd(p->follower), NULL, NULL, NULL);
}

/* Before there are threads of ours: each keeps what the process has when it is started. */
static void give_away_privileges(struct pipeline *p)
{
    int r;

    p->raised = priority_raise();
    if (p->raised && !p->options.commands) /* COMMAND is in the session, and is no observer */
        (void)priority_raise_session();
    r = privileges_drop(privileges_needed(&p->choice) | p->options.keep, p->options.commands);

    if (r < 0)
        log_warn(p->options.log, "privileges that are not needed cannot be given away: %s; keeping them",
                 strerror(-r));
}

/* Also where other sensors are used: rules of a culprit that was killed slow every process down. */
static void recover(const struct pipeline_options *options)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;

    sensors_recover(options->state_dir, options->log, &said);
    if (said.len)
        log_warn(options->log, "a killed culprit had left %s; undone", sbuf_str(&said));
}

static struct choice_wish wish_of(const struct pipeline *p)
{
    return (struct choice_wish){ p->options.sensors, p->options.permissions, p->options.targets };
}

/* One of several: what only it would have seen is not seen any more. */
static void go_on_without(struct pipeline *p, const struct sensor_ops *ops, const char *why)
{
    const struct choice_wish wish = wish_of(p);

    if (!p->choice.automatic) /* else it is said with all that it means: pipeline_ready() */
        log_warn(p->options.log, "sensor %s: %s; going on without it", ops->name, why);
    choice_leave_out(&p->choice, &wish, ops, why);
}

static int open_sensors(struct pipeline *p, struct err *err)
{
    const struct choice_wish wish = wish_of(p);
    struct sensor_options options = {
        .log = p->options.log,
        .sink = { p, on_event, on_process, on_gap },
        .ring_size = p->options.ring_size,
        .self = getpid(),
        .state_dir = p->options.state_dir,
    };
    int r;

    recover(&p->options);
    r = choose_sensors(&wish, p->follower ? follower_tracker(p->follower) : NULL, &p->choice, err);
    if (r < 0)
        return r;
    give_away_privileges(p);
    r = p->follower ? follower_start(p->follower, err) : 0;
    if (r < 0)
        return r;
    for (size_t i = 0; i < p->choice.count;) {
        const struct sensor_ops *ops = p->choice.sensors[i];
        struct sensor *sensor = NULL;
        struct err why = ERR_INIT;

        options.alone = p->choice.automatic && p->choice.count > 1;
        r = ops->open(&options, &sensor, &why);
        if (r < 0 && p->choice.count == 1)
            return err_say(err, r, "sensor %s: %s", ops->name, err_text(&why, r));
        if (r < 0) {
            go_on_without(p, ops, err_text(&why, r));
            continue;
        }
        i++;
        p->sensors[p->sensor_count++] = (struct open_sensor){ .ops = ops, .sensor = sensor, .fd = ops->fd(sensor) };
        r = add_source(p, SOURCE_SENSOR, ops->fd(sensor), NULL, sensor, err);
        if (r < 0)
            return r;
    }
    if (p->choice.compromise[0])
        on_notice(p, p->choice.compromise);
    return p->sensor_count ? 0 : err_say(err, -ENODEV, "no sensor could be opened");
}

static unsigned open_sensor_bits(const struct pipeline *p)
{
    unsigned bits = 0;

    for (size_t i = 0; i < p->sensor_count; i++)
        bits |= p->sensors[i].ops->bit;
    return bits;
}

static int open_fuse(struct pipeline *p, struct err *err)
{
    struct fuse_options options = { .data = p, .event = deliver };

    options.sensors = open_sensor_bits(p);
    return p->sensor_count > 1 ? fuse_new(&options, &p->fuse, err) : 0;
}

/* One that cannot be used now is tried again: what to say of it, the store says (store_seen()). */
static void open_store(struct pipeline *p)
{
    struct store_options options = { .path = p->options.store_path, .retry = true, .log = p->options.log };
    struct err err = ERR_INIT;
    int r;

    if (p->options.no_store)
        return;
    r = store_open(&options, &p->store, &err);
    if (r < 0)
        log_warn(p->options.log, "%s; going on without the store, events are on the terminal only",
                 err_text(&err, r));
}

int pipeline_open(const struct pipeline_options *options, struct pipeline **ret, struct err *err)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    struct engines_options engines = { .log = options->log,
                                       .docker_socket = options->docker_socket,
                                       .life = on_life,
                                       .data = p };
    struct attribution_options attribution = { .log = options->log };
    struct watchset_options watches = {
        .log = options->log,
        .permissions = options->permissions,
        .writes = options->writes,
        .key = bytes_of(options->key),
        .data = p,
        .add = add_object,
        .remove = remove_object,
        .window = set_window,
        .notice = on_notice,
        .explain = on_explain,
    };
    int r;

    if (!p)
        return err_set(err, -ENOMEM, "pipeline");
    (void)foreign_start(); /* before there are threads, and before privileges are given away */
    p->options = *options;
    p->engines_fd = -1;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->case_ = options->no_case ? NULL : case_new(&options->case_options);
    r = p->epoll_fd < 0                  ? err_set(err, -errno, "epoll")
        : p->case_ || options->no_case ? 0
                                       : err_set(err, -ENOMEM, "case");
    if (r == 0) {
        open_follower(p); /* its notifications wait until they are fetched; what it can see decides on the sensors */
        r = open_sensors(p, err);
    }
    if (r == 0)
        r = open_fuse(p, err);
    if (r == 0)
        r = engines_new(&engines, &p->engines, err);
    if (r == 0) {
        attribution.engines = watches.engines = p->engines;
        r = attribution_new(&attribution, &p->attribution, err);
    }
    if (r == 0)
        r = watchset_new(&watches, &p->watches, err);
    if (r < 0) {
        pipeline_close(p);
        return r;
    }
    r = attribution_seed(p->attribution, err);
    if (r < 0) {
        pipeline_close(p);
        return r;
    }
    open_store(p);
    if (p->raised) /* the threads that follow and write have it now; COMMAND and workers wait like all others */
        priority_keep_to_oneself();
    *ret = p;
    return 0;
}

int pipeline_add(struct pipeline *p, struct target *target, struct err *err)
{
    return watchset_add(p->watches, target, err);
}

/* All sensors' own words about what they cannot see, then what none of them can by its nature. */
static void write_not_seen(struct pipeline *p, struct sbuf *out)
{
    char lacks[512];

    choice_lacks(&p->choice, p->options.permissions, lacks, sizeof(lacks));
    sbuf_add_str(out, lacks);
    for (size_t i = 0; i < p->sensor_count; i++) {
        const char *own = p->sensors[i].ops->not_seen(p->sensors[i].sensor);

        if (!own || !*own)
            continue;
        if (out->len)
            sbuf_add_str(out, "; ");
        sbuf_add_str(out, own);
    }
}

/* Whom no open sensor sees: said once, and kept with the coverage. */
static void name_blind(struct pipeline *p, struct sbuf *not_seen)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT, notice = SBUF_INIT;
    uint64_t before_ns = 0;

    if (p->choice.has & CAPABILITY_OLD_PROCESSES)
        return;
    for (size_t i = 0; i < p->sensor_count; i++)
        if (p->sensors[i].ops->blind_before)
            before_ns = MAX(before_ns, p->sensors[i].ops->blind_before(p->sensors[i].sensor));
    if (!blind_names(p->attribution, before_ns, &names))
        return;
    sbuf_addf(not_seen, "%sold processes are %s", not_seen->len ? "; " : "", sbuf_str(&names));
    sbuf_addf(&notice, "what these processes do is not seen, they are older than the kernel's auditing: %s; "
                       "restart the one you suspect, or boot with audit=1",
              sbuf_str(&names));
    on_notice(p, sbuf_str(&notice));
}

int pipeline_watch_fd(struct pipeline *p, int fd, void (*ready)(void *data, int fd), void *data,
                      struct err *err)
{
    return add_source(p, SOURCE_CALLER, fd, ready, data, err);
}

/* A descriptor comes and goes with the connection to the daemon, or with the owner of audit's stream. */
static void follow_fd(struct pipeline *p, enum source_kind kind, void *data, int *known, int fd)
{
    if (fd == *known)
        return;
    for (size_t i = 0; i < p->source_count; i++) {
        if (p->sources[i]->kind != kind || p->sources[i]->data != data)
            continue;
        (void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, p->sources[i]->fd, NULL);
        free(p->sources[i]);
        p->sources[i] = p->sources[--p->source_count];
        break;
    }
    *known = fd;
    (void)add_source(p, kind, fd, NULL, data, NULL);
}

static void on_place(void *data, const struct coverage_place *place)
{
    struct pipeline *p = data;
    struct coverage_place now = *place;

    now.from_ns = p->recorded_places ? clock_ns(CLOCK_REALTIME) : p->from_ns;
    (void)store_add_coverage_place(p->store, p->coverage_id, &now);
}

/* Containers come and go: where the watches look is kept as they do. */
static void record_places(struct pipeline *p)
{
    if (p->store && p->coverage_id)
        watchset_each_new_place(p->watches, on_place, p);
    p->recorded_places = true;
}

/* What the path leads to now is watched from here on. */
static void follow_link(struct pipeline *p)
{
    struct gap gap = { .reason = LOST_WATCH_WINDOW, .from_ns = clock_ns(CLOCK_REALTIME) };

    watchset_poll(p->watches);
    gap.to_ns = clock_ns(CLOCK_REALTIME);
    snprintf(gap.text, sizeof(gap.text),
             "a link on the way to a watched path was changed: what was done where it leads until that was watched");
    on_gap(p, &gap);
}

static bool is_readable(const struct pipeline *p)
{
    struct pollfd fds[CHOICE_MAX];
    nfds_t n = 0;

    for (size_t i = 0; i < p->sensor_count; i++)
        fds[n++] = (struct pollfd){ .fd = p->sensors[i].fd, .events = POLLIN };
    return poll(fds, n, 0) > 0;
}

static void dispatch_all(struct pipeline *p)
{
    struct err err = ERR_INIT;
    int r;

    /* engines first: who is who; then processes: who lives; then what they did */
    if (engines_dispatch(p->engines, NULL) > 0)
        watchset_poll(p->watches); /* an engine that was late has answered */
    follow_fd(p, SOURCE_ENGINES, NULL, &p->engines_fd, engines_fd(p->engines));
    if (p->follower)
        follower_dispatch(p->follower);
    for (size_t i = 0; i < p->sensor_count; i++) {
        struct open_sensor *s = &p->sensors[i];

        r = s->ops->dispatch(s->sensor, &err);
        if (r == -EBUSY && p->choice.automatic)
            snprintf(s->taken, sizeof(s->taken), "%s", err_text(&err, r));
        else if (r < 0 && r != -EAGAIN)
            log_warn(p->options.log, "%s: %s; going on", s->ops->name, err_text(&err, r));
        follow_fd(p, SOURCE_SENSOR, s->sensor, &s->fd, s->ops->fd(s->sensor));
    }
    if (watchset_leads_elsewhere(p->watches))
        follow_link(p);
    if (clock_ns(CLOCK_MONOTONIC) >= p->next_poll_ns) {
        p->next_poll_ns = clock_ns(CLOCK_MONOTONIC) + POLL_NS;
        watchset_poll(p->watches);
        if (!is_readable(p)) /* what was given up may have events in what is waiting */
            watchset_change_finish(p->watches);
        record_places(p);
    }
}

/*
 * All that the kernel had when this turn began is with the store, where it has nothing more now: so far it is known
 * what happened, but for what sensors hold for a moment. Audit's records also wait in the kernel's own queue, where
 * nobody sees them: while events come, it is known no further than to the newest.
 */
static void emit_seen(struct pipeline *p, uint64_t turn_ns)
{
    uint64_t seen_ns = turn_ns - HELD_NS;

    if (!p->store || turn_ns < p->next_seen_ns)
        return;
    p->next_seen_ns = turn_ns + SEEN_NS;
    if (turn_ns < p->last_event_ns + FLOWING_NS)
        seen_ns = MIN(seen_ns, p->newest_event_ns);
    if (p->fuse && fuse_oldest_ns(p->fuse)) /* one waits for another sensor's observation of it */
        seen_ns = MIN(seen_ns, fuse_oldest_ns(p->fuse) - 1);
    store_seen(p->store, is_readable(p) ? 0 : seen_ns);
}

/* What is seen from p->from_ns on, and what is not: for the verdict, and for the record. */
static void begin_coverage(struct pipeline *p, struct bytes not_seen)
{
    const struct coverage coverage = {
        .sensors = open_sensor_bits(p),
        .from_ns = p->from_ns,
        .watch = watchset_text(p->watches),
        .not_seen = not_seen,
        .host_id = p->options.host_id,
        .host_name = p->options.host_name,
        .narrowed = p->options.narrowed,
    };

    if (p->case_)
        (void)case_add_coverage(p->case_, &coverage);
    if (p->store) { /* at once: who else observes has to know that his events may come from us too (store/writer.c) */
        (void)store_begin_coverage(p->store, &coverage, &p->coverage_id);
        record_places(p);
        (void)store_flush(p->store, NULL);
    }
}

/* Another span, since what is seen is not the same any more. */
static void begin_coverage_anew(struct pipeline *p)
{
    _cleanup_sbuf_ struct sbuf not_seen = SBUF_INIT;

    p->from_ns = clock_ns(CLOCK_REALTIME);
    if (p->case_)
        case_end_coverage(p->case_, p->from_ns);
    if (p->store)
        (void)store_end_coverage(p->store, p->coverage_id, p->from_ns);
    watchset_forget_places(p->watches);
    p->recorded_places = false;
    write_not_seen(p, &not_seen);
    begin_coverage(p, sbuf_bytes(&not_seen));
}

int pipeline_change(struct pipeline *p, struct plan *plan, unsigned permissions, struct watchset_difference *ret,
                    struct err *err)
{
    int r = watchset_change(p->watches, plan, ret, err);

    if (r < 0)
        return r;
    p->options.permissions = permissions;
    if (p->from_ns && (ret->added || ret->ended))
        begin_coverage_anew(p);
    return 0;
}

bool pipeline_is_changing(const struct pipeline *p)
{
    return watchset_is_changing(p->watches);
}

static void close_sensor(struct pipeline *p, size_t index)
{
    struct open_sensor *s = &p->sensors[index];

    follow_fd(p, SOURCE_SENSOR, s->sensor, &s->fd, -1);
    s->ops->close(s->sensor);
    p->sensor_count--;
    memmove(s, s + 1, (p->sensor_count - index) * sizeof(*s));
}

/*
 * Its place was taken by somebody whom it would disturb: the others go on. What it saw before is emitted, and from now on
 * the record says what is not seen.
 */
static void leave_sensor(struct pipeline *p, size_t index, const char *why)
{
    const struct sensor_ops *ops = p->sensors[index].ops;

    (void)ops->sync(p->sensors[index].sensor, LEAVE_MS, NULL);
    close_sensor(p, index);
    go_on_without(p, ops, why);
    if (p->fuse)
        fuse_set_sensors(p->fuse, open_sensor_bits(p), clock_ns(CLOCK_MONOTONIC));
    on_notice(p, p->choice.compromise);
    if (!p->from_ns) /* it has not begun yet */
        return;
    begin_coverage_anew(p);
}

static void leave_taken_sensors(struct pipeline *p)
{
    for (size_t i = 0; i < p->sensor_count;) {
        if (p->sensors[i].taken[0] && p->sensor_count > 1) {
            char why[sizeof(p->sensors[i].taken)];

            memcpy(why, p->sensors[i].taken, sizeof(why));
            leave_sensor(p, i, why);
        } else {
            i++;
        }
    }
}

void pipeline_ready(struct pipeline *p, struct sbuf *ret_text)
{
    _cleanup_sbuf_ struct sbuf not_seen = SBUF_INIT;
    uint64_t from_ns = clock_ns(CLOCK_REALTIME);
    unsigned lacks;

    /* what a sensor looks at first, such as descriptors that are open already, belongs to the beginning */
    dispatch_all(p);
    leave_taken_sensors(p);
    engines_set_patience(p->engines, PATIENCE_MS);
    write_not_seen(p, &not_seen);
    sbuf_add_char(ret_text, '(');
    for (size_t i = 0; i < p->sensor_count; i++)
        sbuf_addf(ret_text, "%s%s", i ? " + " : "", p->sensors[i].ops->name);
    lacks = coverage_lacks(sbuf_bytes(&not_seen));
    if (lacks)
        sbuf_addf(ret_text, "; %u kind%s not seen: culprit doctor)", lacks,
                  lacks == 1 ? " of change is" : "s of change are");
    else
        sbuf_add_str(ret_text, "; sees every route)");
    p->from_ns = from_ns;
    name_blind(p, &not_seen);
    begin_coverage(p, sbuf_bytes(&not_seen));
    if (p->choice.reason[0])
        log_debug(p->options.log, "%s", p->choice.reason); /* `doctor` says it, not every start */
    memory_give_back(); /* the kernel's types, read to load BPF programs; package lists; libraries' start */
}

void pipeline_confine(struct pipeline *p)
{
    int r = p->options.no_seccomp ? 0 : seccomp_confine(&p->choice);

    if (r == -EINVAL || r == -ENOSYS)
        log_debug(p->options.log, "this kernel has no seccomp filters");
    else if (r < 0)
        log_warn(p->options.log, "system calls that are not needed cannot be given up: %s; keeping them", strerror(-r));
}

/* As long as every open sensor allows. */
static unsigned poll_backoff_us(const struct pipeline *p)
{
    unsigned us = UINT_MAX;

    for (size_t i = 0; i < p->sensor_count; i++)
        us = MIN(us, p->sensors[i].ops->poll_backoff_us ? p->sensors[i].ops->poll_backoff_us : BACKOFF_US);
    return us == UINT_MAX ? BACKOFF_US : us;
}

int pipeline_run(struct pipeline *p, uint64_t until_ns, struct err *err)
{
    const unsigned backoff_us = poll_backoff_us(p);
    unsigned busy = 0;

    p->stop = false;
    while (!p->stop) {
        struct epoll_event events[EPOLL_MAX];
        uint64_t now = clock_ns(CLOCK_MONOTONIC), turn_ns = clock_ns(CLOCK_REALTIME);
        int timeout = TICK_MS, n;

        if (until_ns && now >= until_ns)
            break;
        if (p->fuse && fuse_oldest_ns(p->fuse))
            timeout = FUSE_TICK_MS;
        if (until_ns && until_ns - now < TICK_MS * NS_PER_MS)
            timeout = (int)((until_ns - now) / NS_PER_MS) + 1;
        n = epoll_wait(p->epoll_fd, events, EPOLL_MAX, timeout);
        if (n < 0 && errno != EINTR)
            return err_set(err, -errno, "epoll");
        dispatch_all(p);
        leave_taken_sensors(p);
        if (p->fuse)
            fuse_expire(p->fuse, clock_ns(CLOCK_MONOTONIC), n == 0);
        emit_seen(p, turn_ns);
        if (now >= p->next_trim_ns) {
            p->next_trim_ns = now + TRIM_NS;
            memory_trim();
        }
        if (clock_ns(CLOCK_MONOTONIC) - now < backoff_us * 1000ull && n > 0 && ++busy > BUSY_WAKES)
            usleep(backoff_us);
        else if (n == 0)
            busy = 0;
        for (int i = 0; i < n; i++) {
            struct source *s = events[i].data.ptr;

            /* the engines' source may have been replaced by the dispatch above */
            for (size_t j = 0; j < p->source_count; j++)
                if (p->sources[j] == s && s->kind == SOURCE_CALLER) {
                    s->ready(s->data, s->fd);
                    break;
                }
        }
        if (p->options.idle)
            p->options.idle(p->options.data);
    }
    return 0;
}

void pipeline_stop(struct pipeline *p)
{
    p->stop = true;
}

/* Everything that happened before now, however much is waiting; what is given up is a gap. until_ns: CLOCK_MONOTONIC. */
static void read_to_the_end(struct pipeline *p, const struct open_sensor *open, uint64_t until_ns)
{
    uint64_t from_ns = clock_ns(CLOCK_REALTIME), now;
    struct err err = ERR_INIT;
    bool said = false;
    int r;

    for (;;) {
        now = clock_ns(CLOCK_MONOTONIC);
        r = open->ops->sync(open->sensor, now < until_ns ? (unsigned)MIN((until_ns - now) / NS_PER_MS, SYNC_MS) + 1 : 1, &err);
        if (r != -EAGAIN || clock_ns(CLOCK_MONOTONIC) >= until_ns)
            break;
        if (!said)
            on_notice(p, "events are still being read");
        said = true;
        if (p->options.idle)
            p->options.idle(p->options.data);
    }
    if (r < 0) {
        struct gap gap = { .reason = LOST_UNREAD,
                           .from_ns = from_ns,
                           .to_ns = clock_ns(CLOCK_REALTIME),
                           .sensor = open->ops->bit };

        snprintf(gap.text, sizeof(gap.text), "what happened last was not read to its end");
        log_warn(p->options.log, "%s: %s; the last moments may be missing", open->ops->name, err_text(&err, r));
        on_gap(p, &gap);
    }
}

/* What `who` will not know. The store has that gap itself, where it could be written. */
static void emit_missing(struct pipeline *p)
{
    struct gap gap = { .reason = LOST_STORE };
    struct store_state state;

    store_state(p->store, &state);
    if (p->case_ && (!state.recording || state.error))
        case_not_recorded(p->case_);
    if (!state.recording || !state.missing) /* that nothing is recorded was said at the beginning */
        return;
    gap.count = state.missing;
    gap.from_ns = state.from_ns;
    gap.to_ns = state.to_ns;
    snprintf(gap.text, sizeof(gap.text), "not written to the store");
    if (p->case_)
        (void)case_add_gap(p->case_, &gap);
    if (p->options.gap)
        p->options.gap(p->options.data, &gap);
}

static void on_absent(void *data, struct bytes text)
{
    struct pipeline *p = data;

    (void)case_add_explanation(p->case_, EXPLANATION_ABSENT, 0, 0, text);
}

void pipeline_finish(struct pipeline *p)
{
    const uint64_t limit_ns = p->options.finish_ns ? p->options.finish_ns : FINISH_NS;
    uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + limit_ns;

    (void)engines_sync(p->engines, ENGINE_WAIT_MS, NULL);
    for (size_t i = 0; i < p->sensor_count; i++)
        read_to_the_end(p, &p->sensors[i], p->options.finish_ns ? until_ns : clock_ns(CLOCK_MONOTONIC) + limit_ns);
    dispatch_all(p);
    if (p->fuse) {
        fuse_flush(p->fuse, clock_ns(CLOCK_MONOTONIC));
        if (fuse_stats(p->fuse)->contradictions)
            log_debug(p->options.log, "sensors disagreed on %" PRIu64 " facts; the kernel's capture was kept",
                     fuse_stats(p->fuse)->contradictions);
    }
    record_places(p);
    if (p->case_ && !case_events(p->case_))
        watchset_each_absent(p->watches, on_absent, p);
    if (p->store) {
        if (p->coverage_id)
            (void)store_end_coverage(p->store, p->coverage_id, clock_ns(CLOCK_REALTIME));
        (void)store_flush(p->store, NULL);
        emit_missing(p);
    }
    if (p->options.idle)
        p->options.idle(p->options.data);
}

struct case_ *pipeline_case(struct pipeline *p)
{
    return p->case_;
}

void pipeline_close(struct pipeline *p)
{
    if (!p)
        return;
    if (p->raised) /* where opening failed that was not done yet */
        priority_keep_to_oneself();
    for (size_t i = 0; i < p->sensor_count; i++)
        p->sensors[i].ops->close(p->sensors[i].sensor);
    follower_close(p->follower);
    fuse_free(p->fuse);
    watchset_free(p->watches);
    attribution_free(p->attribution);
    engines_free(p->engines);
    store_close(p->store);
    case_free(p->case_);
    for (size_t i = 0; i < p->source_count; i++)
        free(p->sources[i]);
    if (p->epoll_fd >= 0)
        close(p->epoll_fd);
    free(p);
}
