/* SPDX-License-Identifier: MIT */
#include "store/retained.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/checkpoint.h"
#include "store/prune.h"
#include "store/room.h"
#include "store/writer.h"
#include "util/clock.h"

#define PRUNE_PAUSES 4
#define ROUNDS 8 /* each removes an eighth, or the oldest hour */
#define PAGES_MAX 4294967294u /* SQLite's own */

static int read_page_size(struct store_queue *q, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(q->db, q->path, "PRAGMA page_size", &s, err);

    if (r == 0 && sqlite3_step(s) == SQLITE_ROW)
        q->page_size = (uint64_t)MAX(sqlite3_column_int64(s, 0), 512);
    else if (r == 0)
        r = db_error(q->db, q->path, err);
    sqlite3_finalize(s);
    return r;
}

static void set_size_max(struct store_queue *q, uint64_t bytes)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %llu", (unsigned long long)MIN(MAX(bytes / q->page_size, 1), PAGES_MAX));
    (void)db_exec(q->db, q->path, sql, NULL);
}

static void keep_no_room(struct store_queue *q)
{
    room_give_up(q->path);
    set_size_max(q, UINT64_MAX);
}

int retained_take(struct store_queue *q, struct kept_retention *next, int r, struct err *err)
{
    if (next) {
        retention_free(q->retention);
        q->retention = next;
        pruner_free(q->pruner);
        q->pruner = NULL;
    }
    if (r < 0 || !q->retention || q->pruner)
        return r;
    r = read_page_size(q, err);
    if (r == 0)
        r = pruner_new(q->db, q->path, &q->retention->retention, &q->pruner, err);
    if (r == 0 && retained_gives_up_oldest(q)) /* at once: a small disk is full within a second */
        (void)room_keep(q->path);
    else if (r == 0 && next) /* it may have been, until now */
        keep_no_room(q);
    return r;
}

/* Said by the thread that adds: store/condition.h. */
static void note_fault(struct store_queue *q)
{
    const char *fault = pruner_fault(q->pruner);

    if (strcmp(fault, q->fault) == 0)
        return;
    pthread_mutex_lock(&q->lock);
    snprintf(q->fault, sizeof(q->fault), "%s", fault);
    q->faults += fault[0] != '\0';
    pthread_mutex_unlock(&q->lock);
}

/*
 * One step of what is to be removed, and a pause after it: four fifths of the time are for what comes. What fails is tried
 * again: what is recorded does not depend on it.
 */
void retained_step(struct store_queue *q, uint64_t now)
{
    struct rows_in_use in_use;
    uint64_t real = clock_ns(CLOCK_REALTIME), after;
    bool alone = writer_rows_in_use(q->writer, real, &in_use), forget;
    int r = pruner_step(q->pruner, real, alone ? &in_use : NULL, &forget, NULL);

    if (forget)
        writer_forget(q->writer);
    note_fault(q);
    after = clock_ns(CLOCK_MONOTONIC);
    q->prune_ns = after + (r == 1 ? PRUNE_PAUSES * (after - now) + NS_PER_MS : NS_PER_S);
}

/* ---- the disk is full ---- */

void retained_limit_growth(struct store_queue *q)
{
    struct stat st;

    if (retained_gives_up_oldest(q) && db_look(q->path, &st, NULL) == 0)
        set_size_max(q, (uint64_t)st.st_size + room_for_log(q->path));
}

/* SQLite's log, all of it, which gives back its room. */
static int empty_log(struct store_queue *q)
{
    checkpointer_wait(q->checkpointer);
    return sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK ? 0 : db_error(q->db, q->path, NULL);
}

/* What was kept is for that alone: where somebody reads in the log, whatever else takes it goes into the log, too, which then has no room
 * in the file for good. */
static int put_log_into_file(struct store_queue *q)
{
    int r = empty_log(q);

    if (r == -ENOSPC) {
        room_give_up(q->path);
        r = empty_log(q);
        if (r < 0)
            room_hold(q->path, 1);
    }
    return r;
}

/* One round of what pruner_make_room() says. -EBUSY: somebody has come to read. */
static int remove_oldest(struct store_queue *q)
{
    int more = 1, r = 0;

    pruner_make_room(q->pruner);
    while (more == 1 && r == 0 && pruner_makes_room(q->pruner)) {
        uint64_t real = clock_ns(CLOCK_REALTIME);
        struct rows_in_use in_use;
        bool alone = writer_rows_in_use(q->writer, real, &in_use), forget;

        more = pruner_step(q->pruner, real, alone ? &in_use : NULL, &forget, NULL);
        if (forget)
            writer_forget(q->writer);
        r = empty_log(q);
    }
    pruner_end_room(q->pruner);
    return r < 0 ? r : MIN(more, 0);
}

int retained_make_room(struct store_queue *q, bool is_enough)
{
    int r = put_log_into_file(q), kept;

    if (r < 0)
        return r;
    room_give_up(q->path); /* what is removed goes through the log as well */
    kept = is_enough ? room_keep(q->path) : -ENOSPC;
    for (unsigned i = 0; i < ROUNDS && kept == -ENOSPC && r != -EBUSY; i++) {
        r = remove_oldest(q);
        kept = room_keep(q->path);
    }
    if (kept == -ENOSPC)
        room_hold(q->path, r == -EBUSY ? 1 : 2);
    return r == -EBUSY ? r : 0;
}

bool retained_gives_up_oldest(const struct store_queue *q)
{
    return q->pruner && q->retention->retention.give_up_oldest;
}
