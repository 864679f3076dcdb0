/* SPDX-License-Identifier: MIT */
#include "search/engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "search/events.h"
#include "search/lines.h"
#include "util/macro.h"

#define THREADS_MAX 4   /* more cannot be fed: one thread makes the events */
#define JOBS_PER_THREAD 2
#define IDLE_MS 500     /* a pipe that says nothing for so long: what is decided is shown */

enum job_state { JOB_FREE, JOB_READING, JOB_READY };

struct block_job {
    enum job_state state;
    uint64_t number; /* order of the blocks */
    struct audit_log_block block;
    struct search_lines lines;
};

struct engine {
    const struct search_run *run;
    struct search_lines_options line_options;
    struct audit_log_reader *reader;
    pthread_mutex_t lock, read_lock;
    pthread_cond_t free_job, ready_job;
    struct block_job jobs[THREADS_MAX * JOBS_PER_THREAD + 1];
    unsigned job_count;
    uint64_t next_number; /* of the next block to be read; under read_lock */
    uint64_t block_count; /* known once the end is reached */
    bool at_end, stop;
    bool ended; /* the receiver wants no more; the consumer's own */
    int failure;
};

static void fail(struct engine *e, int code)
{
    pthread_mutex_lock(&e->lock);
    if (e->failure == 0)
        e->failure = code;
    e->stop = true;
    pthread_cond_broadcast(&e->ready_job);
    pthread_cond_broadcast(&e->free_job);
    pthread_mutex_unlock(&e->lock);
}

/* NULL: stop. */
static struct block_job *take_free_job(struct engine *e)
{
    struct block_job *job = NULL;

