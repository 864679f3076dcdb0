/* SPDX-License-Identifier: MIT */
/*
 * Where the index keeps what it knows of a file: 32 records together in a block, each as short as the block's
 * common values allow, since neighbours in a directory resemble each other in number, time, owner and name. A record of
 * a file with a name of 13 bytes takes some 10 to 25 bytes, for what would be 70 in a struct.
 *
 * A record is an object and, mostly, its name in one; of an object with several names the others are aliases.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/limits.h"

struct record {
    uint32_t parent;      /* object: the directory that holds the name; 0 = it has no name of its own */
    uint32_t attributes;  /* 0 = an alias */
    uint32_t object;      /* of an alias: what it is a name of */
    uint32_t next_alias;  /* of an object the first; 0 = none */
    uint32_t children;    /* of a directory: number of its table, 0 = none */
    bool directory;
    uint64_t inode, size;
    int64_t mtime_ns, ctime_ns;
    uint16_t born;        /* a digest of when it was made; 0 = not known */
    struct bytes name;    /* read: valid until the next change of any record or of this struct, which may hold it */
    char text[LIMIT_NAME];
};

struct records_block;

struct records {
    uintptr_t *blocks;    /* pointers, or odd: no block there, and the next such place */
    uint32_t count, size;
    uint32_t free_place;  /* index + 1 of a place without a block */
    uint32_t free_block;  /* index + 1 of a block with room */
    uint64_t memory;      /* bytes */
};

/* Frees the blocks and zeroes it: no number is good any more. */
void records_done(struct records *r);
/* Numbers begin with 1; 0: out of memory. */
uint32_t records_new(struct records *r, const struct record *record);
/* False: there is no record of that number. */
bool records_get(const struct records *r, uint32_t number, struct record *ret);
/* Writes it anew; -ENOMEM: it is as it was. What takes no more bytes than before never fails. */
int records_set(struct records *r, uint32_t number, const struct record *record);
void records_free(struct records *r, uint32_t number);
/* All of them, in order: begin with 0; 0 at the end. */
uint32_t records_next(const struct records *r, uint32_t number);
