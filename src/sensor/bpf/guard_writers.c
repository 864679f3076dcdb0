/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/guard_writers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sensor/bpf/guard_tree.h"
#include "sensor/bpf/skeleton.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/thread.h"

#define LOOK_NS NS_PER_S
#define AGAIN_NS (60 * NS_PER_S) /* after a file that could not be looked at */
#define SHARE 20 /* after a look at all files a time that is so much longer: a great tree is not looked at all the time */
#define HANGS_S 2 /* a file system that does not answer holds up nobody's end */

struct fds {
    int *all;
    size_t count;
};

static struct {
    pthread_mutex_t lock; /* of all but `found` and what belongs to it */
    pthread_cond_t changed;
    pthread_t thread;
    struct programs *programs; /* NULL: there is no guard */
    int query_fd;              /* of guard_writers_query */
    bool started, stop, stays, attached, escaped;
    bool paused;         /* nothing is refused, or not yet again */
    bool wants;          /* places */
    uint64_t generation; /* of what is guarded */
    struct fds places;   /* as they were handed over */
    bool given;
    uint64_t given_generation;
    uint64_t count;
    /* the thread's own */
    struct fds found; /* files with writers */
    bool more;        /* there were more than are kept */
    bool sure;        /* all were looked at */
    uint64_t looked;  /* the generation that was */
    uint64_t again_ns, next_all_ns; /* CLOCK_MONOTONIC */
} writers = { .lock = PTHREAD_MUTEX_INITIALIZER, .count = GUARD_WRITERS_UNKNOWN };

static void fds_close(struct fds *f)
{
    while (f->count)
        close(f->all[--f->count]);
    free(f->all);
    f->all = NULL;
}

static int fds_add(struct fds *f, int fd)
{
    int *more = reallocarray(f->all, f->count + 1, sizeof(int)), copy;

    if (!more)
        return -ENOMEM;
    f->all = more;
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return -errno;
    f->all[f->count++] = copy;
    return 0;
}

/* ---- the look ---- */

/* 1, 0; -errno: there is no knowing. */
static int has_writers(int fd)
{
    uint64_t arguments[1] = { (uint64_t)fd };
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));

    if (bpf_prog_test_run_opts(writers.query_fd, &options) < 0)
        return -errno;
    return options.retval > 1 ? -EBADF : (int)options.retval;
}

static bool is_over(void)
{
    return __atomic_load_n(&writers.stop, __ATOMIC_SEQ_CST);
}

static int look_at(void *data, int fd, const struct stat *st)
{
    size_t *files = data;
    int r;

    if (is_over() || ++*files > LIMIT_GUARD_WRITERS_FILES)
        return -E2BIG;
    r = S_ISREG(st->st_mode) ? has_writers(fd) : 0;
    if (r <= 0)
        return r;
    if (writers.found.count == LIMIT_GUARD_WRITERS) {
        writers.more = true;
        return 0;
    }
    return fds_add(&writers.found, fd);
}

/* Everything. */
static void look_at_all(struct fds *places)
{
    uint64_t from = clock_ns(CLOCK_MONOTONIC), now;
    size_t files = 0;
    int r = 0;

    fds_close(&writers.found);
    writers.more = false;
    for (size_t i = 0; i < places->count && r == 0; i++)
        r = guard_tree_each(places->all[i], look_at, &files, NULL);
    fds_close(places);
    now = clock_ns(CLOCK_MONOTONIC);
    writers.next_all_ns = now + SHARE * (now - from);
    writers.sure = r == 0;
    writers.again_ns = r < 0 && r != -E2BIG && r != -ELOOP ? now + AGAIN_NS : 0;
}

/* Those that had writers. */
static void look_again(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < writers.found.count; i++) {
        if (has_writers(writers.found.all[i]) != 0)
            writers.found.all[kept++] = writers.found.all[i];
        else
            close(writers.found.all[i]);
    }
    writers.found.count = kept;
}

/* ---- what follows from it; with the lock ---- */

static void attach(bool on)
{
    if (programs_follow_writers(writers.programs, on, NULL) == 0)
        writers.attached = on;
    else
        writers.escaped = true;
}

static void ask_anew(void)
{
    writers.again_ns = 0;
    writers.sure = false;
    writers.wants = true;
}

static void settle(void)
{
    if (!writers.attached && writers.count)
        attach(true); /* it failed before */
    if (writers.looked != writers.generation || writers.stays || writers.paused)
        return;
    if (writers.again_ns && clock_ns(CLOCK_MONOTONIC) >= writers.again_ns)
        ask_anew();
    if (!writers.sure)
        return;
    if (writers.more && !writers.found.count) {
        ask_anew();
        return;
    }
    writers.count = writers.found.count;
    if (!writers.count && writers.attached)
        attach(false);
    pthread_cond_broadcast(&writers.changed);
}

/* Is there anything that time changes? */
static bool is_waiting(void)
{
    return writers.given || writers.found.count || writers.again_ns || (!writers.attached && writers.count);
}

