/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/checkpoint.h"
#include "store/message.h"
#include "store/prune.h"
#include "store/queue.h"
#include "store/retained.h"
#include "store/room.h"
#include "store/schema.h"
#include "store/takeover.h"
#include "store/writer.h"
#include "util/clock.h"
#include "util/thread.h"

#define RETRY_NS NS_PER_S       /* after a failure */
#define RETRY_BUSY_NS (NS_PER_S / 5) /* SQLite has waited for the lock already */
#define LOOK_NS NS_PER_S        /* is the file still there? */
#define SLICE_MS 500
#define HANG_SLICES 6           /* with the first one, which only looks, 3.5 s: SIGTERM ends culprit within five */
#define ABANDON_MS 300          /* it has been waited for already */
#define STEPS 200               /* SQLite's instructions that count as one; an event takes some hundreds */
#define LOG_PAGES 1000          /* of 4 KiB, until they go into the file */
#define LOG_PAGES_MAX 16000     /* the other thread does not get to its end: the writer waits for it */
#define FULL_TRIES 8            /* to write what does not fit, each with less of what is older */
#define LOG_BUSY_NS (30 * NS_PER_S) /* after a reader was waited for in vain */

struct timespec queue_in_ms(unsigned ms)
{
    uint64_t at = clock_ns(CLOCK_MONOTONIC) + ms * NS_PER_MS;

    return (struct timespec){ (time_t)(at / NS_PER_S), (long)(at % NS_PER_S) };
}

bool queue_wait(struct store_queue *q, struct patience *p)
{
    struct timespec until = queue_in_ms(SLICE_MS);
    uint64_t steps;

    if (q->patient) {
        pthread_cond_wait(&q->done, &q->lock);
        return true;
    }
    if (pthread_cond_timedwait(&q->done, &q->lock, &until) != ETIMEDOUT)
        return true;
    steps = queue_steps(q);
    p->slices = steps == p->steps ? p->slices + 1 : 0; /* of a machine that was suspended, all of it is one slice */
    p->steps = steps;
    q->hangs |= p->slices >= HANG_SLICES;
    return p->slices < HANG_SLICES;
}

/* Whose writer does not run. */
static void queue_free(struct store_queue *q)
{
    sbuf_done(&q->filling);
    sbuf_done(&q->draining);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
    pthread_cond_destroy(&q->done);
    retention_free(q->retention);
    retention_free(q->next_retention);
    free(q->path);
    free(q->spool_directory);
    free(q);
}

/* ---- the file ---- */

static int note_step(void *data)
{
    atomic_fetch_add(&((struct store_queue *)data)->steps, 1);
    return 0;
}

static int note_log_pages(void *data, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct store_queue *)data)->log_pages = pages;
    return SQLITE_OK;
}

static int configure(struct store_queue *q, struct err *err)
{
    int r;

    sqlite3_progress_handler(q->db, STEPS, note_step, q);
    /* before there is anything in it: only then it counts */
    r = db_exec(q->db, q->path, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1000",
                    err);

    if (r == 0 && q->patient) /* an import writes as fast as it can: pages of indexes stay, and go to the file less often */
        r = db_exec(q->db, q->path, "PRAGMA cache_size = -6000; PRAGMA wal_autocheckpoint = 24000", err);
    if (r == 0)
        r = schema_migrate(q->db, q->path, err);
    if (r == 0)
        r = writer_new(q->db, q->path, &q->writer, err);
    if (r == 0 && q->generation)
        r = writer_disown(q->writer, err);
    if (r == 0 && !q->patient && checkpointer_new(q->path, &q->checkpointer, NULL) == 0)
        (void)sqlite3_wal_hook(q->db, note_log_pages, q); /* without it, SQLite does it within the transaction */
    return r;
}

static void disconnect(struct store_queue *q)
{
    checkpointer_free(q->checkpointer);
    pruner_free(q->pruner);
    writer_free(q->writer);
    sqlite3_close(q->db);
    q->checkpointer = NULL;
    q->pruner = NULL;
    q->writer = NULL;
    q->db = NULL;
}

