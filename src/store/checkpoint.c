/* SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/sqlite.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/thread.h"

#define SYNC_NS (3 * NS_PER_S) /* so long after a transaction the disk has it */

struct checkpointer {
    sqlite3 *db;
    char *log; /* SQLite's, as a path */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* for the thread: something to do */
    pthread_cond_t done;
    bool go, stop, working;
    uint64_t sync_ns; /* CLOCK_MONOTONIC: when what was written goes to the disk; 0: nothing was */
};

/* Nobody's lock is on the log itself: it may be opened and closed beside SQLite. */
static void sync_log(const struct checkpointer *c)
{
    _cleanup_close_ int fd = open(c->log, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0)
        (void)fdatasync(fd); /* what fails is in memory still, and the kernel writes it when it can */
}

/* Under the lock, which is given up meanwhile: until there is something to do. True: it is the log. */
static bool wait_for_work(struct checkpointer *c)
{
    while (!c->go && !c->stop) {
        struct timespec at = { .tv_sec = (time_t)(c->sync_ns / NS_PER_S), .tv_nsec = (long)(c->sync_ns % NS_PER_S) };

        if (!c->sync_ns)
            pthread_cond_wait(&c->wake, &c->lock);
        else if (pthread_cond_timedwait(&c->wake, &c->lock, &at) == ETIMEDOUT && c->sync_ns)
            return true;
    }
    return false;
}

static void *checkpointer_main(void *data)
{
    struct checkpointer *c = data;

    pthread_mutex_lock(&c->lock);
    for (;;) {
        if (wait_for_work(c)) {
            c->sync_ns = 0;
            pthread_mutex_unlock(&c->lock);
            sync_log(c);
            pthread_mutex_lock(&c->lock);
            continue;
        }
        if (c->stop)
            break;
        c->go = false;
        c->working = true;
        pthread_mutex_unlock(&c->lock);
        /* what fails is tried again after one of the next transactions */
        (void)sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        pthread_mutex_lock(&c->lock);
        c->working = false;
        pthread_cond_broadcast(&c->done);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void release(struct checkpointer *c)
{
    sqlite3_close(c->db);
    free(c->log);
    free(c);
}

int checkpointer_new(const char *path, struct checkpointer **ret, struct err *err)
{
    struct checkpointer *c = calloc(1, sizeof(*c));
    pthread_condattr_t monotonic;
    int r;

    if (!c)
        return err_set(err, -ENOMEM, "the store");
    if (asprintf(&c->log, "%s-wal", path) < 0) {
        free(c);
        return err_set(err, -ENOMEM, "the store");
    }
    r = db_open(path, false, &c->db, NULL, err);
    if (r == 0)
        r = db_exec(c->db, path, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -100", err);
    if (r < 0) {
        release(c);
        return r;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &monotonic);
    pthread_cond_init(&c->done, NULL);
    r = thread_start(&c->thread, checkpointer_main, c);
    if (r < 0) {
        release(c);
        return err_set(err, r, "the store's second thread");
    }
    *ret = c;
    return 0;
}

void checkpointer_wake(struct checkpointer *c)
{
    pthread_mutex_lock(&c->lock);
    c->go = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void checkpointer_written(struct checkpointer *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    if (!c->sync_ns) {
        c->sync_ns = clock_ns(CLOCK_MONOTONIC) + SYNC_NS;
        pthread_cond_signal(&c->wake);
    }
    pthread_mutex_unlock(&c->lock);
}

void checkpointer_wait(struct checkpointer *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->go = false;
    while (c->working)
        pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

void checkpointer_free(struct checkpointer *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    release(c);
}
