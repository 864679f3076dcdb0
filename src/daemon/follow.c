/* SPDX-License-Identifier: MIT */
#include "daemon/follow.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "attribution/procfs.h"
#include "util/macro.h"
#include "util/thread.h"

#define NOTIFICATIONS_MAX 65536 /* not fetched yet: 10 MB with their records; then they count as lost */

struct notification {
    bool is_gap;
    union {
        struct process_event process; /* captured: an owned reference */
        struct gap gap;
    };
};

struct follower {
    struct follower_options options;
    struct tracker *tracker;
    pthread_t thread;
    bool running;
    bool direct;   /* the tracker captures everything itself: no thread, no list */
    int notification_fd, stop_fd;
    pthread_mutex_t lock; /* the tracker and what follows */
    struct notification *notifications;
    size_t count, size;
    uint64_t dropped;
};

static struct notification *add_notification(struct follower *f)
{
    if (f->count == f->size) {
        size_t size = f->size ? f->size * 2 : 256;
        struct notification *grown = size <= NOTIFICATIONS_MAX ? reallocarray(f->notifications, size, sizeof(*grown)) : NULL;

        if (!grown) {
            f->dropped++;
            return NULL;
        }
        f->notifications = grown;
        f->size = size;
    }
    return &f->notifications[f->count++];
}

static void on_process(void *data, const struct process_event *event)
{
    struct follower *f = data;
    struct notification *n;

    if (f->direct) {
        f->options.process(f->options.data, event);
        return;
    }
    n = add_notification(f);
    if (!n)
        return;
    *n = (struct notification){ .process = *event };
    if (event->captured)
        n->process.captured = process_ref(event->captured);
    else if (event->kind == PROCESS_EXEC)
        (void)procfs_read("/proc", event->pid, &n->process.captured, NULL);
}

static void on_gap(void *data, const struct gap *gap)
{
    struct follower *f = data;
    struct notification *n;

    if (f->direct) {
        f->options.gap(f->options.data, gap);
        return;
    }
    n = add_notification(f);
    if (n)
        *n = (struct notification){ .is_gap = true, .gap = *gap };
}

static void *follow(void *data)
{
    struct follower *f = data;
    struct pollfd fds[] = { { .fd = tracker_fd(f->tracker), .events = POLLIN },
                            { .fd = f->stop_fd, .events = POLLIN } };

    for (;;) {
        size_t count;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        pthread_mutex_lock(&f->lock);
        (void)tracker_dispatch(f->tracker, NULL);
        count = f->count;
        pthread_mutex_unlock(&f->lock);
        if (count)
            (void)eventfd_write(f->notification_fd, 1);
    }
}

int follower_open(const struct follower_options *options, struct follower **ret, struct err *err)
{
    struct follower *f = calloc(1, sizeof(*f));
    struct tracker_options tracker = { .log = options->log };
    int r;

    if (!f)
        return err_set(err, -ENOMEM, "following processes");
    tracker.sink.data = f;
    tracker.sink.process = on_process;
    tracker.sink.gap = on_gap;
    f->options = *options;
    f->stop_fd = eventfd(0, EFD_CLOEXEC);
    f->notification_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&f->lock, NULL);
    r = f->stop_fd < 0 || f->notification_fd < 0 ? err_set(err, -errno, "following processes") : 0;
    if (r == 0)
        r = tracker_open(&tracker, &f->tracker, err);
    if (r < 0) {
        follower_close(f);
        return r;
    }
    f->direct = tracker_ops_of(f->tracker)->captures;
    *ret = f;
    return 0;
}

int follower_start(struct follower *f, struct err *err)
{
    int r;

    if (f->direct)
        return 0;
    r = thread_start(&f->thread, follow, f);
    f->running = r == 0;
    return r < 0 ? err_set(err, r, "following processes") : 0;
}

const struct tracker_ops *follower_tracker(const struct follower *f)
{
    return tracker_ops_of(f->tracker);
}

int follower_fd(const struct follower *f)
{
    return f->direct ? tracker_fd(f->tracker) : f->notification_fd;
}

static void emit_dropped(struct follower *f, uint64_t dropped)
{
    struct gap gap = { .reason = LOST_PROCESS_EVENTS, .count = dropped };

    snprintf(gap.text, sizeof(gap.text), "news of processes that came too fast");
    f->options.gap(f->options.data, &gap);
}

void follower_dispatch(struct follower *f)
{
    struct notification *notifications;
    size_t count;
    uint64_t dropped;
    eventfd_t ignored;

    if (f->direct) {
        (void)tracker_dispatch(f->tracker, NULL);
        return;
    }
    (void)eventfd_read(f->notification_fd, &ignored);
    pthread_mutex_lock(&f->lock);
    /* what the thread has not come to yet */
    (void)tracker_dispatch(f->tracker, NULL);
    notifications = f->notifications;
    count = f->count;
    dropped = f->dropped;
    f->notifications = NULL;
    f->count = f->size = 0;
    f->dropped = 0;
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < count; i++) {
        if (notifications[i].is_gap) {
            f->options.gap(f->options.data, &notifications[i].gap);
            continue;
        }
        f->options.process(f->options.data, &notifications[i].process);
        process_unref(notifications[i].process.captured);
    }
    free(notifications);
    if (dropped)
        emit_dropped(f, dropped);
}

void follower_close(struct follower *f)
{
    if (!f)
        return;
    if (f->running) {
        (void)eventfd_write(f->stop_fd, 1);
        pthread_join(f->thread, NULL);
    }
    tracker_close(f->tracker);
    for (size_t i = 0; i < f->count; i++)
        if (!f->notifications[i].is_gap)
            process_unref(f->notifications[i].process.captured);
    free(f->notifications);
    if (f->stop_fd >= 0)
        close(f->stop_fd);
    if (f->notification_fd >= 0)
        close(f->notification_fd);
    free(f);
}
