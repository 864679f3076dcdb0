/* SPDX-License-Identifier: MIT */
#include "sensor/object/startup_buffer.h"

#include <stdlib.h>

#include "sensor/object/recent_evictions.h"

struct startup_entry {
    struct startup_entry *next;
    uint64_t added_ms;
    size_t size; /* with this head */
    max_align_t entry[];
};

struct startup_buffer {
    struct startup_entry *first, **last;
    size_t bytes, limit;
    struct recent_evictions lost;
};

struct startup_buffer *startup_buffer_new(size_t limit)
{
    struct startup_buffer *b = calloc(1, sizeof(*b));

    if (b) {
        b->last = &b->first;
        b->limit = limit;
    }
    return b;
}

static void drop_first(struct startup_buffer *b)
{
    struct startup_entry *e = b->first;

    b->first = e->next;
    if (!b->first)
        b->last = &b->first;
    b->bytes -= e->size;
    free(e);
}

void *startup_buffer_add(struct startup_buffer *b, size_t size, uint64_t now_ms)
{
    struct startup_entry *e = NULL;

    size += sizeof(*e);
    if (size <= b->limit)
        e = malloc(size);
    if (!e) {
        recent_evictions_note(&b->lost, now_ms);
        return NULL;
    }
    while (b->bytes + size > b->limit) {
        if (is_recent_eviction(b->first->added_ms, now_ms))
            recent_evictions_note(&b->lost, now_ms);
        drop_first(b);
    }
    e->next = NULL;
    e->added_ms = now_ms;
    e->size = size;
    *b->last = e;
    b->last = &e->next;
    b->bytes += size;
    return e->entry;
}

uint64_t startup_buffer_take_lost(struct startup_buffer *b, uint64_t now_ms)
{
    return recent_evictions_take(&b->lost, now_ms);
}

void startup_buffer_replay(struct startup_buffer *b, bool (*claim)(void *data, const void *entry), void *data)
{
    struct startup_entry **at = &b->first;

    while (*at) {
        struct startup_entry *e = *at;

        if (!claim(data, e->entry)) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        b->bytes -= e->size;
        free(e);
    }
    b->last = at;
}

void startup_buffer_clear(struct startup_buffer *b)
{
    while (b->first)
        drop_first(b);
    b->lost.count = 0;
}

void startup_buffer_free(struct startup_buffer *b)
{
    if (!b)
        return;
    startup_buffer_clear(b);
    free(b);
}
