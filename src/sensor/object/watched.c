/* SPDX-License-Identifier: MIT */
#include "sensor/object/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/beneath.h"

#define PLACE_TRIES 10

int watched_init(struct watched_object *w, const struct watch_object *wanted, struct err *err)
{
    *w = (struct watched_object){ .wanted = *wanted, .pidfd = -EBADF };
    w->path = strndup(wanted->path.data, wanted->path.len);
    w->host_path = strndup(wanted->host_path.data, wanted->host_path.len);
    if (!w->path || !w->host_path) {
        watched_done(w);
        return err_set(err, -ENOMEM, "watch");
    }
    w->wanted.path = bytes_of(w->path);
    w->wanted.host_path = bytes_of(w->host_path);
    w->base = bytes_basename(w->wanted.path);
    w->parent = bytes_dirname(w->wanted.path);
    if (wanted->ns_pid) {
        w->pidfd = (int)syscall(SYS_pidfd_open, wanted->ns_pid, 0);
        if (w->pidfd < 0 && errno == ESRCH)
            w->gone = true;
    }
    return 0;
}

void watched_done(struct watched_object *w)
{
    if (w->pidfd >= 0)
        close(w->pidfd);
    free(w->path);
    free(w->host_path);
    *w = (struct watched_object){ .pidfd = -EBADF };
}

bool watched_is_gone(struct watched_object *w)
{
    struct pollfd pollfd = { .fd = w->pidfd, .events = POLLIN };

    if (!w->gone && w->pidfd >= 0 && poll(&pollfd, 1, 0) > 0)
        w->gone = true;
    return w->gone;
}

int watched_place(struct watched_object *w, const struct watched_ops *ops, void *data, struct err *err)
{
    int r = -EAGAIN;

    w->needs_recheck = false;
    for (int i = 0; r == -EAGAIN && i < PLACE_TRIES; i++) {
        if (watched_is_gone(w))
            return 0;
        r = ops->arm(w, data, err);
    }
    if (r < 0 && watched_is_gone(w))
        return 0;
    if (r == -EAGAIN) { /* it changes all the time: the next look is a tick away */
        w->needs_recheck = true;
        r = 0;
    }
    return r;
}

bool watched_is_stale(struct watched_object *w, const struct watched_ops *ops)
{
    if (w->tombstone_until_ms || watched_is_gone(w))
        return false;
    return ops->is_stale ? ops->is_stale(w) : w->needs_recheck;
}

void watched_bury(struct watched_object *w, const struct watched_ops *ops, void *data, uint64_t until_ms)
{
    ops->disarm(w, data);
    w->gone = true;
    w->tombstone_until_ms = until_ms;
}

bool watched_is_over(const struct watched_object *w, uint64_t now_ms)
{
    return w->tombstone_until_ms && now_ms >= w->tombstone_until_ms;
}

int watched_by_view(const struct watched_object *a, const struct watched_object *b)
{
    return a->wanted.view <= b->wanted.view ? -1 : 1;
}

int watched_open(const struct watch_object *wanted)
{
    return beneath_open_host(wanted->host_path, wanted->root_len, O_PATH | O_NOFOLLOW);
}

int watched_open_above(const struct watch_object *wanted, size_t len, int flags)
{
    struct bytes path = wanted->host_path;

    if (path.len < wanted->path.len)
        return -ENAMETOOLONG;
    path.len = path.len - wanted->path.len + len; /* "/proc/PID/root" comes before it */
    /* of a root itself the folder is outside, and nobody's in the container: then all of it is trusted */
    return beneath_open_host(path, wanted->root_len <= path.len ? wanted->root_len : 0, flags);
}
