/* SPDX-License-Identifier: MIT */
/*
 * The kernel's queue, read ahead. A look at a file shows what was done to it up to now, also by those whose
 * events are still waiting: who else changed its attributes is known only from what comes next.
 *
 * What waits is counted by the file's hash in a table without lists. Two files may share a place there: then
 * more is called uncertain than is.
 */
#include "sensor/fanotify/queue.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sensor/fanotify/young.h"
#include "sensor/fanotify/state.h"
#include "util/clock.h"
#include "util/hash.h"

#define BUFFER (32 * 1024) /* about 250 events, each with an open pidfd until it is handled */
#define AHEAD 3            /* buffers besides the one that is being handled */
#define PLACES 16384

struct buffer {
    char bytes[BUFFER] __attribute__((aligned(8)));
    size_t len;
    uint64_t boot_ns, real_ns; /* when it was read */
};

/* Events of attributes that wait. */
struct waiting_file {
    uint32_t count;
    pid_t pid;
    uint32_t credit; /* changes of one process emitted already, whose events are still to come */
    bool mixed;      /* of several processes */
    uint32_t writes; /* events of contents that wait */
    pid_t writer;
    bool mixed_writes; /* of several processes */
};

struct fanotify_queue {
    struct buffer buffers[1 + AHEAD]; /* a ring */
    unsigned first, count;            /* the first one is being handled */
    uint32_t moves;                   /* of folders, that wait */
    struct bytes rest;                /* what follows the event that is being handled, in its buffer */
    struct waiting_file places[PLACES];
    char raw[BUFFER] __attribute__((aligned(8))); /* as the kernel gave it, where layers take part */
};

struct fanotify_queue *fanotify_queue_new(void)
{
    return calloc(1, sizeof(struct fanotify_queue));
}

static void close_pidfds(const struct buffer *b)
{
    struct bytes rest = { b->bytes, b->len };
    struct fanotify_event e;

    while (rest.len && fanotify_decode(rest, &e, NULL) == 0) {
        if (e.pidfd >= 0)
            close(e.pidfd);
        rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
    }
}

void fanotify_queue_free(struct fanotify_queue *q)
{
    /* the first one's are closed one by one as they are handled */
    for (unsigned i = 1; q && i < q->count; i++)
        close_pidfds(&q->buffers[(q->first + i) % (1 + AHEAD)]);
    free(q);
}

static struct waiting_file *place_of(struct fanotify_queue *q, const struct fanotify_event *e)
{
    const struct fanotify_handle *file = &e->object;
    uint64_t h = HASH_START;

    if (file->data.data)
        h = hash_words(hash_word(h, file->fsid), file->data.data, file->data.len);
    else
        h = hash_words(hash_words(h, e->at.directory.data.data, e->at.directory.data.len), e->at.name.data, e->at.name.len);
    return &q->places[h % PLACES];
}

static bool is_move(const struct fanotify_event *e)
{
    return (e->mask & FAN_ONDIR) && (e->mask & (FANOTIFY_RENAME | FAN_MOVED_FROM));
}

static void count_waiting(struct fanotify_queue *q, const struct buffer *b)
{
    struct bytes rest = { b->bytes, b->len };
    struct fanotify_event e;

    while (rest.len && fanotify_decode(rest, &e, NULL) == 0) {
        struct waiting_file *p = place_of(q, &e);

        rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
        q->moves += is_move(&e);
        if (e.mask & FAN_MODIFY) {
            p->mixed_writes = p->writes && (p->mixed_writes || p->writer != e.pid);
            p->writer = e.pid;
            p->writes++;
        }
        if (!(e.mask & FAN_ATTRIB))
            continue;
        p->mixed = p->count && (p->mixed || p->pid != e.pid);
        p->pid = e.pid;
        p->count++;
    }
}

/* Reads one more buffer. 0: the queue is empty; -ENOBUFS: no room to read ahead. */
static int read_more(struct sensor *s)
{
    struct fanotify_queue *q = s->queue;
    struct buffer *b = &q->buffers[(q->first + q->count) % (1 + AHEAD)];
    size_t room = fanotify_young_room(s->young, BUFFER);
    char *to = room < BUFFER ? q->raw : b->bytes;
    ssize_t n;

    if (q->count == 1 + AHEAD)
        return -ENOBUFS;
    do
        n = read(s->group, to, room);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 && errno != EAGAIN ? -errno : 0;
    b->len = to == b->bytes ? (size_t)n : fanotify_young_expand(s->young, (struct bytes){ to, (size_t)n }, b->bytes, BUFFER);
    b->boot_ns = clock_ns(CLOCK_BOOTTIME);
    b->real_ns = clock_ns(CLOCK_REALTIME);
    q->count++;
    count_waiting(q, b);
    return 1;
}

int fanotify_queue_next(struct sensor *s, struct bytes *ret, struct fanotify_cause *ret_when)
{
    struct fanotify_queue *q = s->queue;
    int r = q->count ? 1 : read_more(s);

    if (r <= 0)
        return r;
    *ret = (struct bytes){ q->buffers[q->first].bytes, q->buffers[q->first].len };
    *ret_when = (struct fanotify_cause){ .to_boot_ns = q->buffers[q->first].boot_ns, .to_real_ns = q->buffers[q->first].real_ns };
    return 1;
}

