/* SPDX-License-Identifier: MIT */
/*
 * Records of several rings until it is their turn: they are taken out in the order of their time, and of their arrival
 * where that is the same. Their memory is kept for those that come next, until bpf_queue_rest().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPF_QUEUE_LANES 2 /* one a ring: each is nearly in order by itself */

struct bpf_queue_block;

struct bpf_queued {
    struct bpf_queue_block *block;
    size_t len;
    _Alignas(8) char data[];
};

struct bpf_queue_entry {
    uint64_t time_ns;
    uint64_t order; /* of arrival */
    struct bpf_queued *record;
};

struct bpf_queue {
    struct bpf_queue_lane {
        struct bpf_queue_entry *entries;
        size_t first, end, size; /* those that wait: entries[first] to entries[end - 1] */
        bool unsorted;
    } lanes[BPF_QUEUE_LANES];
    struct bpf_queue_block *filling, *spare;
    size_t count, bytes; /* of records that wait */
    uint64_t order;
};

#define BPF_QUEUE_INIT ((struct bpf_queue){ 0 })

/* Frees what waits; the queue may be used again. */
void bpf_queue_done(struct bpf_queue *q);

/* Copies the record. lane: of which ring. Returns -ENOMEM. */
int bpf_queue_add(struct bpf_queue *q, unsigned lane, uint64_t time_ns, const void *record, size_t len);

/*
 * The first of those that are not younger than until_ns, NULL: there is none. Whoever takes it gives it back by
 * bpf_queue_give_back(); in between records may be added and taken.
 */
struct bpf_queued *bpf_queue_take(struct bpf_queue *q, uint64_t until_ns);
void bpf_queue_give_back(struct bpf_queue *q, struct bpf_queued *record);

/* No more is coming for now: memory that holds nothing goes. */
void bpf_queue_rest(struct bpf_queue *q);
