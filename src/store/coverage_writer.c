/* SPDX-License-Identifier: MIT */
#include "store/coverage_writer.h"

#include <stdlib.h>
#include <string.h>

#include "store/fields.h"
#include "store/message.h"
#include "store/observer.h"
#include "util/macro.h"

#define SPANS_MAX 16

enum coverage_statement { INSERT_COVERAGE, INSERT_COVERAGE_PLACE, END_COVERAGE, ALIVE_COVERAGE, BEGIN_AGAIN, PLACES_AGAIN, STATEMENT_COUNT };

/* The span that a number in the messages means, and its row in the table. */
struct span {
    uint64_t number;
    int64_t row;
};

struct coverage_writer {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct span at[SPANS_MAX], before[SPANS_MAX]; /* that go on; as they were before the transaction */
    unsigned count, count_before;
    bool adopted; /* whose they are is dead */
    char observer[OBSERVER_SIZE];
};

int coverage_writer_new(sqlite3 *db, const char *path, struct coverage_writer **ret, struct err *err)
{
    static const char *const sql[STATEMENT_COUNT] = {
        [INSERT_COVERAGE] = "INSERT INTO coverage (sensors, from_ns, to_ns, alive_ns, watch, not_seen, host_id, "
                           "host_name, narrowed, observer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [INSERT_COVERAGE_PLACE] = "INSERT INTO coverage_place (coverage, kind, permissions, from_ns, runtime, selector, "
                                 "container_id, container_name, path, host_path, target) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [END_COVERAGE] = "UPDATE coverage SET to_ns = ? WHERE row = ?",
        [ALIVE_COVERAGE] = "UPDATE coverage SET alive_ns = max(alive_ns, ?), beat_ns = max(ifnull(beat_ns, 0), ?), stored_events = ?, stored_others = ? "
                           "WHERE row = ?",
        [BEGIN_AGAIN] = "UPDATE coverage SET from_ns = min(from_ns, ?1), alive_ns = min(alive_ns, ?1), beat_ns = min(beat_ns, ?1) "
                        "WHERE row = ?2 AND max(from_ns, alive_ns, ifnull(beat_ns, 0)) > ?1",
        [PLACES_AGAIN] = "UPDATE coverage_place SET from_ns = ?1 WHERE coverage = ?2 AND from_ns > ?1",
    };
    struct coverage_writer *w = calloc(1, sizeof(*w));
    int r = 0;

    if (!w)
        return err_set(err, -ENOMEM, "the store");
    w->db = db;
    w->path = path;
    observer_write(w->observer);
    for (size_t i = 0; i < STATEMENT_COUNT && r == 0; i++)
        r = db_prepare(db, path, sql[i], &w->statements[i], err);
    if (r < 0) {
        coverage_writer_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

void coverage_writer_free(struct coverage_writer *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(w->statements[i]);
    free(w);
}

int coverage_writer_disown(struct coverage_writer *w, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(w->db, w->path, "UPDATE coverage SET observer = ? WHERE to_ns = 0 AND observer = ?", &s, err);

    if (r == 0) {
        db_bind_bytes(s, 1, bytes_of(OBSERVER_NOBODY));
        db_bind_bytes(s, 2, bytes_of(w->observer));
        r = db_run(w->db, w->path, s, err);
    }
    sqlite3_finalize(s);
    return r;
}

int coverage_writer_adopt(struct coverage_writer *w, struct bytes observer, struct spool_numbers *ret_stored, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int code = SQLITE_DONE;
    int r = db_prepare(w->db, w->path,
                       "SELECT row, ifnull(stored_events, 0), ifnull(stored_others, 0) FROM coverage "
                       "WHERE to_ns = 0 AND observer = ? ORDER BY row DESC",
                       &s, err);

    *ret_stored = (struct spool_numbers){ 0 };
    w->adopted = true;
    if (r == 0)
        db_bind_bytes(s, 1, observer);
    while (r == 0 && w->count < SPANS_MAX && (code = sqlite3_step(s)) == SQLITE_ROW) {
        w->at[w->count].number = 0; /* no message names it */
        w->at[w->count++].row = sqlite3_column_int64(s, 0);
        ret_stored->at[SPOOL_EVENTS] = MAX(ret_stored->at[SPOOL_EVENTS], (uint64_t)sqlite3_column_int64(s, 1));
        ret_stored->at[SPOOL_OTHERS] = MAX(ret_stored->at[SPOOL_OTHERS], (uint64_t)sqlite3_column_int64(s, 2));
    }
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(w->db, w->path, err);
    sqlite3_finalize(s);
    return r < 0 ? r : w->count > 0;
}

static int run(struct coverage_writer *w, enum coverage_statement which, struct err *err)
{
    return db_run(w->db, w->path, w->statements[which], err);
}

static int64_t *find(struct coverage_writer *w, uint64_t number)
{
    for (unsigned i = 0; i < w->count; i++)
        if (w->at[i].number == number)
            return &w->at[i].row;
    return NULL;
}

int coverage_writer_begin(struct coverage_writer *w, struct bytes m, uint64_t seen_ns, struct err *err)
{
    sqlite3_stmt *s = w->statements[INSERT_COVERAGE];
    uint64_t number, v[3];
    struct bytes b;
    int r;

    if (!unpack_u64(&m, &number))
        return MESSAGE_MALFORMED;
    if (find(w, number))
        return 0;
    for (int i = 0; i < 3; i++) {
        if (!unpack_u64(&m, &v[i]))
            return MESSAGE_MALFORMED;
        sqlite3_bind_int64(s, i + 1, (sqlite3_int64)v[i]);
    }
    sqlite3_bind_int64(s, 4, (sqlite3_int64)MAX(seen_ns, v[1]));
    for (int i = 5; i <= 9; i++) {
        if (!unpack_bytes(&m, &b))
            return MESSAGE_MALFORMED;
        db_bind_bytes(s, i, b);
    }
    db_bind_bytes(s, 10, bytes_of(w->observer));
    r = run(w, INSERT_COVERAGE, err);
    if (r == 0 && w->count < SPANS_MAX) {
        w->at[w->count].number = number;
        w->at[w->count++].row = sqlite3_last_insert_rowid(w->db);
    }
    return r;
}

int coverage_writer_add_place(struct coverage_writer *w, struct bytes m, struct err *err)
{
    sqlite3_stmt *s = w->statements[INSERT_COVERAGE_PLACE];
    uint64_t number, v;
    struct bytes b;
    int64_t *row;

    if (!unpack_u64(&m, &number))
        return MESSAGE_MALFORMED;
    row = find(w, number);
    if (!row)
        return 0;
    sqlite3_bind_int64(s, 1, *row);
    for (int i = 2; i <= 4; i++) {
        if (!unpack_u64(&m, &v))
            return MESSAGE_MALFORMED;
        sqlite3_bind_int64(s, i, (sqlite3_int64)v);
    }
    for (int i = 5; i <= 10; i++) {
        if (!unpack_bytes(&m, &b))
            return MESSAGE_MALFORMED;
        db_bind_bytes(s, i, b);
    }
    db_bind_bytes(s, 11, unpack_bytes(&m, &b) ? b : BYTES_NULL); /* an older culprit's message ends before it */
    return run(w, INSERT_COVERAGE_PLACE, err);
}

int coverage_writer_end(struct coverage_writer *w, struct bytes m, struct err *err)
{
    sqlite3_stmt *s = w->statements[END_COVERAGE];
    uint64_t number, to_ns;
    int64_t *row;

    if (!unpack_u64(&m, &number) || !unpack_u64(&m, &to_ns))
        return MESSAGE_MALFORMED;
    row = find(w, number);
    if (!row)
        return 0;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)to_ns);
    sqlite3_bind_int64(s, 2, *row);
    for (unsigned i = 0; i < w->count; i++)
        if (w->at[i].number == number)
            w->at[i] = w->at[--w->count];
    return run(w, END_COVERAGE, err);
}

/* By a clock that was set back since, what is watched is watched from now on: no time that has not come is claimed. */
static int begin_again(struct coverage_writer *w, int64_t row, uint64_t now_ns, struct err *err)
{
    int r;

    for (int i = BEGIN_AGAIN; i <= PLACES_AGAIN; i++) {
        sqlite3_bind_int64(w->statements[i], 1, (sqlite3_int64)now_ns);
        sqlite3_bind_int64(w->statements[i], 2, row);
    }
    r = run(w, BEGIN_AGAIN, err);
    return r == 0 && sqlite3_changes(w->db) ? run(w, PLACES_AGAIN, err) : r; /* of those there may be thousands */
}

int coverage_writer_mark_alive(struct coverage_writer *w, uint64_t seen_ns, uint64_t now_ns, const struct spool_numbers *stored,
                               struct err *err)
{
    sqlite3_stmt *s = w->statements[ALIVE_COVERAGE];
    int r = 0;

    for (unsigned i = 0; i < w->count && r == 0; i++) {
        sqlite3_bind_int64(s, 1, (sqlite3_int64)seen_ns);
        sqlite3_bind_int64(s, 2, (sqlite3_int64)(w->adopted ? seen_ns : now_ns));
        sqlite3_bind_int64(s, 3, (sqlite3_int64)stored->at[SPOOL_EVENTS]);
        sqlite3_bind_int64(s, 4, (sqlite3_int64)stored->at[SPOOL_OTHERS]);
        sqlite3_bind_int64(s, 5, w->at[i].row);
        r = run(w, ALIVE_COVERAGE, err);
        if (r == 0 && !w->adopted)
            r = begin_again(w, w->at[i].row, now_ns, err);
    }
    return r;
}

void coverage_writer_save(struct coverage_writer *w)
{
    memcpy(w->before, w->at, sizeof(w->at));
    w->count_before = w->count;
}

void coverage_writer_roll_back(struct coverage_writer *w)
{
    memcpy(w->at, w->before, sizeof(w->at));
    w->count = w->count_before;
}
