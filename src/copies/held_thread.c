/* SPDX-License-Identifier: MIT */
/*
 * The thread that answers for leases. Writers come first: also in the midst of a copy that nobody waits for. It waits for nothing but the two files that it
 * copies from and to, and gives up a writer's copy after HELD_WRITER_MS; beyond that the kernel does (/proc/sys/fs/lease-break-time).
 */
#include "copies/held_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "copies/held_state.h"
#include "copies/large.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/mountinfo.h"
#include "util/read.h"

#define BLOCK (128 * 1024)
#define LOOK_MS 5000 /* whether one was deleted of which nobody said so: its space is to be free */

struct copying {
    struct held_all *h;
    struct held_file *file;
    bool written; /* a writer waits */
    uint64_t until_ms;
};

static void answer_writers(struct held_all *h);

/* ---- a copy ---- */

static bool is_zero(const char *data, size_t len)
{
    return data[0] == '\0' && memcmp(data, data + 1, len - 1) == 0;
}

static int copy_block(const struct copying *c, int to, char *block, uint64_t at, ssize_t *ret_len)
{
    *ret_len = read_at(c->file->fd, block, BLOCK, (off_t)at);
    if (*ret_len <= 0)
        return (int)*ret_len;
    if (is_zero(block, (size_t)*ret_len))
        return 0;
    return pwrite(to, block, (size_t)*ret_len, (off_t)at) == *ret_len ? 0 : errno == EDQUOT ? -EDQUOT : -ENOSPC;
}

static int copy_content(const struct copying *c, int to)
{
    _cleanup_free_ char *block = malloc(BLOCK);
    uint64_t at = 0;
    ssize_t n = 1;
    int r = block ? 0 : -ENOMEM;

    while (r == 0 && n > 0) {
        if (!c->written)
            answer_writers(c->h);
        else if (clock_ms(CLOCK_MONOTONIC) > c->until_ms)
            r = -ETIMEDOUT;
        if (r == 0)
            r = copy_block(c, to, block, at, &n);
        at += r == 0 ? (uint64_t)n : 0;
    }
    if (r == 0 && at != (uint64_t)c->file->st.st_size)
        r = -ESTALE;
    return r == 0 && ftruncate(to, (off_t)at) < 0 ? -ENOSPC : r;
}

/* Compared with the sum, when nobody waits any more. */
static int is_content(int fd, const struct held_file *f)
{
    unsigned char sum[32];
    uint64_t size;
    int r = large_sum(fd, sum, &size);

    return r < 0 ? r : memcmp(sum, f->sha256, sizeof(sum)) == 0 ? 0 : -ESTALE;
}

static bool take_room(struct held_all *h, uint64_t size)
{
    bool has;

    (void)pthread_mutex_lock(&h->lock);
    has = size <= h->room;
    h->room -= has ? size : 0;
    (void)pthread_mutex_unlock(&h->lock);
    return has;
}

static void let_writers_go(const struct held_file *f)
{
    (void)fcntl(f->fd, F_SETLEASE, F_UNLCK);
}