int recorder_open(struct store_queue *q, struct err *err)
{
    struct stat st;
    int r = db_open(q->path, false, &q->db, &st, err);

    if (r < 0)
        return r;
    r = configure(q, err);
    if (r < 0) {
        disconnect(q);
        return r;
    }
    q->device = st.st_dev;
    q->inode = st.st_ino;
    q->size = 0;
    q->opened++;
    (void)takeover(q->spool_directory, q->path, &st, q->db, NULL); /* if it cannot be now: the next who opens the store tries */
    q->look_ns = clock_ns(CLOCK_MONOTONIC) + LOOK_NS;
    q->recording = true;
    return 0;
}

/* -EBADMSG: it is damaged; another error: that cannot be said now. */
static int check_file(struct store_queue *q)
{
    struct err why = ERR_INIT;
    sqlite3_stmt *s = NULL;
    int r = db_prepare(q->db, q->path, "PRAGMA quick_check(1)", &s, &why);

    if (r == 0 && sqlite3_step(s) != SQLITE_ROW)
        r = db_error(q->db, q->path, &why);
    else if (r == 0 && strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
        r = -EBADMSG;
    sqlite3_finalize(s);
    return r;
}

/*
 * The file became smaller, as SQLite's own VACUUM makes it too. What the log holds is put back first, then the file has to
 * be sound without it. -EBADMSG: it is not; another error: that cannot be said now.
 */
static int check_shrunk_file(struct store_queue *q)
{
    struct stat st;
    int r = 0;

    if (sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
        r = db_error(q->db, q->path, NULL);
    if (r == 0)
        r = db_look(q->path, &st, NULL);
    if (r == 0 && st.st_size == 0)
        r = -EBADMSG;
    return r < 0 ? r : check_file(q);
}

/* It holds all that SQLite counts as its own: pages at its end were given back. */
static bool holds_all_pages(struct store_queue *q, off_t size)
{
    sqlite3_stmt *s = NULL;
    bool holds = db_prepare(q->db, q->path, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &s, NULL) == 0 &&
                 sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 0) > 0 && sqlite3_column_int64(s, 0) <= size;

    sqlite3_finalize(s);
    return holds;
}

/* Is the file at the path still the one that we write to? */
static enum anew look_at_file(struct store_queue *q)
{
    struct stat st;
    int r = db_look(q->path, &st, NULL);

    if (r == -ENOENT || r == -ENOTDIR || (r == 0 && (st.st_dev != q->device || st.st_ino != q->inode)))
        return ANEW_MOVED;
    if (r == 0 && (st.st_size == 0 || (st.st_size < q->size && !holds_all_pages(q, st.st_size))))
        r = check_shrunk_file(q);
    if (r == 0) {
        q->size = st.st_size;
        atomic_store(&q->file_bytes, (unsigned long)st.st_size + (unsigned long)q->log_pages * q->page_size);
    }
    return r == -EBADMSG ? ANEW_DAMAGED : ANEW_NONE;
}

/* ---- a new generation ---- */

/* What names no slot is right in any store. */
static void keep_gaps(struct bytes messages, struct sbuf *out)
{
    struct bytes whole = messages, m;
    enum message_kind kind;

    while (message_next(&messages, &kind, &m)) {
        if (kind == MESSAGE_GAP)
            sbuf_add(out, whole.data, whole.len - messages.len);
        whole = messages;
    }
}

/* All that is queued is void: it goes by what was sent before. Under the lock. */
static void forget_all(struct store_queue *q, enum anew why)
{
    _cleanup_sbuf_ struct sbuf gaps = SBUF_INIT;
    struct sbuf swap;

    span_join(&q->missing, &q->draining_events);
    span_join(&q->missing, &q->filling_events);
    span_join(&q->lost, &q->draining_events);
    span_join(&q->lost, &q->filling_events);
    keep_gaps(sbuf_bytes(&q->draining), &gaps);
    keep_gaps(sbuf_bytes(&q->filling), &gaps);
    q->draining_events = q->filling_events = (struct missing_span){ 0 };
    sbuf_clear(&q->draining);
    swap = q->filling;
    q->filling = gaps;
    gaps = swap;
    q->written = q->added - q->filling.len;
    q->anew = why;
    q->generation++;
    q->buffers++;
}

/* Another file is begun: this one keeps what it has. */
static void leave_file(struct store_queue *q, enum anew why)
{
    struct missing_span unsure = { .from_ns = q->kept_ns, .to_ns = clock_ns(CLOCK_REALTIME) };
    sqlite3 *db = q->db;

    if (why == ANEW_MOVED) /* nobody will look for its log beside it */
        (void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* beside the path is another one's log */
    disconnect(q);
    if (why == ANEW_DAMAGED)
        (void)db_set_aside(q->path, q->device, q->inode, NULL);
    pthread_mutex_lock(&q->lock);
    if (unsure.from_ns)
        span_join(&q->missing, &unsure);
    forget_all(q, why);
    q->begin_ns = unsure.to_ns;
    pthread_mutex_unlock(&q->lock);
}

/* ---- writing ---- */

/* The log is begun anew, for which the last reader is waited for. Where one stays in it, the log grows instead: each batch would wait
 * for him again, and what happens meanwhile would be lost. Our own thread would be one as well. */
static void begin_log_anew(struct store_queue *q)
{
    checkpointer_wait(q->checkpointer);
    if (sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL) == SQLITE_BUSY)
        q->log_busy_ns = clock_ns(CLOCK_MONOTONIC) + LOG_BUSY_NS;
}

static int write_batch(struct store_queue *q, uint64_t now, struct err *err)
{
    int r;

    retained_limit_growth(q);
    r = writer_write(q->writer, sbuf_bytes(&q->draining), q->draining_seen_ns, clock_ns(CLOCK_REALTIME), &q->draining_spooled, err);
    if (r < 0)
        return r;
    q->kept_ns = q->draining_seen_ns;
    q->alive_ns = now + STORE_ALIVE_NS;
    if (q->draining.len) /* that it lives is not worth a disk's work */
        checkpointer_written(q->checkpointer);
    if (q->log_pages >= (retained_gives_up_oldest(q) ? ROOM_LOG_PAGES : LOG_PAGES_MAX) && now >= q->log_busy_ns)
        begin_log_anew(q);
    else if (q->log_pages >= LOG_PAGES && q->checkpointer)
        checkpointer_wake(q->checkpointer);
    return 0;
}

/* The oldest goes until it fits. */
static int write_on_full_disk(struct store_queue *q, uint64_t now, struct err *err)
{
    int r = -ENOSPC, made = 0;

    for (unsigned i = 0; i < FULL_TRIES && r == -ENOSPC && made == 0; i++) {
        made = retained_make_room(q, i == 0);
        if (made == 0)
            r = write_batch(q, now, err);
    }
    if (r == -ENOSPC && made == -EBUSY)
        return err_say(err, r, "no room for the store %s: free some space, or end the program that reads in it for so long", q->path);
    return r;
}

static int attempt(struct store_queue *q, struct kept_retention *next, struct err *err)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    enum anew why = ANEW_NONE;
    int r = 0;

    if (q->db && now >= q->look_ns) {
        q->look_ns = now + LOOK_NS;
        why = look_at_file(q);
        if (why == ANEW_NONE && retained_gives_up_oldest(q))
            (void)room_keep(q->path);
    }
    if (why != ANEW_NONE)
        leave_file(q, why);
    if (!q->db)
        r = recorder_open(q, err);
    if (r == -ENOSPC || r == -EIO) { /* SQLite says so of its index; what is kept for that may be enough to open it */
        room_give_up(q->path);
        r = recorder_open(q, err);
    }
    r = retained_take(q, next, r, err);
    if (r < 0)
        return r;
    if (q->draining.len || now >= q->alive_ns)
        r = write_batch(q, now, err);
    if (r == -ENOSPC && retained_gives_up_oldest(q))
        r = write_on_full_disk(q, now, err);
    now = clock_ns(CLOCK_MONOTONIC);
    if (r == 0 && q->pruner && now >= q->prune_ns)
        retained_step(q, now);
    if (r == -EBADMSG) {
        leave_file(q, ANEW_DAMAGED);
    } else if (r == MESSAGE_MALFORMED) {
        pthread_mutex_lock(&q->lock);
        forget_all(q, ANEW_MESSAGE);
        pthread_mutex_unlock(&q->lock);
    }
    return r;
}

