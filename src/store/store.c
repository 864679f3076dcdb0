/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/internal.h"
#include "store/packed.h"
#include "store/schema.h"
#include "store/sender.h"
#include "store/writer.h"
#include "util/macro.h"

#define BATCH_MS 100
#define QUEUE_WAKE (512 * 1024)      /* the writer does not wait for its time */
#define QUEUE_MAX (3 * 1024 * 1024)  /* some 30,000 events; twice, for one is filled while one is written */
#define QUEUE_PATIENCE_MS (10 * 60 * 1000) /* of store_options.patient: a disk that hangs for longer is broken */
#define QUEUE_WAIT_MS 500            /* how long an event waits for room before it is lost: the sensors' own buffers hold more */
#define ALIVE_NS (2 * NS_PER_S)
#define RETRY_NS (5 * NS_PER_S)      /* after a failure */

struct store_queue {
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t wake;    /* for the writer: much to do, or somebody waits */
    pthread_cond_t done;    /* for the others: a batch was written */
    struct sbuf filling;    /* under the lock */
    uint64_t added, written; /* bytes ever: a flush waits until the second has come to the first */
    bool stop, flush;
    int error;              /* of the last batch; 0 = fine */
    struct err why;
    uint64_t lost;
    bool stalled; /* an event has waited in vain: a disk that hangs must not stop the observation too */
    uint64_t generation;    /* counts failures: slots are void after one */
    uint64_t buffers;       /* counts what was handed over: an event is told by the one before it in the same buffer */
    /* the pipeline's thread only */
    struct sender *sender;
    uint64_t known_generation, known_buffers;
    uint64_t coverages;
    bool told;
    /* the writer's thread only, once it runs: a connection belongs to one thread, questions have their own */
    sqlite3 *db;
    struct writer *writer;
    struct sbuf draining;
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct timespec in_ms(unsigned ms)
{
    uint64_t at = now_ns(CLOCK_MONOTONIC) + ms * NS_PER_MS;

    return (struct timespec){ (time_t)(at / NS_PER_S), (long)(at % NS_PER_S) };
}

/* ---- the writer's thread ---- */

static void write_batch(struct store_queue *q, uint64_t *retry_ns, uint64_t *alive_ns)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC), events = 0;
    struct err err = ERR_INIT;
    int r;

    if (!q->draining.len && now < *alive_ns)
        return;
    *alive_ns = now + ALIVE_NS;
    if (q->error && now < *retry_ns) { /* do not hammer a full disk */
        pthread_mutex_lock(&q->lock);
        q->lost += writer_count(sbuf_bytes(&q->draining));
        pthread_mutex_unlock(&q->lock);
        return;
    }
    r = writer_write(q->writer, q->draining.len ? sbuf_bytes(&q->draining) : BYTES_NULL,
                     now_ns(CLOCK_REALTIME), &events, &err);
    pthread_mutex_lock(&q->lock);
    if (r < 0) {
        q->lost += events;
        q->generation++;
        q->why = err;
        *retry_ns = now + RETRY_NS;
    }
    q->error = r;
    pthread_mutex_unlock(&q->lock);
}

static void *writer_main(void *data)
{
    struct store_queue *q = data;
    uint64_t retry_ns = 0, alive_ns = 0, size;
    bool stop = false;

    while (!stop) {
        struct timespec until = in_ms(BATCH_MS);
        struct sbuf swap;

        pthread_mutex_lock(&q->lock);
        while (!q->stop && !q->flush && q->filling.len < QUEUE_WAKE)
            if (pthread_cond_timedwait(&q->wake, &q->lock, &until) == ETIMEDOUT)
                break;
        stop = q->stop;
        q->flush = false;
        swap = q->filling;
        q->filling = q->draining;
        q->draining = swap;
        size = q->draining.len;
        q->buffers++;
        pthread_mutex_unlock(&q->lock);

        write_batch(q, &retry_ns, &alive_ns);
        sbuf_clear(&q->draining);
        pthread_mutex_lock(&q->lock);
        q->written += size;
        pthread_cond_broadcast(&q->done);
        pthread_mutex_unlock(&q->lock);
    }
    return NULL;
}

