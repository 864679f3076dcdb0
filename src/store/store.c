/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/handle.h"
#include "store/packed.h"
#include "store/queue.h"
#include "store/schema.h"
#include "store/sender.h"
#include "store/spool.h"
#include "store/takeover.h"
#include "util/clock.h"

#define QUEUE_PATIENCE_MS (10 * 60 * 1000) /* of store_options.patient: a disk that hangs for longer is broken */
#define HANG_NS (5 * NS_PER_S) /* before it is said: a busy machine's disk may take some seconds */
#define PLACES_MAX 4096   /* of one watch, sent again to a store that is begun anew: the oldest are of containers that have gone */
#define QUEUE_WAIT_MS 500 /* how long an event waits for room before it is lost: the sensors' own buffers hold more */

/* A span of observation that goes on: sent again where the writer may not know of it. */
struct open_coverage {
    uint64_t number;
    struct coverage coverage;
    struct place_list {
        struct coverage_place place; /* its texts are below */
        struct place_list *next;
        char texts[];
    } *places, **last_place; /* the newest PLACES_MAX, in order */
    unsigned place_count;
    struct arena arena;
    struct open_coverage *next;
};

/* The pipeline's thread only. */
struct adding {
    struct sender *sender;
    uint64_t generation, buffers; /* as far as they are known here */
    uint64_t coverages;
    struct open_coverage *open;
    struct spool *spool;       /* of the file that is written; NULL: there is none */
    uint64_t spool_file;       /* for which one it was made, or could not be */
    struct spool_numbers counted; /* of what was expected or added */
    uint64_t steps, steps_ns; /* of the attempt that is being made, and CLOCK_MONOTONIC since when; 0 = none is */
    /* in the log */
    bool said_error, said_full;
    uint64_t said_generation;
};

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

static void forget_first_place(struct open_coverage *c)
{
    struct place_list *p = c->places;

    c->places = p->next;
    if (!c->places)
        c->last_place = &c->places;
    c->place_count--;
    free(p);
}

static void remove_coverage(struct open_coverage **at)
{
    struct open_coverage *c = *at;

    *at = c->next;
    while (c->places)
        forget_first_place(c);
    arena_done(&c->arena);
    free(c);
}

void store_close(struct store *s)
{
    struct spool_numbers stored = { 0 };

    if (!s)
        return;
    sqlite3_close(s->db); /* before the writer's: the last that closes cleans up, and may write for it */
    if (s->queue)
        recorder_stop(s->queue, &stored);
    if (s->adding) {
        spool_close(s->adding->spool, spool_is_stored(&s->adding->counted, &stored));
        while (s->adding->open)
            remove_coverage(&s->adding->open);
        sender_free(s->adding->sender);
        free(s->adding);
    }
    free(s->path);
    free(s);
}

/* ---- what the pipeline's thread says of it ---- */

struct condition {
    struct err why;
    int error;
    enum anew anew;
    uint64_t generation;
    bool hangs, full, recording;
    uint64_t lost;
};

static struct condition look(struct store_queue *q)
{
    return (struct condition){ .why = q->why, .error = q->error, .anew = q->anew,
                               .generation = q->generation, .recording = q->recording, .hangs = q->hangs,
                               .full = q->missing.count > 0, .lost = q->lost.count };
}

static void say_anew(struct store *s, enum anew why)
{
    static const char *const texts[] = {
        [ANEW_MOVED] = "was moved away or deleted; a new one is begun",
        [ANEW_DAMAGED] = "was truncated or damaged; it was set aside, and a new one is begun",
        [ANEW_MESSAGE] = "could not take what came last; that is missing in it",
    };

    log_warn(s->log, "the store %s %s", s->path, texts[why]);
}

static void say(struct store *s, const struct condition *now)
{
    struct adding *a = s->adding;
    bool trouble = now->error || now->hangs;

    if (now->generation != a->said_generation)
        say_anew(s, now->anew);
    a->said_generation = now->generation;
    if (now->hangs && !a->said_error)
        log_warn(s->log, "the file system of the store %s does not answer; what happens is kept in memory as far as it fits", s->path);
    else if (now->error && !a->said_error)
        log_warn(s->log, "%s; trying again, what happens is kept in memory as far as it fits",
                 err_text(&now->why, now->error));
    if (trouble && now->full && !a->said_full)
        log_warn(s->log, "the store %s is still not written; events are on the terminal only", s->path);
    if (!trouble && a->said_error && now->lost)
        log_warn(s->log, "the store %s is written again; %llu events are missing in it", s->path,
                 (unsigned long long)now->lost);
    else if (!trouble && a->said_error)
        log_warn(s->log, "the store %s is written now, nothing is missing in it", s->path);
    a->said_error = trouble;
    a->said_full = trouble && (now->full || a->said_full);
}

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

/* NULL: there is none. *ret_stored, *ret_seen_ns: as far as it is known now. */
static struct spool *find_spool(struct store *s, struct spool_numbers *ret_stored, uint64_t *ret_seen_ns)
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