bool fanotify_queue_ahead(struct sensor *s, struct fanotify_ahead *at, struct fanotify_event *ret)
{
    struct fanotify_queue *q = s->queue;

    if (!at->rest.data)
        at->rest = q->rest;
    while (!at->rest.len) {
        const struct buffer *next;

        if (!q->count || (at->buffer + 1 >= q->count && read_more(s) <= 0))
            return false;
        next = &q->buffers[(q->first + ++at->buffer) % (1 + AHEAD)];
        at->rest = (struct bytes){ next->bytes, next->len };
    }
    if (fanotify_decode(at->rest, ret, NULL) < 0)
        return false;
    at->rest = (struct bytes){ at->rest.data + ret->len, at->rest.len - ret->len };
    return true;
}

void fanotify_queue_done(struct sensor *s)
{
    struct fanotify_queue *q = s->queue;

    q->first = (q->first + 1) % (1 + AHEAD);
    q->count--;
}

bool fanotify_queue_waits(const struct sensor *s)
{
    return s->queue->count != 0;
}

/* What was read ahead is not in the kernel's queue any more. */
bool fanotify_queue_is_read(const struct sensor *s)
{
    struct pollfd kernel = { .fd = s->group, .events = POLLIN };

    return !fanotify_queue_waits(s) && poll(&kernel, 1, 0) == 0;
}

uint64_t fanotify_queue_length(const struct sensor *s)
{
    uint64_t ahead = s->queue->count * (uint64_t)BUFFER / sizeof(struct fanotify_event_metadata);
    int bytes = 0;

    if (ioctl(s->group, FIONREAD, &bytes) < 0) /* the kernel counts each as its head */
        return UINT32_MAX;
    return ahead + (uint64_t)bytes / sizeof(struct fanotify_event_metadata);
}

void fanotify_queue_begin(struct sensor *s, const struct fanotify_event *e, struct bytes rest)
{
    struct waiting_file *p = place_of(s->queue, e);

    s->queue->rest = rest;
    if (is_move(e) && s->queue->moves)
        s->queue->moves--;
    if ((e->mask & FAN_ATTRIB) && p->count)
        p->count--;
    if ((e->mask & FAN_MODIFY) && p->writes)
        p->writes--;
}

void fanotify_queue_end(struct sensor *s, const struct fanotify_event *e)
{
    struct waiting_file *p = place_of(s->queue, e);

    if (!p->count)
        p->credit = 0;
}

bool fanotify_queue_read_ahead(struct sensor *s)
{
    struct pollfd waiting = { .fd = s->group, .events = POLLIN };

    while (poll(&waiting, 1, 0) > 0)
        if (read_more(s) <= 0)
            return false;
    return true;
}

bool fanotify_queue_has_moves(const struct sensor *s)
{
    return s->queue->moves != 0;
}

bool fanotify_queue_others(struct sensor *s, const struct fanotify_event *e)
{
    const struct waiting_file *p = place_of(s->queue, e);

    if (!fanotify_queue_read_ahead(s))
        return true; /* too far behind to know */
    return p->count && (p->mixed || p->pid != e->pid);
}

static bool add_actor(struct event_share *share, const struct fanotify_event *e, uint64_t boot_ns)
{
    for (unsigned i = 0; i < share->count; i++)
        if (share->actors[i].pid == e->pid)
            return false;
    if (share->count == SHARE_MAX)
        return false;
    share->actors[share->count].pid = e->pid;
    share->actors[share->count].gone = e->gone;
    share->actors[share->count++].boot_ns = boot_ns;
    return true;
}

static bool add_actors(struct fanotify_queue *q, const struct buffer *b, struct bytes rest, const struct waiting_file *of,
                       struct event_share *share)
{
    struct fanotify_event e;

    while (rest.len && fanotify_decode(rest, &e, NULL) == 0) {
        if ((e.mask & FAN_ATTRIB) && place_of(q, &e) == of && !add_actor(share, &e, b->boot_ns))
            return false;
        rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
    }
    return true;
}

bool fanotify_queue_share(const struct sensor *s, const struct fanotify_event *e, struct event_share *ret)
{
    struct fanotify_queue *q = s->queue;
    const struct waiting_file *of = place_of(q, e);

    *ret = (struct event_share){ 0 };
    if (q->count == 1 + AHEAD) /* there may be more that cannot be read yet */
        return false;
    (void)add_actor(ret, e, q->buffers[q->first].boot_ns);
    if (!add_actors(q, &q->buffers[q->first], q->rest, of, ret))
        return false;
    for (unsigned i = 1; i < q->count; i++) {
        const struct buffer *b = &q->buffers[(q->first + i) % (1 + AHEAD)];

        if (!add_actors(q, b, (struct bytes){ b->bytes, b->len }, of, ret))
            return false;
    }
    return true;
}

bool fanotify_queue_is_alone(struct sensor *s, const struct fanotify_event *e)
{
    const struct waiting_file *p = place_of(s->queue, e);

    return !fanotify_queue_others(s, e) && (!p->writes || (!p->mixed_writes && p->writer == e->pid));
}

bool fanotify_queue_writes(struct sensor *s, const struct fanotify_event *e)
{
    return place_of(s->queue, e)->writes != 0;
}

void fanotify_queue_credit(struct sensor *s, const struct fanotify_event *e, unsigned more)
{
    struct waiting_file *p = place_of(s->queue, e);

    if (p->count && !p->mixed && p->pid == e->pid)
        p->credit += more;
}

bool fanotify_queue_owed(struct sensor *s, const struct fanotify_event *e)
{
    struct waiting_file *p = place_of(s->queue, e);

    if (!p->credit)
        return false;
    p->credit--;
    return true;
}
