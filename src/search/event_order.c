/* SPDX-License-Identifier: MIT */
#include "search/event_order.h"

#include <errno.h>
#include <stdlib.h>

static bool before(const struct open_event *a, const struct open_event *b)
{
    if (a->sec != b->sec)
        return a->sec < b->sec;
    if (a->milli != b->milli)
        return a->milli < b->milli;
    if (a->serial != b->serial)
        return a->serial < b->serial;
    return a->slot < b->slot;
}

int event_order_push(struct event_order *o, struct open_event *e)
{
    size_t i = o->count;

    if (i == o->size) {
        size_t size = i ? i * 2 : 1024;
        struct open_event **grown = realloc(o->heap, size * sizeof(struct open_event *));

        if (!grown)
            return -ENOMEM;
        o->heap = grown;
        o->size = size;
    }
    o->count++;
    while (i > 0 && before(e, o->heap[(i - 1) / 2])) {
        o->heap[i] = o->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    o->heap[i] = e;
    return 0;
}

struct open_event *event_order_pop(struct event_order *o)
{
    struct open_event *top = o->heap[0], *last = o->heap[--o->count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= o->count)
            break;
        if (child + 1 < o->count && before(o->heap[child + 1], o->heap[child]))
            child++;
        if (!before(o->heap[child], last))
            break;
        o->heap[i] = o->heap[child];
        i = child;
    }
    o->heap[i] = last;
    return top;
}

uint64_t event_order_take_slot(struct event_order *o)
{
    uint64_t slot, last;
    size_t i = 0;

    if (o->free_slot_count == 0)
        return o->slot_count++;
    slot = o->free_slots[0];
    last = o->free_slots[--o->free_slot_count];
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= o->free_slot_count)
            break;
        if (child + 1 < o->free_slot_count && o->free_slots[child + 1] < o->free_slots[child])
            child++;
        if (o->free_slots[child] >= last)
            break;
        o->free_slots[i] = o->free_slots[child];
        i = child;
    }
    o->free_slots[i] = last;
    return slot;
}

void event_order_give_slot(struct event_order *o, uint64_t slot)
{
    size_t i = o->free_slot_count;

    if (i == o->free_slot_size) {
        size_t size = i ? i * 2 : 1024;
        uint64_t *grown = realloc(o->free_slots, size * sizeof(*grown));

        if (!grown)
            return; /* one place less: only the order of equal stamps suffers */
        o->free_slots = grown;
        o->free_slot_size = size;
    }
    o->free_slot_count++;
    while (i > 0 && slot < o->free_slots[(i - 1) / 2]) {
        o->free_slots[i] = o->free_slots[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    o->free_slots[i] = slot;
}

void event_order_done(struct event_order *o)
{
    free(o->heap);
    free(o->free_slots);
}
