/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/adding.h"
#include "store/open_coverage.h"
#include "store/packed.h"
#include "store/sender.h"
#include "store/takeover.h"

/* ---- opening and closing ---- */

static struct store_queue *queue_new(struct store *s, const struct store_options *options)
{
    struct store_queue *q = calloc(1, sizeof(*q));
    pthread_condattr_t attributes;

    if (!q || !(q->path = strdup(s->path)) ||
        (options->spool_directory && !(q->spool_directory = strdup(options->spool_directory)))) {
        if (q)
            free(q->path);
        free(q);
        return NULL;
    }
    q->patient = options->patient;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, &attributes);
    pthread_cond_init(&q->done, &attributes);
    pthread_condattr_destroy(&attributes);
    return q;
}

int store_retain(struct store *s, const struct store_retention *retention)
{
    struct store_queue *q = s->queue;
    struct kept_retention *k = retention_copy(retention), *before;

    if (!k)
        return -ENOMEM;
    pthread_mutex_lock(&q->lock);
    before = q->next_retention;
    q->next_retention = k;
    pthread_mutex_unlock(&q->lock);
    retention_free(before);
    return 0;
}

static int open_for_writing(struct store *s, const struct store_options *options, struct err *err)
{
    int r = 0;

    s->queue = queue_new(s, options);
    s->adding = calloc(1, sizeof(*s->adding));
    if (!s->queue || !s->adding || !(s->adding->sender = sender_new()) ||
        (options->retention && store_retain(s, options->retention) < 0))
        return err_set(err, -ENOMEM, "the store");
    if (!options->retry)
        r = recorder_open(s->queue, err);
    return r == 0 ? recorder_start(s->queue, err) : r;
}

/* Whoever only asks wants to see it, too. */
static void take_over(struct store *s, const char *directory)
{
    struct err err = ERR_INIT;
    struct stat st;
    int r = directory ? db_look(s->path, &st, NULL) : -ENOENT;

    if (r == 0)
        r = takeover(directory, s->path, &st, NULL, &err);
    else
        r = 0; /* opening it says why */
    if (r < 0)
        log_warn(s->log, "what a culprit that ended without a word had read last cannot be put into the store: %s; answering without it",
                 err_text(&err, r));
}

static int open_for_questions(struct store *s, struct err *err)
{
    int r = db_open(s->path, true, &s->db, NULL, err);

    if (r == 0)
        r = schema_check(s->db, s->path, &s->has, err);
    return r < 0 ? r : packed_register(s->db, s->path, err);
}

int store_open(const struct store_options *options, struct store **ret, struct err *err)
{
    struct store *s = calloc(1, sizeof(*s));
    int r;

    if (!s || !(s->path = strdup(options->path ? options->path : STORE_DEFAULT_PATH))) {
        free(s);
        return err_set(err, -ENOMEM, "the store");
    }
    s->log = options->log;
    if (options->read_only)
        take_over(s, options->spool_directory);
    r = options->read_only ? 0 : open_for_writing(s, options, err);
    if (r == 0 && !options->retry)
        r = open_for_questions(s, err);
    if (r < 0) {
        store_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

int store_version(struct store *s, uint32_t *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite3_prepare_v2(s->db, "PRAGMA data_version", -1, &stmt, NULL);

    if (r == SQLITE_OK)
        r = sqlite3_step(stmt) == SQLITE_ROW ? SQLITE_OK : SQLITE_ERROR;
    if (r == SQLITE_OK)
        *ret = (uint32_t)sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return r == SQLITE_OK ? 0 : err_say(err, -EIO, "%s: %s", s->path, sqlite3_errmsg(s->db));
}

void store_close(struct store *s)
{
    struct spool_numbers stored = { 0 };

    if (!s)
        return;
    sqlite3_close(s->db); /* before the writer's: the last that closes cleans up, and may write for it */
    if (s->queue && s->adding)
        adding_gap(s);
    if (s->queue)
        recorder_stop(s->queue, &stored);
    if (s->adding) {
        spool_close(s->adding->spool, spool_is_stored(&s->adding->counted, &stored));
        while (s->adding->open)
            open_coverage_remove(&s->adding->open);
        sender_free(s->adding->sender);
        free(s->adding);
    }
    free(s->path);
    free(s);
}

/* ---- what was added, and where it is by now ---- */

int store_flush(struct store *s, struct err *err)
{
    struct store_queue *q = s->queue;
    struct patience patience = { 0 };
    struct condition now;
    uint64_t target, attempts;
    int r;

    if (!q)
        return 0;
    adding_gap(s);
    pthread_mutex_lock(&q->lock);
    target = q->added;
    attempts = q->attempts + q->writing; /* one that has begun already does not count */
    q->flush_to = MAX(q->flush_to, target);
    q->flushes++;
    pthread_cond_signal(&q->wake);
    while (q->written < target && !(q->error && q->attempts > attempts) && queue_wait(q, &patience))
        ;
    r = q->written >= target ? 0 : q->hangs ? -ETIMEDOUT : q->error;
    if (r < 0)
        (void)err_say(err, r, "%s", q->hangs ? "the store's file system does not answer" : err_text(&q->why, r));
    now = condition_of(q);
    pthread_mutex_unlock(&q->lock);
    condition_log(&now, s->path, s->log, &s->adding->logged);
    condition_log_fault(q, s->log, &s->adding->logged);
    return r;
}

void store_state(const struct store *s, struct store_state *ret)
{
    struct store_queue *q = s->queue;
    struct missing_span missing;

    *ret = (struct store_state){ 0 };
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    missing = q->lost;
    if (q->error || q->hangs) {
        span_join(&missing, &q->draining_events);
        span_join(&missing, &q->filling_events);
    }
    *ret = (struct store_state){ .recording = q->recording, .error = q->hangs ? -ETIMEDOUT : q->error,
                                 .missing = missing.count, .from_ns = missing.from_ns, .to_ns = missing.to_ns,
                                 .bytes = atomic_load(&q->file_bytes) };
    memcpy(ret->fault, q->fault, sizeof(ret->fault));
    pthread_mutex_unlock(&q->lock);
}

uint64_t store_mark(struct store *s)
{
    struct store_queue *q = s->queue;
    uint64_t mark;

    if (!q)
        return 0;
    pthread_mutex_lock(&q->lock);
    mark = q->added;
    q->flush_to = MAX(q->flush_to, mark);
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
    return mark;
}

bool store_has(struct store *s, uint64_t mark)
{
    struct store_queue *q = s->queue;
    bool has;

    if (!q)
        return true;
    pthread_mutex_lock(&q->lock);
    has = q->written >= mark;
    pthread_mutex_unlock(&q->lock);
    return has;
}
