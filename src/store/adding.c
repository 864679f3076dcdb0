/* SPDX-License-Identifier: MIT */
#include "store/adding.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "store/open_coverage.h"
#include "store/sender.h"
#include "util/clock.h"

#define QUEUE_PATIENCE_MS (10 * 60 * 1000) /* of store_options.patient: a disk that hangs for longer is broken */
#define HANG_NS (5 * NS_PER_S) /* before it is said: a busy machine's disk may take some seconds */
#define QUEUE_WAIT_MS 500 /* how long an event waits for room before it is lost: the sensors' own buffers hold more */

/* ---- the spool ---- */

/* One for each file that is written: what is on its way to it. What was counted before is not in it. */
static void renew_spool(struct store *s, dev_t device, ino_t inode)
{
    struct adding *a = s->adding;
    struct err err = ERR_INIT;
    int r;

    spool_close(a->spool, true);
    a->spool = NULL;
    r = spool_open(s->queue->spool_directory, device, inode, &a->counted, &a->spool, &err);
    if (r < 0)
        log_debug(s->log, "%s; kill -9 may lose what is not written yet", err_text(&err, r));
}

struct spool *adding_spool(struct store *s, struct spool_numbers *ret_stored, uint64_t *ret_seen_ns)
{
    struct store_queue *q = s->queue;
    uint64_t file;
    dev_t device;
    ino_t inode;

    if (!q->spool_directory || q->patient) /* what is imported can be imported again */
        return NULL;
    pthread_mutex_lock(&q->lock);
    file = q->files;
    device = q->file_device;
    inode = q->file_inode;
    *ret_stored = q->stored;
    *ret_seen_ns = q->seen_ns;
    pthread_mutex_unlock(&q->lock);
    if (file != s->adding->spool_file) {
        s->adding->spool_file = file;
        renew_spool(s, device, inode);
    }
    return s->adding->spool;
}

/* ---- a message: under the lock ---- */

static void keep_up(struct store *s)
{
    struct store_queue *q = s->queue;
    struct adding *a = s->adding;

    if (a->buffers != q->buffers) {
        a->buffers = q->buffers;
        sender_restart(a->sender);
    }
    if (a->generation == q->generation)
        return;
    a->generation = q->generation;
    sender_forget(a->sender);
    open_coverage_send(a->open, q->begin_ns, &q->filling);
}

/* What is missing becomes a gap as soon as there is room for what comes after it. Returned is what that gap says. */
static struct missing_span send_gap(struct store *s)
{
    struct store_queue *q = s->queue;
    struct gap gap = { .reason = LOST_STORE, .count = q->missing.count, .from_ns = q->missing.from_ns,
                       .to_ns = q->missing.to_ns };

    if (!q->missing.to_ns || q->filling.len >= QUEUE_MAX)
        return (struct missing_span){ 0 };
    snprintf(gap.text, sizeof(gap.text), "%s", q->anew == ANEW_NONE || q->anew == ANEW_MESSAGE
                                                   ? "not written to the store"
                                                   : "the store was taken away from below us, a new one was begun");
    sender_gap(&gap, &q->filling);
    q->missing = (struct missing_span){ 0 };
    return (struct missing_span){ gap.count, gap.from_ns, gap.to_ns };
}

static void wait_for_room(struct store_queue *q, size_t max)
{
    struct timespec until = queue_in_ms(q->patient ? QUEUE_PATIENCE_MS : QUEUE_WAIT_MS);

    if (q->filling.len < max)
        q->stalled = false;
    if (q->stalled)
        return;
    q->flush_to = MAX(q->flush_to, q->written + 1);
    pthread_cond_signal(&q->wake);
    while (q->filling.len >= max && !(q->patient && q->error))
        if (pthread_cond_timedwait(&q->done, &q->lock, &until) == ETIMEDOUT) {
            q->stalled = true;
            break;
        }
}

/* The loop goes on where the disk hangs; that it does is said. */
static void look_for_hang(struct store *s)
{
    struct store_queue *q = s->queue;
    struct adding *a = s->adding;
    uint64_t now = q->writing ? clock_ns(CLOCK_MONOTONIC) : 0, steps = queue_steps(q);

    if (!now || !a->steps_ns || steps != a->steps) {
        a->steps = steps;
        a->steps_ns = now;
    } else if (now - a->steps_ns > HANG_NS) {
        q->hangs = !q->patient;
    }
}

bool adding_begin(struct store *s, size_t max, const struct missing_span *event, struct begun_message *ret)
{
    struct store_queue *q = s->queue;

    pthread_mutex_lock(&q->lock);
    look_for_hang(s);
    if (q->filling.len >= max)
        wait_for_room(q, max);
    ret->before = q->filling.len;
    if (q->filling.len < max) {
        keep_up(s); /* after the wait, in which all may have changed */
        ret->gap = send_gap(s);
        return true;
    }
    span_join(&q->missing, event);
    span_join(&q->lost, event);
    ret->condition = condition_of(q);
    pthread_mutex_unlock(&q->lock);
    condition_log(&ret->condition, s->path, s->log, &s->adding->logged);
    return false;
}

int adding_end(struct store *s, const struct missing_span *event, struct begun_message *m)
{
    struct store_queue *q = s->queue;
    int r;

    r = sbuf_error(&q->filling);
    if (r == 0) {
        span_join(&q->filling_events, event);
    } else { /* what was queued is kept; what names slots of this is not known to the writer */
        q->filling.error = 0;
        sbuf_truncate(&q->filling, m->before);
        sender_forget(s->adding->sender);
        s->adding->generation = q->generation - 1;
        span_join(&q->missing, &m->gap);
        span_join(&q->missing, event);
        span_join(&q->lost, event);
        r = -ENOMEM;
    }
    if (m->before == 0 && q->filling.len > 0) {
        q->first_ns = clock_ns(CLOCK_MONOTONIC);
        pthread_cond_signal(&q->wake);
    } else if (q->filling.len >= QUEUE_WAKE && m->before < QUEUE_WAKE) {
        pthread_cond_signal(&q->wake);
    }
    q->added += q->filling.len - m->before;
    m->condition = condition_of(q);
    pthread_mutex_unlock(&q->lock);
    condition_log(&m->condition, s->path, s->log, &s->adding->logged);
    return r ? r : m->condition.error;
}

void adding_gap(struct store *s)
{
    struct store_queue *q = s->queue;
    struct begun_message m;
    bool any;

    pthread_mutex_lock(&q->lock);
    any = q->missing.to_ns != 0;
    pthread_mutex_unlock(&q->lock);
    if (any && adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, ADDING_NO_EVENT, &m))
        (void)adding_end(s, ADDING_NO_EVENT, &m);
}