    pthread_mutex_lock(&e->lock);
    while (!e->stop && !e->at_end) {
        for (unsigned i = 0; i < e->job_count && !job; i++)
            if (e->jobs[i].state == JOB_FREE)
                job = &e->jobs[i];
        if (job) {
            job->state = JOB_READING;
            job->number = UINT64_MAX;
            break;
        }
        pthread_cond_wait(&e->free_job, &e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return job;
}

static void give_back(struct engine *e, struct block_job *job)
{
    pthread_mutex_lock(&e->lock);
    job->state = JOB_FREE;
    pthread_cond_signal(&e->free_job);
    pthread_mutex_unlock(&e->lock);
}

static void unlock(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

/* The one place where a thread may be cancelled: a pipe may stay silent for ever after the search has
 * ended. Under read_lock. */
static int read_block(struct engine *e, struct audit_log_block *block)
{
    int r, old;

    pthread_cleanup_push(unlock, &e->read_lock);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    r = audit_log_reader_next(e->reader, block, NULL);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_cleanup_pop(0);
    return r;
}

/* Blocks are read one after the other, whoever reads; scanned side by side. */
static void *work(void *data)
{
    struct engine *e = data;
    struct block_job *job;
    int old;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    while ((job = take_free_job(e))) {
        int r = 0;

        pthread_mutex_lock(&e->read_lock);
        if (!e->at_end && !e->stop) {
            r = read_block(e, &job->block);
            if (r > 0)
                job->number = e->next_number++;
        }
        if (r <= 0) {
            pthread_mutex_lock(&e->lock);
            e->at_end = true;
            e->block_count = e->next_number;
            job->state = JOB_FREE;
            pthread_cond_broadcast(&e->ready_job);
            pthread_cond_broadcast(&e->free_job);
            pthread_mutex_unlock(&e->lock);
        }
        pthread_mutex_unlock(&e->read_lock);
        if (r < 0)
            fail(e, r);
        if (r <= 0)
            break;
        r = search_lines_read(job->block.text, &e->line_options, &job->lines);
        if (r < 0) {
            fail(e, r);
            break;
        }
        pthread_mutex_lock(&e->lock);
        job->state = JOB_READY;
        pthread_cond_broadcast(&e->ready_job);
        pthread_mutex_unlock(&e->lock);
    }
    return NULL;
}

/* The block of that number; NULL at the end or on failure. */
static struct block_job *wait_for(struct engine *e, uint64_t number, struct search_events *events)
{
    struct block_job *job = NULL;
    bool idle = false;

    pthread_mutex_lock(&e->lock);
    for (;;) {
        struct timespec until;

        for (unsigned i = 0; i < e->job_count; i++)
            if (e->jobs[i].state == JOB_READY && e->jobs[i].number == number)
                job = &e->jobs[i];
        if (job || e->stop || e->ended || (e->at_end && number >= e->block_count))
            break;
        if (idle || !e->run->idle) {
            pthread_cond_wait(&e->ready_job, &e->lock);
            continue;
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += IDLE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&e->ready_job, &e->lock, &until) == ETIMEDOUT) {
            pthread_mutex_unlock(&e->lock);
            e->ended = search_events_finish(events, true) == 1;
            e->run->idle(e->run->data);
            pthread_mutex_lock(&e->lock);
            idle = true;
        }
    }
    pthread_mutex_unlock(&e->lock);
    return job;
}

static int consume(struct engine *e, struct search_events *events, struct search_stats *stats)
{
    int r = 0;

    for (uint64_t number = 0; r == 0; number++) {
        struct block_job *job = wait_for(e, number, events);

        if (!job)
            break;
        stats->records += job->lines.count;
        stats->damaged += job->lines.damaged;
        r = search_events_add(events, job->block.text, &job->lines);
        if (r == 0)
            r = search_events_keep(events);
        give_back(e, job);
    }
    if (r == 0 && e->ended)
        r = 1;
    if (r == 0 && e->failure)
        r = e->failure;
    if (r == 0 && !e->run->keep_open)
        r = search_events_finish(events, false);
    return r;
}

static unsigned thread_count(const struct search_run *run)
{
    long n = run->threads ? (long)run->threads : sysconf(_SC_NPROCESSORS_ONLN);

    return (unsigned)MIN(MAX(n, 1), THREADS_MAX);
}

int search_run(const struct search_run *run, struct search_stats *ret, struct err *err)
{
    const struct search_query *q = run->query;
    struct audit_log_reader_options reader_options = { .files = run->files, .log = run->log };
    struct engine *e = calloc(1, sizeof(*e));
    struct needle needle = { 0 };
    struct search_events *events = NULL;
    pthread_t threads[THREADS_MAX];
    unsigned wanted = thread_count(run), started = 0;
    int r;

    *ret = (struct search_stats){ 0 };
    if (!e)
        return -ENOMEM;
    e->run = run;
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->read_lock, NULL);
    pthread_cond_init(&e->free_job, NULL);
    pthread_cond_init(&e->ready_job, NULL);
    e->job_count = wanted * JOBS_PER_THREAD + 1;
    r = needle_of_query(q, &needle);
    if (r < 0)
        goto out;
    e->line_options = (struct search_lines_options){ .needle = &needle,
                                                     .types = q->types,
                                                     .type_count = q->type_count,
                                                     .start_s = q->start_s,
                                                     .end_s = q->end_s };
    events = search_events_new(run, q->end_of_event_s, needle.count || q->type_count, ret);
    if (!events) {
        r = -ENOMEM;
        goto out;
    }
    r = audit_log_reader_new(&reader_options, &e->reader, err);
    if (r < 0)
        goto out;
    for (; started < wanted; started++) {
        r = -pthread_create(&threads[started], NULL, work, e);
        if (r < 0)
            break;
    }
    if (started == 0) {
        err_set(err, r, "starting a thread");
        goto out;
    }
    r = consume(e, events, ret);
    pthread_mutex_lock(&e->lock);
    e->stop = true;
    pthread_cond_broadcast(&e->free_job);
    pthread_mutex_unlock(&e->lock);
    for (unsigned i = 0; i < started && r != 0; i++) /* enough found, or failed: a pipe may be silent for ever */
        pthread_cancel(threads[i]);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    ret->log = *audit_log_reader_stats(e->reader);
    ret->unsure = run->matcher->unsure;
out:
    search_events_free(events);
    audit_log_reader_free(e->reader);
    for (unsigned i = 0; i < ARRAY_SIZE(e->jobs); i++) {
        audit_log_block_done(&e->jobs[i].block);
        search_lines_done(&e->jobs[i].lines);
    }
    needle_done(&needle);
    pthread_cond_destroy(&e->free_job);
    pthread_cond_destroy(&e->ready_job);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->read_lock);
    free(e);
    return r;
}
