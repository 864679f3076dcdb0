/* SPDX-License-Identifier: MIT */
#include "copies/held.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "copies/held_state.h"
#include "copies/held_thread.h"
#include "copies/large.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/macro.h"

#define HELD_MAX 65536
#define FINISH_MS 4000
#define FINISH_LOOK_MS 5
#define OTHERS 64 /* descriptors that the process needs beside */

/* ---- begin and end ---- */

static int descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= OTHERS)
        return 0;
    return (int)MIN(limit.rlim_cur - OTHERS, (rlim_t)HELD_MAX);
}

static int open_own(struct held_all *h)
{
    sigset_t of_leases;

    sigemptyset(&of_leases);
    sigaddset(&of_leases, HELD_SIGNAL);
    sigaddset(&of_leases, SIGIO);
    if (pthread_sigmask(SIG_BLOCK, &of_leases, NULL) != 0)
        return -EINVAL;
    h->signals = signalfd(-1, &of_leases, SFD_CLOEXEC | SFD_NONBLOCK);
    h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    return h->signals < 0 || h->wake < 0 || h->ready < 0 ? -errno : 0;
}

static void free_all(struct held_all *h)
{
    struct held_file *f, *next;
    struct held_end *end;

    HASH_ITER(by_fd, h->fds, f, next) {
        held_unname(h, f);
        held_close(h, f);
    }
    while ((end = held_next(h)))
        free(end);
    closep(&h->signals);
    closep(&h->wake);
    closep(&h->ready);
    closep(&h->mounts);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}

/* The thread says its number first. */
static int await_thread(struct held_all *h)
{
    pid_t tid = 0;

    while (!tid) {
        (void)pthread_mutex_lock(&h->lock);
        tid = h->tid;
        (void)pthread_mutex_unlock(&h->lock);
        if (!tid)
            (void)usleep(100);
    }
    return 0;
}

int held_begin(int directory, struct held_all **ret)
{
    struct held_all *h = calloc(1, sizeof(*h));
    int r;

    if (!h)
        return -ENOMEM;
    h->directory = directory;
    h->signals = h->wake = h->ready = h->mounts = -EBADF;
    h->ended_end = &h->ended;
    h->max = descriptors();
    (void)pthread_mutex_init(&h->lock, NULL);
    r = open_own(h);
    if (r == 0)
        r = -pthread_create(&h->thread, NULL, held_watch, h);
    if (r < 0) {
        free_all(h);
        return r;
    }
    *ret = h;
    return await_thread(h);
}

static void wake(const struct held_all *h)
{
    const uint64_t one = 1;

    (void)!write(h->wake, &one, sizeof(one));
}

static bool has_left(struct held_all *h)
{
    struct held_file *f, *next;
    bool has = false;

    (void)pthread_mutex_lock(&h->lock);
    HASH_ITER(by_fd, h->fds, f, next)
        has |= f->stage == HELD_LEFT || f->stage == HELD_COPYING;
    (void)pthread_mutex_unlock(&h->lock);
    return has;
}

void held_finish(struct held_all *h)
{
    for (unsigned waited = 0; h && has_left(h) && waited < FINISH_MS; waited += FINISH_LOOK_MS)
        (void)usleep(FINISH_LOOK_MS * 1000);
}

void held_stop(struct held_all *h)
{
    if (!h)
        return;
    (void)pthread_mutex_lock(&h->lock);
    h->stop = true;
    (void)pthread_mutex_unlock(&h->lock);
    wake(h);
    (void)pthread_join(h->thread, NULL);
    free_all(h);
}

/* ---- one file ---- */

static struct held_file *find(struct held_all *h, struct bytes path)
{
    struct held_file *f;

    HASH_FIND(hh, h->paths, path.data, path.len, f);
    return f;
}

