/* SPDX-License-Identifier: MIT */
#include "foreign/mounts.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/fanotify.h"

#include <errno.h>
#include <linux/capability.h>
#include <fcntl.h>
#include <poll.h>
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
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/rescan.h"
#include "sensor/fanotify/resolve.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/window.h"
#include "sensor/fanotify/writes.h"
#include "sensor/object/mounts.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"

#define BATCHES 64            /* buffers before the rest of the loop has its turn */
#define TICK_MS 100
#define DOUBT_MS 20
#define MOUNTS_MS 500
#define SNAPSHOT_MS 3000       /* of an overlay before a restart: until its layer's last news are read */
#define LIST_DIRECTORIES 64   /* looked at in one go, in the background */
#define PROGRESS_MS 5000
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
                 "this kernel tells a name that one process makes and deletes several times at once only once "
                 "(Linux 5.17 tells each)");
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
    s->handles = fanotify_handles_new();
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->work = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (!s->fold || !s->writes || !s->found || !s->handles || !s->unexplained || !s->window || !s->queue || !s->made || !s->gone)
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

static void remove_object(struct sensor *s, struct fanotify_object *o)
{
    LL_DELETE(s->objects, o);
    fanotify_object_ops.disarm(&o->watched, NULL);
    fanotify_object_free(o);
}

/* Snapshots of a group's former overlays: the newest is enough, and none without an upper layer. */
static void expire_snapshots(struct sensor *s, uint32_t group, uint64_t until_ms)
{
    for (struct fanotify_object *o = s->objects, *next; o; o = next) {
        next = o->next;
        if (!o->tombstone_until_ms || o->wanted.group != group)
            continue;
        if (!until_ms)
            remove_object(s, o);
        else if (o->tombstone_until_ms > until_ms)
            o->tombstone_until_ms = until_ms;
    }
}

static void set_working(struct sensor *s)
{
    eventfd_t ignored;
    bool working = false;

    for (const struct fanotify_object *o = s->objects; o; o = o->next)
        working = working || o->listing;
    if (working)
        (void)eventfd_write(s->work, 1);
    else
        (void)eventfd_read(s->work, &ignored);
}

/* Digests of what is mounted: on the way to the path and at it; below it. */
static int look_at_mounts(const struct fanotify_object *o, uint64_t *ret_way, uint64_t *ret_below)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT, room = SBUF_INIT;
    uint64_t way = 0, below = 0;
    struct mount_seen seen;
    struct bytes text;
    int r = mounts_read(0, &table);

    if (r < 0)
        return r;
    text = sbuf_bytes(&table);
    while (mounts_next(&text, o->wanted.path, &room, &seen)) {
        uint64_t part = (seen.mount.id + 1) * 0x9e3779b97f4a7c15ull;

        if (seen.point.len > 1 && seen.where != MOUNT_BELOW)
            way += part;
        else if (seen.where != MOUNT_ABOVE)
            below += part;
    }
    *ret_way = way;
    *ret_below = below;
    return 0;
}

/* What stands at the path is what stood there: a folder above was mounted on itself, as engines do for a moment. Marks
 * are of files, and do not care by which mount they are reached. */
static bool is_same_place(struct fanotify_object *o)
{
    fanotify_object_close(o); /* opened before the mount */
    return !watched_is_stale(&o->watched, &fanotify_object_ops) && !fanotify_object_is_other(o);
}

/* A mount is no change that fanotify tells: it is found by looking, and what lies there is marked. What was hidden by
 * one and is there again was made by nobody. */
