/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

#define BLOCK_SIZE (256u << 10) /* some 400 changes */
#define STEPS_BACK 64           /* a record that is older than so many before it: the lane is sorted when it is read */

struct bpf_queue_block {
    struct bpf_queue_block *next;
    size_t used, size;
    size_t records; /* in it, not given back */
    _Alignas(8) char data[];
};

static size_t room_of(size_t len)
{
    return sizeof(struct bpf_queued) + ((len + 7) & ~(size_t)7);
}

/* ---- memory ---- */

static struct bpf_queue_block *make_block(struct bpf_queue *q, size_t room)
{
    size_t size = MAX(room, (size_t)BLOCK_SIZE);
    struct bpf_queue_block *b = q->spare;

    if (b && b->size >= room) {
        q->spare = b->next;
    } else {
        b = malloc(sizeof(*b) + size);
        if (!b)
            return NULL;
        b->size = size;
    }
    b->next = NULL;
    b->used = b->records = 0;
    return b;
}

static void spare_block(struct bpf_queue *q, struct bpf_queue_block *b)
{
    b->next = q->spare;
    q->spare = b;
}

static struct bpf_queued *store(struct bpf_queue *q, const void *data, size_t len)
{
    struct bpf_queue_block *b = q->filling;
    size_t room = room_of(len);
    struct bpf_queued *record;

    if (!b || b->size - b->used < room) {
        b = make_block(q, room);
        if (!b)
            return NULL;
        if (q->filling && !q->filling->records)
            spare_block(q, q->filling);
        q->filling = b; /* the one before is found by its records */
    }
    record = (struct bpf_queued *)(b->data + b->used);
    b->used += room;
    b->records++;
    record->block = b;
    record->len = len;
    memcpy(record->data, data, len);
    return record;
}

void bpf_queue_give_back(struct bpf_queue *q, struct bpf_queued *record)
{
    struct bpf_queue_block *b = record->block;

    if (--b->records)
        return;
    if (b == q->filling)
        b->used = 0;
    else
        spare_block(q, b);
}

/* ---- order ---- */

static bool is_before(const struct bpf_queue_entry *a, const struct bpf_queue_entry *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

static int by_time(const void *a, const void *b)
{
    return is_before(a, b) ? -1 : is_before(b, a);
}

static int make_room(struct bpf_queue_lane *l)
{
    struct bpf_queue_entry *more;
    size_t size = l->size ? 2 * l->size : 1024;

    if (l->end < l->size)
        return 0;
    if (l->first > l->size / 2) {
        memmove(l->entries, l->entries + l->first, (l->end - l->first) * sizeof(*l->entries));
        l->end -= l->first;
        l->first = 0;
        return 0;
    }
    more = reallocarray(l->entries, size, sizeof(*more));
    if (!more)
        return -ENOMEM;
    l->entries = more;
    l->size = size;
    return 0;
}

/* A change bears the time of its begin and comes at its end: what overtook it is a few entries before. */
static void insert(struct bpf_queue_lane *l, const struct bpf_queue_entry *entry)
{
    size_t at = l->end++, lowest = at - MIN(at - l->first, (size_t)STEPS_BACK);

    if (!l->unsorted)
        while (at > lowest && is_before(entry, &l->entries[at - 1])) {
            l->entries[at] = l->entries[at - 1];
            at--;
        }
    l->entries[at] = *entry;
    l->unsorted |= at > l->first && is_before(entry, &l->entries[at - 1]);
}

int bpf_queue_add(struct bpf_queue *q, unsigned lane, uint64_t time_ns, const void *record, size_t len)
{
    struct bpf_queue_lane *l = &q->lanes[lane];
    struct bpf_queue_entry entry = { .time_ns = time_ns, .order = q->order++ };

    if (make_room(l) < 0)
        return -ENOMEM;
    entry.record = store(q, record, len);
    if (!entry.record)
        return -ENOMEM;
    insert(l, &entry);
    q->count++;
    q->bytes += len;
    return 0;
}

static const struct bpf_queue_entry *first_of(struct bpf_queue_lane *l)
{
    if (l->first == l->end)
        return NULL;
    if (l->unsorted)
        qsort(l->entries + l->first, l->end - l->first, sizeof(*l->entries), by_time);
    l->unsorted = false;
    return &l->entries[l->first];
}

struct bpf_queued *bpf_queue_take(struct bpf_queue *q, uint64_t until_ns)
{
    struct bpf_queue_lane *from = NULL;
    const struct bpf_queue_entry *best = NULL;
    struct bpf_queued *record;

    for (unsigned i = 0; i < BPF_QUEUE_LANES; i++) {
        const struct bpf_queue_entry *first = first_of(&q->lanes[i]);

        if (!first || (best && !is_before(first, best)))
            continue;
        best = first;
        from = &q->lanes[i];
    }
    if (!best || best->time_ns > until_ns)
        return NULL;
    record = best->record;
    if (++from->first == from->end)
        from->first = from->end = 0;
    q->count--;
    q->bytes -= record->len;
    return record;
}

/* ---- the end ---- */

static void free_blocks(struct bpf_queue_block *b)
{
    while (b) {
        struct bpf_queue_block *next = b->next;

        free(b);
        b = next;
    }
}

void bpf_queue_rest(struct bpf_queue *q)
{
    free_blocks(TAKE_PTR(q->spare));
    if (q->filling && !q->filling->records)
        free(TAKE_PTR(q->filling));
    for (unsigned i = 0; i < BPF_QUEUE_LANES; i++)
        if (q->lanes[i].first == q->lanes[i].end) {
            free(q->lanes[i].entries);
            q->lanes[i] = (struct bpf_queue_lane){ 0 };
        }
}

void bpf_queue_done(struct bpf_queue *q)
{
    struct bpf_queued *record;

    while ((record = bpf_queue_take(q, UINT64_MAX)))
        bpf_queue_give_back(q, record);
    bpf_queue_rest(q);
}