/* ---- the thread ---- */

/* CLOCK_MONOTONIC: when there is something to do, as far as is known now. Under the lock. */
static uint64_t due_ns(const struct store_queue *q)
{
    uint64_t due = q->db ? MIN(q->alive_ns, q->look_ns) : 0;

    if (q->pruner)
        due = MIN(due, q->prune_ns);
    if (q->stop || q->flush_to > q->written || (q->next_retention && !q->error))
        return 0;
    if (q->error)
        return q->retry_ns;
    if (q->filling.len >= QUEUE_WAKE)
        return 0;
    return q->filling.len ? MIN(due, q->first_ns + BATCH_MS * NS_PER_MS) : due;
}

/* What is queued becomes what is written, unless that has not been written yet. Under the lock. */
static void hand_over(struct store_queue *q)
{
    struct sbuf swap;

    if (q->draining.len)
        return;
    swap = q->filling;
    q->filling = q->draining;
    q->draining = swap;
    q->draining_events = q->filling_events;
    q->filling_events = (struct missing_span){ 0 };
    q->draining_spooled = q->spooled;
    q->draining_seen_ns = q->seen_ns ? q->seen_ns : clock_ns(CLOCK_REALTIME);
    q->buffers++;
}

static void end_attempt(struct store_queue *q, int r, const struct err *err)
{
    q->writing = false;
    q->hangs = false;
    q->attempts++;
    q->error = r;
    q->files = q->opened;
    q->file_device = q->device;
    q->file_inode = q->inode;
    if (r == 0) {
        q->stored = q->draining_spooled;
        q->written += q->draining.len;
        q->draining_events = (struct missing_span){ 0 };
        sbuf_clear(&q->draining);
    } else {
        q->why = *err;
        if (q->flushes == q->flushes_begun)
            q->flush_to = 0; /* who waits has got his answer */
        q->retry_ns = clock_ns(CLOCK_MONOTONIC) + (r == -EBUSY ? RETRY_BUSY_NS : RETRY_NS);
    }
    pthread_cond_broadcast(&q->done);
}