void store_expect_event(struct store *s, struct event *event)
{
    struct spool_numbers stored;
    uint64_t seen_ns;
    struct spool *spool = find_spool(s, &stored, &seen_ns);

    event->spooled = ++s->adding->counted.at[SPOOL_EVENTS];
    if (spool)
        spool_add_event(spool, event, event->spooled, &stored);
}

void store_keep(struct store *s)
{
    struct spool_numbers stored;
    uint64_t seen_ns;
    struct spool *spool = find_spool(s, &stored, &seen_ns);

    if (spool)
        spool_write(spool, seen_ns, &stored);
}

/* ---- adding: under the lock ---- */

/* What began in a file that is not written any more goes on in this one. */
static void send_coverage(struct store *s, const struct open_coverage *c)
{
    struct coverage now = c->coverage;

    now.from_ns = MAX(now.from_ns, s->queue->begin_ns);
    sender_coverage(c->number, &now, &s->queue->filling);
    for (const struct place_list *p = c->places; p; p = p->next) {
        struct coverage_place place = p->place;

        place.from_ns = MAX(place.from_ns, s->queue->begin_ns);
        sender_coverage_place(c->number, &place, &s->queue->filling);
    }
}

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
    for (const struct open_coverage *c = a->open; c; c = c->next)
        send_coverage(s, c);
}

/* What is missing becomes a gap as soon as there is room for what comes after it. */
static void send_gap(struct store *s)
{
    struct store_queue *q = s->queue;
    struct gap gap = { .reason = LOST_STORE, .count = q->missing.count, .from_ns = q->missing.from_ns,
                       .to_ns = q->missing.to_ns };

    if (!q->missing.to_ns || q->filling.len >= QUEUE_MAX)
        return;
    snprintf(gap.text, sizeof(gap.text), "%s", q->anew == ANEW_NONE || q->anew == ANEW_MESSAGE
                                                   ? "not written to the store"
                                                   : "the store was taken away from below us, a new one was begun");
    sender_gap(&gap, &q->filling);
    q->missing = (struct missing_span){ 0 };
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

/* What was begun with begin_add() and its message. */
struct begun_message {
    struct condition condition;
    size_t before;
};

/* Takes the lock and makes room. False: there is no room, and the lock is not taken. */
static bool begin_add(struct store *s, size_t max, const struct missing_span *event, struct begun_message *ret)
{
    struct store_queue *q = s->queue;

    pthread_mutex_lock(&q->lock);
    look_for_hang(s);
    if (q->filling.len >= max)
        wait_for_room(q, max);
    ret->before = q->filling.len;
    if (q->filling.len < max) {
        keep_up(s); /* after the wait, in which all may have changed */
        send_gap(s);
        return true;
    }
    span_join(&q->missing, event);
    span_join(&q->lost, event);
    ret->condition = look(q);
    pthread_mutex_unlock(&q->lock);
    say(s, &ret->condition);
    return false;
}

static int end_add(struct store *s, const struct missing_span *event, struct begun_message *m)
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
    m->condition = look(q);
    pthread_mutex_unlock(&q->lock);
    say(s, &m->condition);
    return r ? r : m->condition.error;
}

static const struct missing_span no_event = { 0 };

int store_add_event(struct store *s, struct event *event)
{
    struct missing_span span = { 1, event->time_ns, event->time_ns };
    struct begun_message m;

    if (!event->spooled)
        store_expect_event(s, event);
    if (!begin_add(s, QUEUE_MAX, &span, &m))
        return m.condition.error ? m.condition.error : -ENOBUFS;
    sender_event(s->adding->sender, event, &s->queue->filling);
    s->queue->spooled.at[SPOOL_EVENTS] = MAX(s->queue->spooled.at[SPOOL_EVENTS], event->spooled);
    return end_add(s, &span, &m);
}

int store_add_life(struct store *s, const struct lifecycle_event *life)
{
    struct spool_numbers stored;
    uint64_t seen_ns, number = ++s->adding->counted.at[SPOOL_OTHERS];
    struct spool *spool = find_spool(s, &stored, &seen_ns);
    struct begun_message m;

    if (spool)
        spool_add_life(spool, life, number, &stored);
    if (!begin_add(s, QUEUE_MAX + QUEUE_RESERVE, &no_event, &m))
        return -ENOBUFS;
    sender_life(s->adding->sender, life, &s->queue->filling);
    s->queue->spooled.at[SPOOL_OTHERS] = number;
    return end_add(s, &no_event, &m);
}

int store_add_gap(struct store *s, const struct gap *gap)
{
    struct missing_span span = { gap->count, gap->from_ns, gap->to_ns };
    struct spool_numbers stored;
    uint64_t seen_ns, number = ++s->adding->counted.at[SPOOL_OTHERS];
    struct spool *spool = find_spool(s, &stored, &seen_ns);
    struct begun_message m;

    if (spool)
        spool_add_gap(spool, gap, number, &stored);
    if (!begin_add(s, QUEUE_MAX + QUEUE_RESERVE, &span, &m))
        return -ENOBUFS;
    sender_gap(gap, &s->queue->filling);
    s->queue->spooled.at[SPOOL_OTHERS] = number;
    return end_add(s, &no_event, &m);
}