static bool was_mounted(struct sensor *s, struct fanotify_object *o)
{
    uint64_t way, below;
    bool first = !o->mounts_known, way_is_same, below_is_same;

    if (o->wanted.ns_pid || look_at_mounts(o, &way, &below) < 0)
        return false;
    way_is_same = way == o->mounts_on_way;
    below_is_same = below == o->mounts_below;
    o->mounts_known = true;
    o->mounts_on_way = way;
    o->mounts_below = below;
    if (first || (below_is_same && (way_is_same || is_same_place(o))))
        return false;
    fanotify_gap(s, LOST_WATCH_WINDOW, 0, s->empty_real_ns,
                 "something was mounted or unmounted at the watched path, above or below it");
    o->doubtful = o->arrived = true;
    return true;
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
        expire_snapshots(s, object->group, now_ms() + SNAPSHOT_MS);
    o->fresh = s->window_on && object->view != VIEW_MERGED;
    (void)was_mounted(s, o);
    LL_INSERT_INORDER(s->objects, o, by_view);
    set_working(s);
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
            watched_bury(&o->watched, &fanotify_object_ops, NULL, mate(s, o, VIEW_MERGED) ? now_ms() + SNAPSHOT_MS : UINT64_MAX);
        } else {
            remove_object(s, o);
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

        if (fanotify_decode(rest, &e, NULL) < 0) {
            s->lost_damaged++;
            break;
        }
        rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
        s->rest = rest;
        s->now = (struct fanotify_cause){ .pid = e.pid,
                                          .gone = e.gone,
                                          .from_boot_ns = s->empty_boot_ns,
                                          .to_boot_ns = when->to_boot_ns,
                                          .from_real_ns = s->empty_real_ns,
                                          .to_real_ns = when->to_real_ns };
        fanotify_queue_begin(s, &e);
        fanotify_handle_event(s, &e);
        fanotify_queue_end(s, &e);
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
    if (s->overflow) {
        s->overflow = false;
        fanotify_rescan(s);
        s->overflow_real_ns = s->empty_real_ns;
    }
}

/* ---- time ---- */

static uint64_t files_known(const struct sensor *s)
{
    uint64_t files = 0;

    for (const struct fanotify_object *o = s->objects; o; o = o->next)
        files += o->tree ? tree_objects(o->tree) : 0;
    return files;
}

static void list_more(struct sensor *s)
{
    bool was = false, more = false;

    for (struct fanotify_object *o = s->objects; o; o = o->next) {
        was = was || o->listing;
        if (o->listing && fanotify_object_list(o, LIST_DIRECTORIES))
            more = true;
    }
    if (!was)
        return;
    if (!more) {
        log_info(s->options.log, "fanotify: all %llu files have been looked at", (unsigned long long)files_known(s));
    } else if (now_ms() >= s->progress_ms) {
        if (s->progress_ms)
            log_info(s->options.log, "fanotify: %llu files have been looked at so far",
                     (unsigned long long)files_known(s));
        s->progress_ms = now_ms() + PROGRESS_MS;
    }
    set_working(s);
}

static void check_mounts(struct sensor *s)
{
    struct pollfd pollfd = { .fd = s->mounts, .events = POLLPRI };

    if (s->mounts >= 0 && poll(&pollfd, 1, 0) > 0)
        s->mounts_changed = true;
    if (!s->mounts_changed || now_ms() < s->next_mounts_ms)
        return;
    s->mounts_changed = false;
    s->next_mounts_ms = now_ms() + MOUNTS_MS;
    for (struct fanotify_object *o = s->objects; o; o = o->next)
        if (!o->tombstone_until_ms)
            (void)was_mounted(s, o);
}

/* What stands at a container's path now was made since we watch, and its folders are marked only now. While the
 * container is awaited its names are held, and looked through; what was there before that was seen by nobody. */
static void check_made_anew(struct sensor *s, struct fanotify_object *o)
{
    uint64_t born;

    if (!o->tree || (o->wanted.view != VIEW_UPPER && o->wanted.view != VIEW_LOWER))
        return;
    o->fresh = s->window_on;
    born = fanotify_born(o, tree_root(o->tree), o->base.len ? o->base : bytes_of("."));
    if (born > s->watch_real_ns && (!s->window_on || born < s->window_real_ns))
        fanotify_gap(s, LOST_WATCH_WINDOW, 0, born,
                     "a container's files were made anew before it was known: what was done to them until they were watched");
}

