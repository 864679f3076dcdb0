/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/fanotify.h"

#include <errno.h>
#include <linux/capability.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <utlist.h>

#include "event/operation.h"
#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/handle.h"
#include "sensor/fanotify/young.h"
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/moved.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/rescan.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/upkeep.h"
#include "sensor/fanotify/window.h"
#include "sensor/fanotify/writes.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"

#define BATCHES 64            /* buffers before the rest of the loop has its turn */
#define SNAPSHOT_MS 3000       /* of an overlay before a restart: until its layer's last notifications are read */
#define SMALL_QUEUE (4 * 1024 * 1024) /* --ring-size below this: the kernel's own limit of events */

#define CAPABILITIES                                                                               \
    (CAPABILITY_NAMES | CAPABILITY_CONTENTS | CAPABILITY_CLOSE_WRITE | CAPABILITY_EACH_WRITE |      \
     CAPABILITY_METADATA | CAPABILITY_READS | CAPABILITY_EXECUTIONS | CAPABILITY_OLD_PROCESSES |    \
     CAPABILITY_OLD_DESCRIPTORS | CAPABILITY_MAPPINGS | CAPABILITY_IO_URING |                       \
     CAPABILITY_BEFORE_AFTER | CAPABILITY_RESTART)

static int fanotify_sensor_probe(struct sensor_capabilities *ret, struct err *err)
{
    struct sensor_capabilities c = { .cost = 150 };
    struct fanotify_features f;
    int r = fanotify_probe(&f, err);

    if (r < 0)
        return r;
    c.works = true;
    c.has = CAPABILITIES | (f.flags ? CAPABILITY_FLAGS : 0);
    snprintf(c.state, sizeof(c.state), "names%s%s%s", f.pidfd ? ", pidfd" : "",
             f.rename ? ", both names of a rename" : "", f.errors ? ", file system errors" : "");
    if (!f.target)
        snprintf(c.advice, sizeof(c.advice), "%s",
                 "this kernel reports a name that one process makes and deletes several times at once only once "
                 "(Linux 5.17 reports each)");
    *ret = c;
    return 0;
}

/* ---- life ---- */

static void fanotify_sensor_close(struct sensor *s)
{
    int fds[] = { s ? s->group : -1, s ? s->epoll : -1, s ? s->work : -1, s ? s->timer : -1,
                  s ? s->mounts : -1 };

    if (!s)
        return;
    while (s->objects) {
        struct fanotify_object *o = s->objects;

        s->objects = o->next;
        fanotify_object_free(o);
    }
    fanotify_fold_free(s->fold);
    fanotify_writes_free(s->writes);
    fanotify_found_free(s->found);
    fanotify_unexplained_free(s->unexplained);
    fanotify_window_free(s->window);
    fanotify_queue_free(s->queue);
    fanotify_made_free(s->made);
    fanotify_gone_free(s->gone);
    fanotify_young_free(s->young);
    fanotify_restless_free(s->restless);
    fanotify_handles_free(s->handles);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(s);
}

static int follow(struct sensor *s, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };

    return fd < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int fanotify_sensor_open(const struct sensor_options *options, struct sensor **ret, struct err *err)
{
    struct sensor *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_set(err, -ENOMEM, "fanotify");
    s->options = *options;
    s->group = s->epoll = s->work = s->timer = s->mounts = -EBADF;
    r = fanotify_probe(&s->features, err);
    if (r == 0) {
        s->group = fanotify_group_open(&s->features, options->ring_size && options->ring_size < SMALL_QUEUE,
                                       err);
        r = s->group < 0 ? s->group : 0;
    }
    if (r < 0) {
        fanotify_sensor_close(s);
        return r;
    }
    s->fold = fanotify_fold_new();
    s->writes = fanotify_writes_new();
    s->found = fanotify_found_new();
    s->unexplained = fanotify_unexplained_new();
    s->window = fanotify_window_new();
    s->queue = fanotify_queue_new();
    s->made = fanotify_made_new();
    s->gone = fanotify_gone_new();
    s->young = fanotify_young_new();
    s->restless = fanotify_restless_new();
    s->handles = fanotify_handles_new();
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->work = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (!s->fold || !s->writes || !s->found || !s->handles || !s->unexplained || !s->window || !s->queue || !s->made || !s->gone || !s->young || !s->restless)
        r = -ENOMEM;
    if (r == 0)
        r = follow(s, s->group, EPOLLIN);
    if (r == 0)
        r = follow(s, s->work, EPOLLIN);
    if (r == 0)
        r = follow(s, s->timer, EPOLLIN);
    if (getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed))
        s->seed = clock_ns(CLOCK_REALTIME);
    s->empty_boot_ns = clock_ns(CLOCK_BOOTTIME);
    s->empty_real_ns = clock_ns(CLOCK_REALTIME);
    if (r < 0) {
        fanotify_sensor_close(s);
        return err_set(err, r, "fanotify");
    }
    *ret = s;
    return 0;
}

