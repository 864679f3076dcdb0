/* SPDX-License-Identifier: MIT */
/*
 * The journal of ext3 and ext4 (jbd2): the copies of blocks that it still holds, of transactions that were written to their end, whether
 * they wait to be replayed or have long been. Of what it says of itself nothing is believed. Pure: blocks come from who asks.
 */
#pragma once

#include <stdint.h>

#include "util/bytes.h"

struct ext4_copy {
    uint64_t block;     /* of the file system: where it belongs */
    uint32_t sequence;  /* of its transaction: a later one has a higher number, modulo 2^32 */
    uint64_t commit_ns; /* when that was written, CLOCK_REALTIME: how the block was then, or shortly before */
    struct bytes bytes; /* valid for the call */
};

struct ext4_journal {
    /* Block `n` of the journal into `to`: 0, or -errno, which ends the walk. */
    int (*read)(void *data, uint32_t n, char *to);
    /* A copy; 0 goes on, -errno ends the walk. */
    int (*copy)(void *data, const struct ext4_copy *copy);
    void *data;
    uint32_t block_size; /* of the file system: 1 KiB to 64 KiB */
    uint32_t blocks;     /* so many can be read */
    /* CRC32c without the last inversion; NULL: checksums are not looked at */
    uint32_t (*crc32c)(uint32_t start, const unsigned char *data, size_t len);
};

/* -EBADMSG: it has no head that can be used; else what read() or copy() returned; -ENOMEM. Each block is read five times at most. */
int ext4_journal_walk(const struct ext4_journal *journal);