/* In a mount that is nowhere: the file's own can be unmounted then. Without the right to do so it is held where it is. */
static int open_apart(int path_fd)
{
    _cleanup_close_ int clone = (int)syscall(SYS_open_tree, path_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    return beneath_reopen_file(clone >= 0 ? clone : path_fd);
}

/* The signal comes to the thread, with the descriptor. */
static int take_lease(const struct held_all *h, int fd)
{
    const struct f_owner_ex thread = { F_OWNER_TID, h->tid };

    if (fcntl(fd, F_SETSIG, HELD_SIGNAL) < 0 || fcntl(fd, F_SETOWN_EX, &thread) < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        return -errno;
    return 0;
}

static bool is_same_content(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* It is known to the thread before it has a lease. */
static struct held_file *add(struct held_all *h, int path_fd, struct bytes path, const struct stat *st, int *ret_error)
{
    struct held_file *f = calloc(1, sizeof(*f) + path.len + 1);
    bool known;

    *ret_error = f ? 0 : -ENOMEM;
    if (!f)
        return NULL;
    f->len = path.len;
    memcpy(f->path, path.data, path.len);
    f->st = *st;
    f->mount = beneath_mount_of(path_fd);
    f->fd = open_apart(path_fd);
    if (f->fd < 0) {
        *ret_error = f->fd;
        free(f);
        return NULL;
    }
    (void)pthread_mutex_lock(&h->lock);
    HASH_ADD(by_fd, h->fds, fd, sizeof(f->fd), f);
    known = HASH_IS_IN(by_fd, f);
    *ret_error = known ? take_lease(h, f->fd) : -ENOMEM;
    if (known && *ret_error) {
        held_close(h, f);
        f = NULL;
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (known)
        return f;
    close(f->fd);
    free(f);
    return NULL;
}

/* False: it was changed while it was read. */
static bool is_whole(const struct held_file *f, uint64_t size)
{
    struct stat now;

    return !f->broken && size == (uint64_t)f->st.st_size && fstat(f->fd, &now) == 0 && is_same_content(&f->st, &now);
}

int held_hold(struct held_all *h, int path_fd, struct bytes path, const struct stat *st, unsigned char ret_sha256[32])
{
    struct held_file *f;
    uint64_t size = 0;
    int r = 0;

    if (held_count(h) >= (uint64_t)h->max)
        return -EMFILE;
    held_let_go(h, path);
    f = add(h, path_fd, path, st, &r);
    if (!f)
        return r;
    r = large_sum(f->fd, ret_sha256, &size);
    (void)pthread_mutex_lock(&h->lock);
    if (r == 0 && !is_whole(f, size))
        r = -ESTALE;
    if (r == 0) {
        memcpy(f->sha256, ret_sha256, sizeof(f->sha256));
        f->stage = HELD_HELD;
        HASH_ADD_KEYPTR(hh, h->paths, f->path, f->len, f);
        r = HASH_IS_IN(hh, f) ? 0 : -ENOMEM;
    }
    if (r < 0)
        held_close(h, f);
    (void)pthread_mutex_unlock(&h->lock);
    return r;
}

/* Locked. */
static void leave(struct held_all *h, struct held_file *f)
{
    held_unname(h, f);
    if (f->stage == HELD_HELD)
        f->stage = HELD_LEFT;
}

bool held_is(struct held_all *h, struct bytes path, const struct stat *st, unsigned char ret_sha256[32])
{
    struct held_file *f;
    bool is = false, left = false;

    (void)pthread_mutex_lock(&h->lock);
    f = find(h, path);
    if (f) {
        is = f->stage == HELD_HELD && is_same_content(&f->st, st) && fcntl(f->fd, F_GETLEASE) == F_RDLCK;
        if (is)
            memcpy(ret_sha256, f->sha256, sizeof(f->sha256));
        else
            leave(h, f);
        left = !is;
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (left)
        wake(h);
    return is;
}

void held_gone(struct held_all *h, struct bytes path)
{
    struct held_file *f, *next;
    bool left = false;

    (void)pthread_mutex_lock(&h->lock);
    HASH_ITER(hh, h->paths, f, next) {
        if (!bytes_path_covers(path, (struct bytes){ f->path, f->len }))
            continue;
        leave(h, f);
        left = true;
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (left)
        wake(h);
}

void held_let_go(struct held_all *h, struct bytes path)
{
    struct held_file *f;

    (void)pthread_mutex_lock(&h->lock);
    f = find(h, path);
    if (f)
        held_unname(h, f);
    if (f && f->stage == HELD_HELD)
        held_close(h, f);
    (void)pthread_mutex_unlock(&h->lock);
}

/* ---- what became of them ---- */

void held_room(struct held_all *h, uint64_t bytes)
{
    (void)pthread_mutex_lock(&h->lock);
    h->room = bytes > h->copied ? bytes - h->copied : 0;
    (void)pthread_mutex_unlock(&h->lock);
}

int held_fd(const struct held_all *h)
{
    return h->ready;
}

struct held_end *held_next(struct held_all *h)
{
    struct held_ended *first;
    struct held_end *end = NULL;
    uint64_t ignored;

    (void)pthread_mutex_lock(&h->lock);
    first = h->ended;
    if (first) {
        h->ended = first->next;
        if (!h->ended)
            h->ended_end = &h->ended;
        end = first->end;
        h->copied -= end->error ? 0 : end->size;
        free(first);
    } else {
        (void)!read(h->ready, &ignored, sizeof(ignored));
    }
    (void)pthread_mutex_unlock(&h->lock);
    return end;
}

uint64_t held_count(const struct held_all *h)
{
    struct held_all *own = (struct held_all *)(uintptr_t)h;
    uint64_t count;

    (void)pthread_mutex_lock(&own->lock);
    count = HASH_CNT(by_fd, own->fds);
    (void)pthread_mutex_unlock(&own->lock);
    return count;
}