static void wait_a_while(void)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + LOOK_NS;
    struct timespec at = { (time_t)(until / NS_PER_S), (long)(until % NS_PER_S) };

    if (is_waiting())
        (void)pthread_cond_timedwait(&writers.changed, &writers.lock, &at);
    else
        (void)pthread_cond_wait(&writers.changed, &writers.lock);
}

static void *look(void *data)
{
    (void)data;
    pthread_mutex_lock(&writers.lock);
    while (!writers.stop) {
        uint64_t generation = writers.given_generation;
        bool given = writers.given && clock_ns(CLOCK_MONOTONIC) >= writers.next_all_ns;
        struct fds places = { 0 };

        if (given) {
            places = writers.places;
            writers.places = (struct fds){ 0 };
            writers.given = false;
        }
        pthread_mutex_unlock(&writers.lock);
        if (given)
            look_at_all(&places);
        else
            look_again();
        pthread_mutex_lock(&writers.lock);
        if (writers.stop)
            break;
        if (given)
            writers.looked = generation;
        settle();
        if (!writers.given || clock_ns(CLOCK_MONOTONIC) < writers.next_all_ns)
            wait_a_while();
    }
    pthread_mutex_unlock(&writers.lock);
    fds_close(&writers.found);
    return NULL;
}

/* ---- from outside ---- */

int guard_writers_begin(struct programs *programs, struct err *err)
{
    pthread_condattr_t attributes;
    int r;

    if (writers.stays)
        return 0;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writers.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    writers.query_fd = bpf_program__fd(programs->skeleton->progs.guard_writers_query);
    writers.stop = writers.escaped = false;
    writers.attached = true;
    writers.count = GUARD_WRITERS_UNKNOWN;
    writers.looked = writers.generation++;
    writers.wants = true;
    writers.programs = programs;
    r = thread_start(&writers.thread, look, NULL);
    writers.started = r == 0;
    if (r < 0)
        writers.programs = NULL;
    return r < 0 ? err_set(err, r, "looking for older writers") : 0;
}

void guard_writers_stay(void)
{
    pthread_mutex_lock(&writers.lock);
    writers.stays = true;
    pthread_mutex_unlock(&writers.lock);
    guard_writers_unsure();
}

/* With the lock. */
static void begin_anew(void)
{
    writers.generation++;
    writers.count = GUARD_WRITERS_UNKNOWN;
    writers.wants = true;
    if (!writers.attached)
        attach(true);
    if (!writers.attached)
        pthread_cond_broadcast(&writers.changed); /* the thread goes on trying */
}

void guard_writers_unsure(void)
{
    pthread_mutex_lock(&writers.lock);
    if (writers.programs)
        begin_anew();
    pthread_mutex_unlock(&writers.lock);
}

void guard_writers_pause(bool on)
{
    pthread_mutex_lock(&writers.lock);
    writers.paused = on;
    if (writers.programs)
        begin_anew();
    pthread_mutex_unlock(&writers.lock);
}

bool guard_writers_want_places(void)
{
    return __atomic_load_n(&writers.wants, __ATOMIC_SEQ_CST);
}

void guard_writers_take_places(const int *fds, size_t count)
{
    int r = 0;

    pthread_mutex_lock(&writers.lock);
    fds_close(&writers.places);
    for (size_t i = 0; i < count && r == 0; i++)
        r = fds_add(&writers.places, fds[i]);
    writers.wants = r < 0; /* once more, at the next turn */
    writers.given = r == 0;
    writers.given_generation = writers.generation;
    pthread_cond_broadcast(&writers.changed);
    pthread_mutex_unlock(&writers.lock);
}

bool guard_writers_wait(unsigned timeout_ms)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;
    struct timespec at = { (time_t)(until / NS_PER_S), (long)(until % NS_PER_S) };
    bool known;

    pthread_mutex_lock(&writers.lock);
    while (writers.programs && writers.count == GUARD_WRITERS_UNKNOWN && clock_ns(CLOCK_MONOTONIC) < until)
        (void)pthread_cond_timedwait(&writers.changed, &writers.lock, &at);
    known = !writers.programs || writers.count != GUARD_WRITERS_UNKNOWN || writers.stays;
    pthread_mutex_unlock(&writers.lock);
    return known;
}

uint64_t guard_writers_count(void)
{
    return __atomic_load_n(&writers.count, __ATOMIC_SEQ_CST);
}

bool guard_writers_escaped(void)
{
    return __atomic_load_n(&writers.escaped, __ATOMIC_SEQ_CST);
}

void guard_writers_end(void)
{
    struct timespec at;

    pthread_mutex_lock(&writers.lock);
    writers.programs = NULL;
    writers.stays = false;
    writers.wants = false;
    writers.count = GUARD_WRITERS_UNKNOWN;
    __atomic_store_n(&writers.stop, true, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&writers.changed);
    pthread_mutex_unlock(&writers.lock);
    if (writers.started) {
        (void)clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec += HANGS_S;
        if (pthread_timedjoin_np(writers.thread, NULL, &at) != 0)
            (void)pthread_detach(writers.thread);
    }
    writers.started = false;
    fds_close(&writers.places);
}
