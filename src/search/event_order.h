/* SPDX-License-Identifier: MIT */
/*
 * The order in which events leave the search: the lowest stamp first, as a heap, and of equal stamps the one first that ausearch
 * would print first. For the one thread that makes events of lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/record.h"
#include "util/bytes.h"

enum event_state {
    OPEN,      /* more records may come */
    MATCHING,  /* decided: waits for its turn */
    REFUSED,   /* decided: its place in the order is all that is kept */
};

struct open_event {
    uint64_t sec, serial;
    uint64_t slot;      /* equal stamps: the lower slot goes first; see event_order_take_slot() */
    struct bytes node;  /* owned */
    struct open_event *next_in_bucket;
    struct search_record *records;
    char *text;         /* records that outlived their block; NULL = none */
    uint32_t text_len, text_size;
    uint32_t count, size;
    uint32_t kept;      /* of them are in `text` */
    size_t touched_at;  /* where it is in that list, if listed */
    int32_t type;
    uint16_t milli;
    uint8_t state;
    bool hit, enriched, single, listed;
    bool stale; /* has grown since it was decided */
};

struct event_order {
    struct open_event **heap; /* lowest first; the events are borrowed */
    size_t count, size;
    uint64_t *free_slots; /* a heap, lowest first */
    size_t free_slot_count, free_slot_size;
    uint64_t slot_count;
};

/* Frees what it holds itself, not the events; a zeroed one holds nothing. */
void event_order_done(struct event_order *o);
/* -ENOMEM: it is not in it. */
int event_order_push(struct event_order *o, struct open_event *e);
/* Takes the lowest out. There has to be one: `count`. */
struct open_event *event_order_pop(struct event_order *o);

/* ausearch keeps its open events in an array, each in the first place that is free, and of two with
 * equal stamps it prints the one first that comes first in the log. */
uint64_t event_order_take_slot(struct event_order *o);
/* The slot of an event that is over. */
void event_order_give_slot(struct event_order *o, uint64_t slot);