/* ---- objects ---- */

static int by_view(const struct fanotify_object *a, const struct fanotify_object *b)
{
    return watched_by_view(&a->watched, &b->watched);
}

static struct fanotify_object *mate(struct sensor *s, const struct fanotify_object *o, enum view view)
{
    for (struct fanotify_object *m = s->objects; m; m = m->next)
        if (m != o && m->wanted.group == o->wanted.group && m->wanted.view == view && !m->tombstone_until_ms)
            return m;
    return NULL;
}

/* Snapshots of a group's former overlays: the newest is enough, and none without an upper layer. */
static void expire_snapshots(struct sensor *s, uint32_t group, uint64_t until_ms)
{
    for (struct fanotify_object *o = s->objects, *next; o; o = next) {
        next = o->next;
        if (!o->tombstone_until_ms || o->wanted.group != group)
            continue;
        if (!until_ms)
            fanotify_upkeep_remove(s, o);
        else if (o->tombstone_until_ms > until_ms)
            o->tombstone_until_ms = until_ms;
    }
}

/* How many other names a watched file has, which lie outside; of a watched folder's files it is not counted. */
static unsigned other_names(const struct fanotify_object *o)
{
    struct file_state state = { 0 };

    if (o->tree)
        tree_state(o->tree, tree_object_of(o->tree, fanotify_object_top(o)), &state);
    return (state.known & FILE_LINKS) && S_ISREG(state.mode) && state.links > 1 ? (unsigned)state.links - 1 : 0;
}

static void warn_of_names(const struct fanotify_object *o)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    unsigned others = other_names(o);

    escape_terminal(&path, o->wanted.path);
    if (others)
        log_warn(o->sensor->options.log, "fanotify does not see what is done to %s through its %u other name%s (hard links); the sensor audit does",
                 sbuf_str(&path), others, others == 1 ? "" : "s");
}

static int fanotify_sensor_watch(struct sensor *s, const struct watch_object *object, struct err *err)
{
    struct fanotify_object *o;
    int r = fanotify_object_new(s, object, &o, err);

    if (r < 0)
        return r;
    if (!s->watch_real_ns)
        s->watch_real_ns = clock_ns(CLOCK_REALTIME);
    r = watched_place(&o->watched, &fanotify_object_ops, NULL, err);
    fanotify_object_close(o);
    if (r < 0) {
        fanotify_object_free(o);
        return r;
    }
    if (object->view == VIEW_MERGED)
        expire_snapshots(s, object->group, clock_ms(CLOCK_MONOTONIC) + SNAPSHOT_MS);
    o->fresh = s->window_on && object->view != VIEW_MERGED;
    s->any_fresh |= o->fresh;
    (void)fanotify_upkeep_was_mounted(s, o, NULL);
    LL_INSERT_INORDER(s->objects, o, by_view);
    fanotify_upkeep_begin_listing(s);
    tree_log(o->tree, s->options.log, "fanotify", o->wanted.path);
    warn_of_names(o);
    return 0;
}

