/* SPDX-License-Identifier: MIT */
/* A writer, for its own files: writer.c the transaction, writer_rows.c what is a row each, writer_event.c an event. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/block.h"
#include "store/coverage_writer.h"
#include "store/delta.h"
#include "store/message.h"
#include "store/rollup.h"
#include "store/sqlite.h"

struct directory;

enum statement {
    INSERT_DIRECTORY,
    FIND_DIRECTORY,
    INSERT_WATCH,
    FIND_WATCH,
    INSERT_CONTAINER,
    INSERT_PROCESS,
    NEXT_ROW,
    DATA_VERSION,
    INSERT_EVENT,
    FIND_EVENT,
    INSERT_LIFE,
    INSERT_GAP,
    INSERT_IMPORTED,
    STATEMENT_COUNT
};

/* A slot as it was before the transaction. */
struct undo {
    int64_t *at, before;
};

struct writer {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct directory *directories;
    struct event_block *block;
    struct rollup *rollup;
    int64_t version;          /* of the data: another one after somebody else wrote; 0 = not looked at yet */
    uint64_t written_ns;      /* CLOCK_REALTIME: the last time */
    uint64_t others_until_ns; /* CLOCK_REALTIME: until then another process may add the same events */
    int64_t processes[MESSAGE_SLOTS + 1], containers[MESSAGE_SLOTS + 1];
    struct coverage_writer *coverage;
    /* of the transaction that is going on */
    struct undo *undo;
    size_t undo_count, undo_size;
    struct bytes rest;           /* messages to come */
    struct delta_values values;  /* of the event that is written, and until then of the one before it */
    struct block_rows rows;
    bool started;                /* an event has been a row of its own */
    int64_t watch;               /* its row; 0 = it has none */
    bool others;                 /* somebody else may write the same events */
    bool packing;                /* events go to the block */
    int64_t next_row;            /* of the next event; 0 = not looked up yet */
    struct err *err;
};

/* ---- writer_rows.c ---- */

/* Runs the statement once, with what is bound. Errors of SQLite's, the words in w->err. */
int writer_run(struct writer *w, enum statement which);
/* The number that the statement answers. */
int writer_ask(struct writer *w, enum statement which, int64_t *ret);
/* NULL for row 0: unknown. */
void writer_bind_row(sqlite3_stmt *s, int at, int64_t row);
/* The row of these bytes, in a table that keeps them once. */
int writer_find_row(struct writer *w, enum statement insert, enum statement find, struct bytes value, int64_t *ret);
/* The same for a directory, remembered. *ret 0: the path is not known. */
int writer_find_directory(struct writer *w, struct bytes path, int64_t *ret);
void writer_forget_directories(struct writer *w);
/* What earlier messages put into this slot; 0 = nothing. */
int64_t writer_row_of(const int64_t *rows, uint64_t slot);

/* One message each (message.h). MESSAGE_MALFORMED, or errors of SQLite's. */
int writer_container(struct writer *w, struct bytes m);
int writer_process(struct writer *w, struct bytes m);
int writer_life(struct writer *w, struct bytes m);
int writer_gap(struct writer *w, struct bytes m);
int writer_imported(struct writer *w, struct bytes m);

/* ---- writer_event.c ---- */

/* kind: MESSAGE_EVENT or MESSAGE_EVENT_ONCE. As those above; what the event has in common with the one before it is kept in w->values. */
int writer_event(struct writer *w, enum message_kind kind, struct bytes m);