/* The last thing: what waits behind a batch that was not written yet gets its turn. */
static bool is_finished(const struct store_queue *q)
{
    return q->stop && (q->error || q->written == q->added);
}

static void *recorder_main(void *data)
{
    struct store_queue *q = data;
    bool abandoned;

    pthread_mutex_lock(&q->lock);
    do {
        struct kept_retention *next;
        struct err err = ERR_INIT;
        uint64_t due, now;
        int r;

        while ((due = due_ns(q)) > (now = clock_ns(CLOCK_MONOTONIC))) {
            struct timespec until = queue_in_ms((unsigned)((due - now) / NS_PER_MS + 1));

            (void)pthread_cond_timedwait(&q->wake, &q->lock, &until);
        }
        hand_over(q);
        q->flushes_begun = q->flushes;
        q->writing = true;
        next = q->next_retention;
        q->next_retention = NULL;
        pthread_mutex_unlock(&q->lock);
        r = attempt(q, next, &err);
        pthread_mutex_lock(&q->lock);
        end_attempt(q, r, &err);
    } while (!is_finished(q));
    pthread_mutex_unlock(&q->lock);
    disconnect(q); /* which may write, too */
    pthread_mutex_lock(&q->lock);
    q->ended = true;
    pthread_cond_broadcast(&q->done);
    abandoned = q->abandoned;
    pthread_mutex_unlock(&q->lock);
    if (abandoned)
        queue_free(q);
    return NULL;
}

int recorder_start(struct store_queue *q, struct err *err)
{
    int r;

    r = thread_start(&q->thread, recorder_main, q);
    q->running = r == 0;
    return r < 0 ? err_set(err, r, "the store's thread") : 0;
}

/* False: it does not end. Under the lock. */
static bool wait_for_end(struct store_queue *q)
{
    struct timespec until = queue_in_ms(ABANDON_MS);
    struct patience patience = { 0 };

    while (!q->ended && q->hangs)
        if (pthread_cond_timedwait(&q->done, &q->lock, &until) == ETIMEDOUT)
            return q->ended;
    while (!q->ended)
        if (!queue_wait(q, &patience))
            return q->ended;
    return true;
}

void recorder_stop(struct store_queue *q, struct spool_numbers *ret_stored)
{
    bool ended;

    if (q->running) {
        pthread_mutex_lock(&q->lock);
        q->stop = true;
        pthread_cond_signal(&q->wake);
        ended = wait_for_end(q);
        *ret_stored = q->stored;
        q->abandoned = !ended;
        if (!ended)
            pthread_detach(q->thread);
        pthread_mutex_unlock(&q->lock);
        if (!ended)
            return;
        pthread_join(q->thread, NULL);
    }
    disconnect(q);
    queue_free(q);
}
