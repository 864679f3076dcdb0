/* SPDX-License-Identifier: MIT */
#include "sensor/object/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "util/beneath.h"
#include "util/cleanup.h"

#define PLACE_TRIES 10

int watched_init(struct watched_object *w, const struct watch_object *wanted, struct err *err)
{
    *w = (struct watched_object){ .wanted = *wanted, .pidfd = -EBADF };
    w->path = strndup(wanted->path.data, wanted->path.len);
    w->host_path = strndup(wanted->host_path.data, wanted->host_path.len);
    w->container = strndup(wanted->container.len ? wanted->container.data : "", wanted->container.len);
    if (!w->path || !w->host_path || !w->container) {
        watched_done(w);
        return err_set(err, -ENOMEM, "watch");
    }
    w->wanted.path = bytes_of(w->path);
    w->wanted.host_path = bytes_of(w->host_path);
    w->wanted.container = bytes_of(w->container);
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
    free(w->container);
    foreign_mounts_free(w->asked_mounts);
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

/* ---- what is on the way ---- */

/* Once, until all of the path answers again. */
static bool note(const struct watched_object *asked, bool answers)
{
    struct watched_object *w = (struct watched_object *)(uintptr_t)asked;

    if (!answers && !w->silent)
        w->silent = w->unanswered = true;
    return answers;
}

/* A container has mounts of its own. */
static struct foreign_mounts *mounts_inside(const struct watched_object *asked)
{
    struct watched_object *w = (struct watched_object *)(uintptr_t)asked;

    if (!w->asked_mounts)
        w->asked_mounts = foreign_mounts_new(w->wanted.ns_pid);
    return w->asked_mounts;
}

static bool inside_answers(const struct watched_object *w, struct bytes path)
{
    struct foreign_mounts *m = mounts_inside(w);
    _cleanup_close_ int root = -EBADF;
    size_t len = w->wanted.root_len;

    if (path.len < len || !foreign_mounts_any(m))
        return true;
    root = beneath_open_host((struct bytes){ path.data, len }, 0, O_PATH | O_DIRECTORY);
    return root < 0 || foreign_mounts_way_answers(m, root, (struct bytes){ path.data + len, path.len - len }, true);
}

/* The path as we open it. */
static bool way_answers(const struct watched_object *w, struct bytes path)
{
    return note(w, w->wanted.ns_pid ? inside_answers(w, path) : foreign_way_answers(path));
}

bool watched_may_enter(const struct watched_object *w, int fd, const char *name)
{
    return note(w, w->wanted.ns_pid ? foreign_mounts_answer(mounts_inside(w), fd, name) : foreign_name_answers(fd, name));
}

void watched_note_answer(struct watched_object *w)
{
    w->silent = false;
}

bool watched_take_unanswered(struct watched_object *w)
{
    bool unanswered = w->unanswered;

    w->unanswered = false;
    return unanswered;
}

int watched_open(const struct watched_object *w)
{
    if (!way_answers(w, w->wanted.host_path))
        return -ETIMEDOUT;
    watched_note_answer((struct watched_object *)(uintptr_t)w);
    return beneath_open_host(w->wanted.host_path, w->wanted.root_len, O_PATH | O_NOFOLLOW);
}

int watched_open_above(const struct watched_object *w, size_t len, int flags)
{
    struct bytes path = w->wanted.host_path;

    if (path.len < w->wanted.path.len)
        return -ENAMETOOLONG;
    path.len = path.len - w->wanted.path.len + len; /* "/proc/PID/root" comes before it */
    if (!way_answers(w, path))
        return -ETIMEDOUT;
    /* of a root itself the folder is outside, and nobody's in the container: then all of it is trusted */
    return beneath_open_host(path, w->wanted.root_len <= path.len ? w->wanted.root_len : 0, flags);
}