int store_add_imported(struct store *s, const struct store_imported *imported)
{
    struct begun_message m;

    if (!begin_add(s, QUEUE_MAX + QUEUE_RESERVE, &no_event, &m))
        return -ENOBUFS;
    sender_imported(imported, &s->queue->filling);
    return end_add(s, &no_event, &m);
}

/* ---- coverage ---- */

static int remember_coverage(struct adding *a, uint64_t number, const struct coverage *coverage)
{
    struct open_coverage *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->number = number;
    c->last_place = &c->places;
    c->coverage = *coverage;
    c->coverage.watch = arena_copy(&c->arena, coverage->watch);
    c->coverage.not_seen = arena_copy(&c->arena, coverage->not_seen);
    c->coverage.host_id = arena_copy(&c->arena, coverage->host_id);
    c->coverage.host_name = arena_copy(&c->arena, coverage->host_name);
    c->coverage.narrowed = arena_copy(&c->arena, coverage->narrowed);
    c->next = a->open;
    a->open = c;
    return 0;
}

int store_begin_coverage(struct store *s, const struct coverage *coverage, uint64_t *ret_id)
{
    uint64_t number = ++s->adding->coverages;
    struct begun_message m;
    int r = coverage->to_ns ? 0 : remember_coverage(s->adding, number, coverage);

    *ret_id = number;
    if (r < 0)
        return r;
    if (!begin_add(s, QUEUE_MAX + QUEUE_RESERVE, &no_event, &m))
        return -ENOBUFS;
    /* from its begin on nothing is claimed that store_seen() has not said: what is written first may not be all that there is */
    s->queue->seen_ns = MAX(s->queue->seen_ns, coverage->from_ns);
    sender_coverage(number, coverage, &s->queue->filling);
    return end_add(s, &no_event, &m);
}

static struct open_coverage **find_coverage(struct adding *a, uint64_t number)
{
    struct open_coverage **at = &a->open;

    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static void remember_place(struct open_coverage *c, const struct coverage_place *place)
{
    const struct bytes from[] = { place->runtime,        place->selector, place->container_id,
                                  place->container_name, place->path,     place->host_path };
    struct place_list *p;
    size_t len = 0;
    char *at;

    for (size_t i = 0; i < ARRAY_SIZE(from); i++)
        len += from[i].len;
    p = malloc(sizeof(*p) + len);
    if (!p)
        return; /* it is in the store that is written now */
    *p = (struct place_list){ .place = *place };
    struct bytes *const to[] = { &p->place.runtime,        &p->place.selector, &p->place.container_id,
                                 &p->place.container_name, &p->place.path,     &p->place.host_path };
    at = p->texts;
    for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
        if (from[i].len)
            memcpy(at, from[i].data, from[i].len);
        *to[i] = from[i].data ? (struct bytes){ at, from[i].len } : BYTES_NULL;
        at += from[i].len;
    }
    *c->last_place = p;
    c->last_place = &p->next;
    if (++c->place_count > PLACES_MAX)
        forget_first_place(c);
}

int store_add_coverage_place(struct store *s, uint64_t id, const struct coverage_place *place)
{
    struct open_coverage *open = *find_coverage(s->adding, id);
    struct begun_message m;

    if (!begin_add(s, QUEUE_MAX + QUEUE_RESERVE, &no_event, &m))
        return -ENOBUFS;
    sender_coverage_place(id, place, &s->queue->filling);
    if (open)
        remember_place(open, place);
    return end_add(s, &no_event, &m);
}

int store_end_coverage(struct store *s, uint64_t id, uint64_t to_ns)
{
    struct open_coverage **at = find_coverage(s->adding, id);
    struct begun_message m;

    if (!begin_add(s, QUEUE_MAX + QUEUE_RESERVE, &no_event, &m))
        return -ENOBUFS;
    sender_coverage_end(id, to_ns, &s->queue->filling);
    if (*at)
        remove_coverage(at);
    return end_add(s, &no_event, &m);
}

void store_seen(struct store *s, uint64_t seen_ns)
{
    struct begun_message m;

    if (!begin_add(s, QUEUE_MAX + QUEUE_RESERVE, &no_event, &m))
        return;
    s->queue->seen_ns = MAX(s->queue->seen_ns, seen_ns);
    (void)end_add(s, &no_event, &m);
}

/* ---- the end ---- */

int store_flush(struct store *s, struct err *err)
{
    struct store_queue *q = s->queue;
    struct patience patience = { 0 };
    struct condition now;
    uint64_t target, attempts;
    int r;

    if (!q)
        return 0;
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
    now = look(q);
    pthread_mutex_unlock(&q->lock);
    say(s, &now);
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
                                 .missing = missing.count, .from_ns = missing.from_ns, .to_ns = missing.to_ns };
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
