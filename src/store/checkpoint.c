/* SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "store/sqlite.h"
#include "util/thread.h"

struct checkpointer {
    sqlite3 *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* for the thread: something to do */
    pthread_cond_t done;
    bool go, stop, working;
};

static void *checkpointer_main(void *data)
{
    struct checkpointer *c = data;

    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->go && !c->stop)
            pthread_cond_wait(&c->wake, &c->lock);
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

int checkpointer_new(const char *path, struct checkpointer **ret, struct err *err)
{
    struct checkpointer *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return err_set(err, -ENOMEM, "the store");
    r = db_open(path, false, &c->db, NULL, err);
    if (r == 0)
        r = db_exec(c->db, path, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -100", err);
    if (r < 0) {
        sqlite3_close(c->db);
        free(c);
        return r;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    pthread_cond_init(&c->done, NULL);
    r = thread_start(&c->thread, checkpointer_main, c);
    if (r < 0) {
        sqlite3_close(c->db);
        free(c);
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
    sqlite3_close(c->db);
    free(c);
}
