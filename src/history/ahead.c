/* SPDX-License-Identifier: MIT */
/* Reading and scanning is half of the work: a thread does it for the block after the next, while one is decoded. */
#include "history/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "history/replay_state.h"
#include "history/scan.h"
#include "util/clock.h"
#include "util/thread.h"

struct ahead {
    struct replay *replay;
    struct audit_log_reader *reader;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    bool asked, stop;
    int result;
    struct audit_log_stats stats;
};

static int fill(struct ahead *a)
{
    struct log_block *b = &a->replay->blocks[BLOCKS - 1];
    int more, r, old;

    /* the one place where the thread may be cancelled: nobody may ever write to the pipe, or open it */
    pthread_cleanup_push(thread_left, NULL);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    more = audit_log_reader_next(a->reader, &b->text, NULL);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_cleanup_pop(0);
    if (more <= 0)
        return more;
    r = replay_scan(a->replay, b);
    return r < 0 ? r : more;
}

static void *ahead_main(void *data)
{
    struct ahead *a = data;
    int old;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_mutex_lock(&a->lock);
    for (;;) {
        int r;

        while (!a->asked && !a->stop)
            pthread_cond_wait(&a->turn, &a->lock);
        if (a->stop)
            break;
        pthread_mutex_unlock(&a->lock);
        r = fill(a);
        pthread_mutex_lock(&a->lock);
        a->result = r;
        a->stats = *audit_log_reader_stats(a->reader);
        a->asked = false;
        pthread_cond_broadcast(&a->turn);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

int replay_ahead_new(struct replay *p, const struct audit_log_reader_options *options, struct ahead **ret, struct err *err)
{
    struct ahead *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return -ENOMEM;
    a->replay = p;
    r = audit_log_reader_new(options, &a->reader, err);
    if (r < 0) {
        free(a);
        return r;
    }
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->turn, NULL);
    r = thread_start(&a->thread, ahead_main, a);
    if (r < 0) {
        audit_log_reader_free(a->reader);
        free(a);
        return err_set(err, r, "a thread for reading logs");
    }
    *ret = a;
    return 0;
}

void replay_ahead_free(struct ahead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_broadcast(&a->turn);
    if (a->asked)
        pthread_cancel(a->thread);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->turn);
    pthread_mutex_destroy(&a->lock);
    audit_log_reader_free(a->reader);
    free(a);
}

void replay_ahead_ask(struct ahead *a)
{
    pthread_mutex_lock(&a->lock);
    a->asked = true;
    pthread_cond_broadcast(&a->turn);
    pthread_mutex_unlock(&a->lock);
}

int replay_ahead_wait(struct ahead *a, struct audit_log_stats *ret_stats)
{
    int r;

    pthread_mutex_lock(&a->lock);
    while (a->asked)
        pthread_cond_wait(&a->turn, &a->lock);
    r = a->result;
    *ret_stats = a->stats;
    pthread_mutex_unlock(&a->lock);
    return r;
}

bool replay_ahead_is_done(struct ahead *a, unsigned timeout_ms)
{
    const struct timespec until = clock_after_ms(CLOCK_REALTIME, timeout_ms);
    bool done;

    pthread_mutex_lock(&a->lock);
    while (a->asked)
        if (pthread_cond_timedwait(&a->turn, &a->lock, &until) != 0)
            break;
    done = !a->asked;
    pthread_mutex_unlock(&a->lock);
    return done;
}