static int fanotify_sensor_unwatch(struct sensor *s, uint32_t object_id, struct err *err)
{
    (void)err;
    for (struct fanotify_object *o = s->objects; o; o = o->next) {
        struct fanotify_object *upper;

        if (o->wanted.id != object_id || o->tombstone_until_ms)
            continue;
        upper = o->wanted.view == VIEW_MERGED ? mate(s, o, VIEW_UPPER) : NULL;
        if (o->wanted.view == VIEW_UPPER)
            expire_snapshots(s, o->wanted.group, 0);
        if (upper && o->tree) {
            expire_snapshots(s, o->wanted.group, 0);
            fanotify_fold_hand_over(o, upper);
            watched_bury(&o->watched, &fanotify_object_ops, NULL, mate(s, o, VIEW_MERGED) ? clock_ms(CLOCK_MONOTONIC) + SNAPSHOT_MS : UINT64_MAX);
        } else {
            fanotify_upkeep_remove(s, o);
        }
        return 0;
    }
    return 0;
}

/* ---- the queue ---- */

static void handle_all(struct sensor *s, struct bytes rest, const struct fanotify_cause *when)
{
    while (rest.len) {
        struct fanotify_event e;
        struct fanotify_cause now;

        if (fanotify_decode(rest, &e, NULL) < 0) {
            s->lost_damaged++;
            break;
        }
        rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
        now = (struct fanotify_cause){ .pid = e.pid,
                                       .in_turn = true,
                                          .gone = e.gone,
                                          .from_boot_ns = s->empty_boot_ns,
                                          .to_boot_ns = when->to_boot_ns,
                                          .from_real_ns = s->empty_real_ns,
                                          .to_real_ns = when->to_real_ns };
        fanotify_queue_begin(s, &e, rest);
        fanotify_handle_event(s, &e, &now);
        fanotify_queue_end(s, &e);
        s->handled += !e.from_layer; /* the kernel counts none of these */
        if (e.pidfd >= 0)
            close(e.pidfd);
    }
}

static int drain(struct sensor *s, unsigned batches, bool *ret_empty, struct err *err)
{
    *ret_empty = false;
    for (unsigned i = 0; i < batches; i++) {
        uint64_t boot = clock_ns(CLOCK_BOOTTIME), real = clock_ns(CLOCK_REALTIME);
        struct fanotify_cause when;
        struct bytes events;
        int r = fanotify_queue_next(s, &events, &when);

        if (r < 0)
            return err_set(err, r, "reading fanotify's events");
        if (r == 0) {
            if (!s->overflow)
                s->overflow_real_ns = real;
            s->empty_boot_ns = boot;
            s->empty_real_ns = real;
            fanotify_fold_emptied(s);
            *ret_empty = true;
            return 0;
        }
        handle_all(s, events, &when);
        fanotify_queue_done(s);
        fanotify_fold_flush(s, false);
    }
    return 0;
}

static void settle(struct sensor *s)
{
    fanotify_moved_flush(s);
    fanotify_late_found(s);
    fanotify_late_gone(s);
    fanotify_tombstones_forget(s);
    fanotify_restless_emptied(s);
    if (s->overflow) {
        s->overflow = false;
        fanotify_rescan(s);
        s->overflow_real_ns = s->empty_real_ns;
    }
}

static void close_all(struct sensor *s)
{
    for (struct fanotify_object *o = s->objects; o && s->opened_count; o = o->next)
        fanotify_object_close(o);
}

/* ---- the rest of the interface ---- */

static int fanotify_sensor_fd(const struct sensor *s)
{
    return s->epoll;
}

