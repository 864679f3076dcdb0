/* SPDX-License-Identifier: MIT */
/*
 * Processes that are not young any more, many as one row: table process_pack of store/schema.c. Most of what a process is, is what
 * the one before it was. Each keeps its row's number, so that what refers to it need not change; numbers in packs are below all that
 * are rows of table process.
 *
 * row   of the first one; the next ones are less than PROCESS_PACK_SPAN behind it
 * data  how many fields each has, how many bytes there are, as varints; these bytes compressed: by columns, as in store/columns.h.
 *       Columns are the distance from the row before, which fields differ from those of the process before, and those fields
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/sqlite.h"
#include "util/arena.h"
#include "util/sbuf.h"

#define PROCESS_PACK_MAX 256  /* of one pack: so many are read to find one */
#define PROCESS_PACK_SPAN (1 << 20)
#define PROCESS_FIELDS_MAX 62 /* those that refer to others, then process_fields; bits of a word */

enum { PROCESS_PARENT, PROCESS_CONTAINER, PROCESS_EARLIER, PROCESS_OWN }; /* rows, or 0; its own fields follow */

struct process_values {
    int64_t row;
    uint64_t numbers[PROCESS_FIELDS_MAX];
    struct bytes bytes[PROCESS_FIELDS_MAX]; /* of those that are bytes */
};

/* ---- packing: zeroed before the first one ---- */

struct process_packing {
    struct process_values before;
    struct arena arena; /* of before's bytes */
    struct sbuf columns[PROCESS_FIELDS_MAX + 2];
    unsigned count;
};

/* The next one, of a higher row; its bytes are copied. -ENOMEM. */
int process_pack_add(struct process_packing *packing, const struct process_values *values);
/* All of them as a pack's data. -ENOMEM. */
int process_pack_write(struct process_packing *packing, struct sbuf *out);
void process_packing_done(struct process_packing *packing); /* it is zeroed after that */

/* ---- unpacking ---- */

struct process_unpacking {
    struct sbuf plain;
    struct bytes begin[PROCESS_FIELDS_MAX + 2], at[PROCESS_FIELDS_MAX + 2];
    int64_t row;
    unsigned fields;
    struct process_values now; /* views into plain */
};

/* row: of the pack. -EBADMSG, -ENOMEM. What was unpacked before is gone. */
int process_unpack(struct process_unpacking *unpacking, int64_t row, struct bytes data);
/* From its first one on. */
void process_unpack_again(struct process_unpacking *unpacking);
/* 1: now is the next one; 0 at the end; -EBADMSG. */
int process_unpack_next(struct process_unpacking *unpacking);
void process_unpacking_done(struct process_unpacking *unpacking);

/* ---- in the store ---- */

struct process_packs;
struct process;

/* db, path: borrowed until process_packs_free(). -ENOMEM, or an error of SQLite's with err's text. */
int process_packs_new(sqlite3 *db, const char *path, struct process_packs **ret, struct err *err);
void process_packs_free(struct process_packs *packs); /* NULL is fine */
/* The one of this row, valid until the next call. -ENOENT: it is in no pack; -EBADMSG: damaged. */
int process_packs_find(struct process_packs *packs, int64_t row, const struct process_values **ret, struct err *err);
/* Its own fields into the record, whose arena gets the bytes. -ENOMEM, -EBADMSG. */
int process_values_read(const struct process_values *values, struct process *to);

/*
 * Within a transaction: the oldest rows as one pack, if there are as many as it takes beside the `young` newest, which stay rows. 1: there
 * may be more; 0.
 */
int process_packs_step(struct process_packs *packs, int64_t young, struct err *err);
