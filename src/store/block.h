/* SPDX-License-Identifier: MIT */
/*
 * Many events as one row: a block. A row of its own with its indexes costs an event ten times what it costs in a
 * block, and under a storm there is no time for that. Only events that cannot come a second time are put there (no
 * log will bring them again, and nobody else writes to the store): nothing looks whether their ids are new.
 *
 * data     for each event what differs from the one before: a byte with a bit for each of block_rows, those rows as
 *          varints; then the fields (store/delta.h)
 *          first byte 0x80, 0x81: the size of all that as a varint, and all that compressed by zstd; 0x81: each event
 *          begins with its row's distance from the one before it, as a varint (store/compact.h); 0x82, 0x83: likewise, and
 *          what is compressed has the events by columns (store/columns.h), and zstd's checksum as a rule: a number that has become
 *          another one would read as well; 0x86, 0x87: likewise, a byte before the
 *          columns, and of ids that only count there is next to nothing; 0x8e, 0x8f: likewise, another byte, and columns of states' members
 * row      of the first event; the next ones count on, but of 0x81; the last one is less than BLOCK_MAX behind it
 * names    of block_place, for each directory that the events have: a filter of the names in it (block_may_have)
 */
#pragma once

#include <stdbool.h>

#include "store/block_rows.h"
#include "store/delta.h"
#include "store/sqlite.h"

#define BLOCK_MIN 64   /* so few events are rows, as anybody's SQL reads them */
#define BLOCK_MAX 512  /* so many are taken apart to find one */
#define BLOCK_PLAIN_MAX (64 << 20) /* bytes of a block's events that can be compressed; readers refuse more */

struct event_block;

/* db, path: borrowed until block_free(). -ENOMEM, or an error of SQLite's with err's text. block_clear() drops what was not written. */
int block_new(sqlite3 *db, const char *path, struct event_block **ret, struct err *err);
void block_free(struct event_block *block); /* NULL is fine */
void block_clear(struct event_block *block);

/* The first one since block_clear() has its row in `row`, and is a row of its own. `packed`: as delta_pack() made it. */
int block_add(struct event_block *block, int64_t row, uint64_t time_ns, const struct block_rows *rows, struct bytes packed);
/* Until it is cleared: the rows have holes between them, and what is written is compressed. Before the first one. */
void block_set_sparse(struct event_block *block);
/* What was written as it is, compressed. 1; 0: it stays as it is: it is compressed, would not be smaller, is too big, or damaged. */
int block_compress(struct bytes data, struct sbuf *out);
/* That the directory has an event of this name. */
int block_add_name(struct event_block *block, int64_t directory, struct bytes name);
/* Writes what was added and clears it; nothing if nothing was. */
int block_write(struct event_block *block, struct err *err);

/* Can this name be among those of the filter? True more often than it is. */
bool block_may_have(struct bytes names, struct bytes name);

/* ---- reading ---- */

struct block_event {
    int64_t row;
    struct block_rows rows;
    struct delta_values values; /* valid until the next call */
};

#define BLOCK_COMPRESSED 0x80
#define BLOCK_SPARSE 0x01
#define BLOCK_BY_COLUMNS 0x02
#define BLOCK_ID_STEPS 0x04
#define BLOCK_MEMBERS 0x08
#define BLOCK_ID_STEPS_MARK 0x7f /* what is compressed begins with it: no checksum has the flags */
#define BLOCK_MEMBERS_MARK 0x7e  /* or with this */
#define BLOCK_FLAGS (BLOCK_COMPRESSED | BLOCK_SPARSE | BLOCK_BY_COLUMNS | BLOCK_ID_STEPS | BLOCK_MEMBERS)

struct block_reader;

/* db, path: borrowed until block_reader_free(). -ENOMEM, or an error of SQLite's with err's text. */
int block_reader_new(sqlite3 *db, const char *path, struct block_reader **ret, struct err *err);
void block_reader_free(struct block_reader *reader); /* NULL is fine */
/* -ENOENT: there is no such block. */
int block_reader_begin(struct block_reader *reader, int64_t block, struct err *err);
/* 1 and the next event, 0 at the end; -EBADMSG: damaged. */
int block_reader_next(struct block_reader *reader, const struct block_event **ret, struct err *err);
/* Likewise, without its values: they are known after block_reader_values(), which takes those of all before it apart as well. What is
 * damaged of values that nobody asked for is not found. */
int block_reader_next_rows(struct block_reader *reader, const struct block_event **ret, struct err *err);
int block_reader_values(struct block_reader *reader, struct err *err);
/* The block that was begun last is what is damaged, not the database: others can be read. */
bool block_reader_is_damaged(const struct block_reader *reader);
void block_reader_end(struct block_reader *reader); /* nothing of the database is held any more */
/* The event of this row. -ENOENT. */
int block_reader_find(struct block_reader *reader, int64_t row, const struct block_event **ret, struct err *err);
