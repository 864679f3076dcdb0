/* SPDX-License-Identifier: MIT */
/*
 * The spool's file (store/spool.h): a head, then segments of which one is filled after the other. A segment is a row of chunks of
 * one epoch, each written by one call; what follows the last one is of former epochs, or torn. Numbers are in the order of
 * the machine, which is the same one: the file lies on a file system in memory.
 *
 *     chunk    struct spool_chunk, then records
 *     record   counter and number as pack_u64() has them, then messages (store/message.h) as pack_bytes() has them
 *
 * The messages of a segment name no slot that an earlier message of the same segment did not fill, and each event is complete
 * by itself: so any of them can be left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/observer.h"
#include "util/bytes.h"
#include "util/hash.h"
#include "util/sbuf.h"

#define SPOOL_MAGIC "culspool"
#define SPOOL_HEAD_SIZE 4096
#define SPOOL_SEGMENTS 2
#define SPOOL_SEGMENT_SIZE (8u << 20) /* what waits before the store is written: the queue's 6 MB, and what sensors wait for */

struct spool_head {
    char magic[8];
    uint64_t layout;        /* spool_layout() of who wrote it */
    uint64_t device, inode; /* of the store's file */
    char observer[OBSERVER_SIZE];
    uint64_t hash;          /* of all before it */
};

struct spool_chunk {
    uint64_t hash;    /* of all after it, the records included */
    uint64_t epoch;   /* counts from 1 over both segments */
    uint64_t seen_ns; /* CLOCK_REALTIME: all that happened before is in the spool or in the store; 0 = not known */
    uint64_t len;     /* of the records */
};

/* Finds what is torn, not what is forged. */
static inline uint64_t spool_hash(const void *data, size_t len)
{
    return hash_words(HASH_START, data, len);
}

/* What is counted: events are stored in the order in which they were expected, and others in the order in which they came. */
enum spool_counter { SPOOL_EVENTS, SPOOL_OTHERS, SPOOL_COUNTERS };
struct spool_numbers {
    uint64_t at[SPOOL_COUNTERS];
};

/* numbers: of a record; stored: the last ones that are in the store. */
static inline bool spool_is_stored(const struct spool_numbers *numbers, const struct spool_numbers *stored)
{
    return numbers->at[SPOOL_EVENTS] <= stored->at[SPOOL_EVENTS] && numbers->at[SPOOL_OTHERS] <= stored->at[SPOOL_OTHERS];
}

/* Of the messages' fields: another culprit's spool is not understood, which is better than wrongly. */
uint64_t spool_layout(void);
/* False: not the head of a spool that this culprit can read. */
bool spool_read_head(struct bytes file, struct spool_head *ret);

/* What a segment has that is not stored yet. */
struct spool_segment {
    uint64_t epoch;   /* 0: nothing was ever written */
    uint64_t seen_ns;
    struct spool_numbers last; /* of those that it has, and those that are stored */
    uint64_t count;   /* messages that are not only there because others refer to them */
    struct sbuf messages;
};
/* stored: up to these numbers all is in the store. -EBADMSG: records that we do not write; -ENOMEM. */
int spool_read_segment(struct bytes segment, const struct spool_numbers *stored, struct spool_segment *ret);