/* regular: every tick, which is how often what stands at a path is compared. The queue is empty. */
static void check_objects(struct sensor *s, bool regular)
{
    for (struct fanotify_object *o = s->objects, *next; o; o = next) {
        struct fanotify_cause unknown = { .from_real_ns = s->empty_real_ns,
                                          .to_real_ns = clock_ns(CLOCK_REALTIME),
                                          .from_boot_ns = s->empty_boot_ns,
                                          .to_boot_ns = clock_ns(CLOCK_BOOTTIME) };
        struct err err = ERR_INIT;
        uint64_t same_ns, from_ns;
        bool other;
        int r;

        next = o->next;
        if (o->tombstone_until_ms) {
            if (watched_is_over(&o->watched, now_ms()))
                remove_object(s, o);
            continue;
        }
        /* an event of it may be under way: only what is so twice was not told */
        other = regular && !o->doubtful && fanotify_object_is_other(o);
        if (other)
            o->mismatch++;
        else if (regular)
            o->mismatch = 0;
        if (regular && !other)
            o->same_real_ns = s->empty_real_ns;
        same_ns = o->same_real_ns ? o->same_real_ns : s->empty_real_ns;
        if (o->mismatch < 3 && !watched_is_stale(&o->watched, &fanotify_object_ops))
            continue;
        if (o->mismatch >= 3)
            fanotify_gap(s, LOST_WATCH_WINDOW, 0, same_ns,
                         "something else stood at a watched path without having been told");
        /* told to go, or gone without having been told: who holds a folder keeps its end from being told */
        from_ns = o->doubt_real_ns;
        if (!from_ns && o->mismatch < 3 && o->tree && !o->doubtful)
            from_ns = same_ns;
        o->mismatch = 0;
        (void)was_mounted(s, o);
        r = watched_place(&o->watched, &fanotify_object_ops, o->tree || o->arrived ? NULL : &unknown, &err);
        o->arrived = false;
        if (r < 0)
            log_warn(s->options.log, "fanotify: a watched path was replaced: %s; trying again",
                     err_text(&err, r));
        check_made_anew(s, o);
        fanotify_replaced_gap(o, from_ns);
        o->doubt_real_ns = 0;
    }
    set_working(s);
}

static void tell_losses(struct sensor *s)
{
    if (s->lost_damaged)
        fanotify_gap(s, LOST_PATH, s->lost_damaged, s->empty_real_ns, "fanotify events that could not be read");
    if (s->lost_paths)
        fanotify_gap(s, LOST_PATH, s->lost_paths, s->empty_real_ns,
                     "changes whose path could not be found, or directories that take no marks");
    s->lost_damaged = s->lost_paths = 0;
    for (const struct fanotify_object *o = s->objects; o; o = o->next)
        if (tree_take_unanswered(o->tree))
            fanotify_gap(s, LOST_UNANSWERED, 0, s->empty_real_ns, FOREIGN_UNANSWERED);
}

static void tick(struct sensor *s, bool empty)
{
    uint64_t now = now_ms();

    /* until it is placed again an object that is in doubt sees nothing; who makes many so must not keep us busy */
    if (s->doubtful && empty && now >= s->next_doubt_ms) {
        s->doubtful = false;
        s->next_doubt_ms = now + DOUBT_MS;
        check_objects(s, false);
    }
    if (now < s->next_tick_ms)
        return;
    s->next_tick_ms = now + TICK_MS;
    fanotify_writes_tick(s, now, false);
    if (empty) {
        fanotify_late_unexplained(s, now);
        check_mounts(s);
        check_objects(s, true);
    }
    tell_losses(s);
}

static void close_all(struct sensor *s)
{
    for (struct fanotify_object *o = s->objects; o; o = o->next)
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
    fanotify_handle_held(s);
    r = drain(s, BATCHES, &empty, err);
    if (empty) {
        settle(s);
        list_more(s);
    }
    tick(s, empty);
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
    uint64_t until = now_ms() + timeout_ms;
    bool empty = false;
    int r = 0;

    /* the kernel queues an event before the call that made it returns */
    while (r == 0 && !empty && now_ms() < until)
        r = drain(s, BATCHES, &empty, err);
    fanotify_handle_held(s);
    settle(s);
    fanotify_writes_tick(s, now_ms(), true);
    tell_losses(s);
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
            len ? ", " : "", (unsigned long long)files_known(s));
    if (others)
        ADD("%schanges made through %u other name%s (hard links) of the watched file", len ? ", " : "", others, others == 1 ? "" : "s");
    if (!s->features.target)
        ADD("%srepetitions of making and deleting one name at once", len ? ", " : "");
    if (unmarked) /* Linux 6.6 gives overlays handles; before, the layer behind is told of names only */
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
    .sync = fanotify_sensor_sync,
    .not_seen = fanotify_sensor_not_seen,
    .close = fanotify_sensor_close,
};