static int copy_out(const struct copying *c)
{
    const char *name = c->written ? "written" : "left";
    _cleanup_close_ int to = -EBADF;
    int r;

    if (large_is_there(c->h->directory, c->file->sha256))
        return 0; /* by another name it was held too, or is the content of another file */
    if (!take_room(c->h, (uint64_t)c->file->st.st_size))
        return -EFBIG;
    to = openat(c->h->directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    r = to < 0 ? -errno : copy_content(c, to);
    if (c->written)
        let_writers_go(c->file);
    if (r == 0)
        r = is_content(to, c->file);
    if (r == 0)
        r = large_name_it(c->h->directory, name, c->file->sha256);
    if (r < 0)
        (void)unlinkat(c->h->directory, name, 0);
    return r;
}

/* Locked. Out of memory nothing is said of it: as if nobody had held it. */
static void say_end(struct held_all *h, const struct copying *c, int error)
{
    struct held_ended *e = calloc(1, sizeof(*e));
    struct held_end *end = e ? calloc(1, sizeof(*end) + c->file->len + 1) : NULL;
    const uint64_t one = 1;

    if (!end) {
        free(e);
        return;
    }
    end->error = error;
    end->written = c->written;
    end->size = (uint64_t)c->file->st.st_size;
    memcpy(end->sha256, c->file->sha256, sizeof(end->sha256));
    memcpy(end->path, c->file->path, c->file->len);
    h->copied += error ? 0 : end->size;
    e->end = end;
    *h->ended_end = e;
    h->ended_end = &e->next;
    (void)!write(h->ready, &one, sizeof(one));
}

/* It has another name, as one that was moved. For what has no room now there may be some when it changes. */
static bool is_elsewhere(const struct held_file *f)
{
    struct stat st;

    return fstat(f->fd, &st) == 0 && st.st_nlink > 0 && fcntl(f->fd, F_GETLEASE) == F_RDLCK;
}

/* One that is HELD_COPYING already. */
static void end_one(struct held_all *h, struct held_file *f, bool written)
{
    struct copying c = { .h = h, .file = f, .written = written, .until_ms = clock_ms(CLOCK_MONOTONIC) + HELD_WRITER_MS };
    int r = copy_out(&c);

    if (written)
        let_writers_go(f);
    (void)pthread_mutex_lock(&h->lock);
    if (r == -EFBIG && !written && is_elsewhere(f)) {
        f->stage = HELD_HELD;
        (void)pthread_mutex_unlock(&h->lock);
        return;
    }
    say_end(h, &c, r);
    held_unname(h, f);
    held_close(h, f);
    (void)pthread_mutex_unlock(&h->lock);
}

/* ---- leases ---- */

static bool is_to_be_given_up(const struct held_file *f)
{
    return fcntl(f->fd, F_GETLEASE) != F_RDLCK;
}

/* Locked. True: it is to be copied. */
static bool on_writer(struct held_file *f)
{
    if (f->stage == HELD_COPYING || !is_to_be_given_up(f))
        return false; /* a signal that was for another file, which had the descriptor before; or nobody's copy is under way, and he waits for that */
    if (f->stage == HELD_READING) {
        f->broken = true;
        let_writers_go(f);
        return false;
    }
    f->stage = HELD_COPYING;
    return true;
}

static void answer(struct held_all *h, int fd)
{
    struct held_file *f;
    bool copy;

    (void)pthread_mutex_lock(&h->lock);
    HASH_FIND(by_fd, h->fds, &fd, sizeof(fd), f);
    copy = f && on_writer(f);
    (void)pthread_mutex_unlock(&h->lock);
    if (copy)
        end_one(h, f, true);
}

/* Signals were lost: each is asked. */
static void answer_all(struct held_all *h)
{
    struct held_file *f, *next;
    bool copy = true;

    while (copy) {
        copy = false;
        (void)pthread_mutex_lock(&h->lock);
        HASH_ITER(by_fd, h->fds, f, next) {
            copy = on_writer(f);
            if (copy)
                break;
        }
        (void)pthread_mutex_unlock(&h->lock);
        if (copy)
            end_one(h, f, true);
    }
}

static void answer_writers(struct held_all *h)
{
    struct signalfd_siginfo s;

    while (read(h->signals, &s, sizeof(s)) == sizeof(s))
        if ((int)s.ssi_signo == SIGIO)
            answer_all(h);
        else
            answer(h, s.ssi_fd);
}

/* ---- what nobody waits for ---- */

static bool copy_one_left(struct held_all *h)
{
    struct held_file *f, *next;
    bool copy = false;

    (void)pthread_mutex_lock(&h->lock);
    HASH_ITER(by_fd, h->fds, f, next) {
        copy = f->stage == HELD_LEFT;
        if (copy) {
            f->stage = HELD_COPYING;
            break;
        }
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (copy)
        end_one(h, f, false);
    return copy;
}

static void look_for_deleted(struct held_all *h)
{
    struct held_file *f, *next;
    struct stat st;

    (void)pthread_mutex_lock(&h->lock);
    HASH_ITER(by_fd, h->fds, f, next) {
        if (f->stage != HELD_HELD || fstat(f->fd, &st) < 0 || st.st_nlink > 0)
            continue;
        held_unname(h, f);
        f->stage = HELD_LEFT;
    }
    (void)pthread_mutex_unlock(&h->lock);
}

/* What is not mounted any more is let go: nothing of it changes by its path, and its device is to be free. */
static void look_for_unmounted(struct held_all *h)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    struct held_file *f, *next;
    struct mountinfo mount;

    if (mountinfo_read("/proc/self/mountinfo", &table) < 0)
        return;
    (void)pthread_mutex_lock(&h->lock);
    HASH_ITER(by_fd, h->fds, f, next) {
        if ((f->stage != HELD_HELD && f->stage != HELD_LEFT) || f->mount < 0 || mountinfo_by_id(sbuf_bytes(&table), (uint64_t)f->mount, &mount))
            continue;
        held_unname(h, f);
        held_close(h, f);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

/* ---- its life ---- */

static bool is_over(struct held_all *h)
{
    bool over;

    (void)pthread_mutex_lock(&h->lock);
    over = h->stop;
    (void)pthread_mutex_unlock(&h->lock);
    return over;
}

static void begin(struct held_all *h)
{
    (void)prctl(PR_SET_NAME, "culprit-leases", 0, 0, 0);
    (void)pthread_mutex_lock(&h->lock);
    h->tid = (pid_t)syscall(SYS_gettid);
    (void)pthread_mutex_unlock(&h->lock);
}

void *held_watch(void *held)
{
    struct held_all *h = held;
    uint64_t looked = clock_ms(CLOCK_MONOTONIC), now, ignored;
    bool more = false;

    begin(h);
    while (!is_over(h)) {
        struct pollfd ready[] = { { h->signals, POLLIN, 0 }, { h->wake, POLLIN, 0 }, { h->mounts, POLLPRI, 0 } };

        (void)poll(ready, ARRAY_SIZE(ready), more ? 0 : LOOK_MS);
        (void)!read(h->wake, &ignored, sizeof(ignored));
        answer_writers(h);
        if (ready[2].revents & (POLLERR | POLLPRI))
            look_for_unmounted(h);
        now = clock_ms(CLOCK_MONOTONIC);
        if (now >= looked + LOOK_MS) {
            look_for_deleted(h);
            looked = now;
        }
        more = copy_one_left(h);
    }
    return NULL;
}