static int fanotify_sensor_dispatch(struct sensor *s, struct err *err)
{
    static const struct itimerspec soon = { .it_value = { .tv_nsec = 4 * 1000 * 1000 } }, now = { .it_value = { .tv_nsec = 1 } };
    uint64_t ignored;
    bool empty;
    int r;

    if (read(s->timer, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
        return err_set(err, -errno, "timer");
    fanotify_handle_startup(s);
    r = drain(s, BATCHES, &empty, err);
    if (empty) {
        settle(s);
        fanotify_upkeep_list(s);
    }
    fanotify_upkeep(s, empty);
    close_all(s);
    fanotify_fold_flush(s, false);
    if (fanotify_queue_waits(s))
        (void)timerfd_settime(s->timer, 0, &now, NULL);
    else if (fanotify_fold_waits(s))
        (void)timerfd_settime(s->timer, 0, &soon, NULL);
    return r;
}

static int fanotify_sensor_sync(struct sensor *s, unsigned timeout_ms, struct err *err)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + timeout_ms;
    bool empty = false;
    int r = 0;

    /* the kernel queues an event before the call that made it returns; what comes meanwhile may never end */
    if (!s->sync_goal)
        s->sync_goal = s->handled + fanotify_queue_length(s);
    while (r == 0 && !empty && s->handled <= s->sync_goal && clock_ms(CLOCK_MONOTONIC) < until)
        r = drain(s, BATCHES, &empty, err);
    empty |= s->handled > s->sync_goal;
    if (r < 0 || empty)
        s->sync_goal = 0;
    fanotify_handle_startup(s);
    settle(s);
    fanotify_writes_tick(s, clock_ms(CLOCK_MONOTONIC), true);
    fanotify_upkeep_emit_losses(s, true);
    close_all(s);
    fanotify_fold_flush(s, true);
    if (r == 0 && !empty)
        return err_set(err, -EAGAIN, "events that are still waiting");
    return r;
}

static int fanotify_sensor_window(struct sensor *s, bool on, struct err *err)
{
    (void)err;
    if (on && !s->window_on) {
        fanotify_window_open(s);
        s->window_real_ns = clock_ns(CLOCK_REALTIME);
    } else if (!on && s->window_on) {
        fanotify_window_close(s);
    }
    s->window_on = on;
    return 0;
}

static const char *fanotify_sensor_not_seen(struct sensor *s)
{
    bool listing = false, no_upper = false, unmarked = false;
    unsigned others = 0;
    size_t len = 0;

    for (struct fanotify_object *o = s->objects; o; o = o->next) {
        others = MAX(others, other_names(o));
        listing = listing || o->listing;
        unmarked = unmarked || o->unmarked;
        if (o->unmarked && !mate(s, o, VIEW_UPPER))
            no_upper = true;
    }
    s->not_seen[0] = '\0';
#define ADD(...) \
    (len += (size_t)snprintf(s->not_seen + len, sizeof(s->not_seen) - len, __VA_ARGS__))
    if (listing)
        ADD("%swhat attributes were before, until all files have been looked at (%llu so far)",
            len ? ", " : "", (unsigned long long)fanotify_upkeep_files(s));
    if (others)
        ADD("%schanges made through %u other name%s (hard links) of the watched file", len ? ", " : "", others, others == 1 ? "" : "s");
    if (!s->features.target)
        ADD("%srepetitions of making and deleting one name at once", len ? ", " : "");
    if (unmarked) /* Linux 6.6 gives overlays handles; before that, only the layer behind reports names */
        ADD("%swrites to files of a container (this kernel's overlay takes no marks)", len ? ", " : "");
    if (no_upper)
        ADD("%schanges of an overlay without an upper layer", len ? ", " : "");
#undef ADD
    return s->not_seen;
}

const struct sensor_ops fanotify_sensor_ops = {
    .name = "fanotify",
    .bit = SENSOR_FANOTIFY,
    .privileges = 1ull << CAP_SYS_ADMIN | 1ull << CAP_DAC_READ_SEARCH, /* groups without limits; opening by handle */
    .probe = fanotify_sensor_probe,
    .open = fanotify_sensor_open,
    .watch = fanotify_sensor_watch,
    .unwatch = fanotify_sensor_unwatch,
    .window = fanotify_sensor_window,
    .fd = fanotify_sensor_fd,
    .dispatch = fanotify_sensor_dispatch,
    .is_read = fanotify_queue_is_read,
    .sync = fanotify_sensor_sync,
    .not_seen = fanotify_sensor_not_seen,
    .close = fanotify_sensor_close,
};