static int start_thread(struct store_queue *q, struct err *err)
{
    pthread_condattr_t attributes;
    sigset_t all, before;
    int r;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, &attributes);
    pthread_cond_init(&q->done, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = -pthread_create(&q->thread, NULL, writer_main, q);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    q->running = r == 0;
    return r < 0 ? err_set(err, r, "the store's thread") : 0;
}

/* ---- opening and closing ---- */

static int open_for_writing(struct store *s, struct err *err)
{
    struct store_queue *q = s->queue = calloc(1, sizeof(*q));
    int r;

    if (!q || !(q->sender = sender_new()))
        return err_set(err, -ENOMEM, "the store");
    r = db_open(s->path, false, &q->db, NULL, err);
    if (r == 0)
        r = db_exec(q->db, s->path, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1000", err);
    if (r == 0 && s->patient) /* an import writes as fast as it can: pages of indexes stay, and go to the file less often */
        r = db_exec(q->db, s->path, "PRAGMA cache_size = -6000; PRAGMA wal_autocheckpoint = 24000", err);
    if (r == 0)
        r = schema_migrate(q->db, s->path, err);
    if (r == 0)
        r = writer_new(q->db, s->path, &q->writer, err);
    return r == 0 ? start_thread(q, err) : r;
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
    s->patient = options->patient;
    r = options->read_only ? 0 : open_for_writing(s, err);
    if (r == 0)
        r = db_open(s->path, true, &s->db, NULL, err);
    if (r == 0)
        r = schema_check(s->db, s->path, &s->has_blocks, err);
    if (r == 0)
        r = packed_register(s->db, s->path, err);
    if (r < 0) {
        store_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    struct store_queue *q;

    if (!s)
        return;
    sqlite3_close(s->db); /* before the writer's: the last that closes cleans up, and may write for it */
    q = s->queue;
    if (q && q->running) {
        pthread_mutex_lock(&q->lock);
        q->stop = true;
        pthread_cond_signal(&q->wake);
        pthread_mutex_unlock(&q->lock);
        pthread_join(q->thread, NULL);
    }
    if (q) {
        sender_free(q->sender);
        writer_free(q->writer);
        sqlite3_close(q->db);
        sbuf_done(&q->filling);
        sbuf_done(&q->draining);
        free(q);
    }
    free(s->path);
    free(s);
}

/* ---- the pipeline's side ---- */

/* Takes the lock; makes room. False: there is none, or the writer has failed. */
static bool begin_add(struct store *s, int *ret)
{
    struct store_queue *q = s->queue;
    struct timespec until;
    int error;

    pthread_mutex_lock(&q->lock);
    if (q->filling.len < QUEUE_MAX)
        q->stalled = false;
    if (q->filling.len >= QUEUE_MAX && !q->stalled) {
        until = in_ms(s->patient ? QUEUE_PATIENCE_MS : QUEUE_WAIT_MS);
        pthread_cond_signal(&q->wake);
        while (q->filling.len >= QUEUE_MAX)
            if (pthread_cond_timedwait(&q->done, &q->lock, &until) == ETIMEDOUT) {
                q->stalled = true;
                break;
            }
    }
    /* after the wait, in which all of this may have changed */
    if (q->known_generation != q->generation) {
        q->known_generation = q->generation;
        sender_forget(q->sender);
    }
    if (q->known_buffers != q->buffers) {
        q->known_buffers = q->buffers;
        sender_restart(q->sender);
    }
    error = q->error;
    *ret = error;
    if (q->filling.len < QUEUE_MAX)
        return true;
    pthread_mutex_unlock(&q->lock);
    *ret = error ? error : -ENOBUFS;
    return false;
}

static int end_add(struct store *s, size_t before, int error)
{
    struct store_queue *q = s->queue;
    struct err why;

    if (sbuf_error(&q->filling)) { /* what was queued is kept */
        q->filling.error = 0;
        sbuf_truncate(&q->filling, before);
        sender_forget(q->sender);
        error = -ENOMEM;
        q->lost++;
    }
    q->added += q->filling.len - before;
    if (q->filling.len >= QUEUE_WAKE)
        pthread_cond_signal(&q->wake);
    why = q->why;
    pthread_mutex_unlock(&q->lock);
    if (error && !q->told) {
        q->told = true;
        log_warn(s->log, "%s; events are on the terminal only", err_text(&why, error));
    } else if (!error) {
        q->told = false;
    }
    return error;
}

int store_add_event(struct store *s, const struct event *event)
{
    size_t before;
    int r;

    if (!begin_add(s, &r)) {
        pthread_mutex_lock(&s->queue->lock);
        s->queue->lost++;
        pthread_mutex_unlock(&s->queue->lock);
        return r;
    }
    before = s->queue->filling.len;
    sender_event(s->queue->sender, event, &s->queue->filling);
    return end_add(s, before, r);
}

int store_add_life(struct store *s, const struct life *life)
{
    size_t before;
    int r;

    if (!begin_add(s, &r))
        return r;
    before = s->queue->filling.len;
    sender_life(s->queue->sender, life, &s->queue->filling);
    return end_add(s, before, r);
}

int store_add_gap(struct store *s, const struct gap *gap)
{
    size_t before;
    int r;

    if (!begin_add(s, &r))
        return r;
    before = s->queue->filling.len;
    sender_gap(gap, &s->queue->filling);
    return end_add(s, before, r);
}

int store_add_imported(struct store *s, const struct store_imported *imported)
{
    size_t before;
    int r;

    if (!begin_add(s, &r))
        return r;
    before = s->queue->filling.len;
    sender_imported(imported, &s->queue->filling);
    return end_add(s, before, r);
}

int store_begin_coverage(struct store *s, const struct coverage *coverage, uint64_t *ret_id)
{
    size_t before;
    int r;

    *ret_id = 0;
    if (!begin_add(s, &r))
        return r;
    before = s->queue->filling.len;
    *ret_id = ++s->queue->coverages;
    sender_coverage(*ret_id, coverage, &s->queue->filling);
    return end_add(s, before, r);
}

int store_add_coverage_place(struct store *s, uint64_t id, const struct coverage_place *place)
{
    size_t before;
    int r;

    if (!begin_add(s, &r))
        return r;
    before = s->queue->filling.len;
    sender_coverage_place(id, place, &s->queue->filling);
    return end_add(s, before, r);
}

int store_end_coverage(struct store *s, uint64_t id, uint64_t to_ns)
{
    size_t before;
    int r;

    if (!begin_add(s, &r))
        return r;
    before = s->queue->filling.len;
    sender_coverage_end(id, to_ns, &s->queue->filling);
    return end_add(s, before, r);
}

int store_flush(struct store *s, struct err *err)
{
    struct store_queue *q = s->queue;
    uint64_t target;
    int r;

    if (!q)
        return 0;
    pthread_mutex_lock(&q->lock);
    target = q->added;
    q->flush = true;
    pthread_cond_signal(&q->wake);
    while (q->written < target)
        pthread_cond_wait(&q->done, &q->lock);
    r = q->error;
    if (r < 0)
        (void)err_say(err, r, "%s", err_text(&q->why, r));
    pthread_mutex_unlock(&q->lock);
    return r;
}

uint64_t store_lost(const struct store *s)
{
    struct store_queue *q = s->queue;
    uint64_t lost;

    if (!q)
        return 0;
    pthread_mutex_lock(&q->lock);
    lost = q->lost;
    pthread_mutex_unlock(&q->lock);
    return lost;
}
