/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <string.h>

#include "store/fields.h"
#include "store/writer_state.h"
#include "util/macro.h"

#define IDS_MAX 64 /* events of one nanosecond that have the same hash */

/* Each place that the event has, counted in its directory. */
static int count_places(struct writer *w, int64_t event)
{
    const uint64_t *numbers = w->values.numbers;
    const int64_t *directories = &w->rows.row[BLOCK_DIRECTORIES];
    struct rollup_key key = { .suspect = (int64_t)numbers[DELTA_SUSPECT],
                              .suspect_rest = w->rows.row[BLOCK_SUSPECT_REST],
                              .operation = (int64_t)numbers[DELTA_operation],
                              .error = (int64_t)numbers[DELTA_error],
                              .victim = w->rows.row[BLOCK_VICTIM],
                              .victim_kind = (int64_t)numbers[DELTA_victim_kind],
                              .watch = w->watch,
                              .hour = (int64_t)(numbers[DELTA_time_ns] / ROLLUP_HOUR_NS) };
    int r = 0;

    for (int i = 0; i < PLACE_COUNT && r == 0; i++) {
        if (!directories[i] || (i == PLACE_PREVIOUS && directories[i] == directories[PLACE_PATH]))
            continue;
        key.directory = directories[i];
        key.place = i;
        key.other = i ? directories[PLACE_PATH] : 0;
        r = rollup_count(w->rollup, &key, numbers[DELTA_time_ns], event);
    }
    return r;
}

static bool is_event(enum message_kind kind)
{
    return kind == MESSAGE_EVENT || kind == MESSAGE_EVENT_ONCE;
}

/* The number of events, this one included, until the next that is complete by itself; counts up to BLOCK_MIN only. */
static unsigned run_length(struct bytes messages)
{
    enum message_kind kind;
    struct bytes m;
    unsigned n = 1;

    while (n < BLOCK_MIN && message_next(&messages, &kind, &m)) {
        if (!is_event(kind))
            continue;
        if (delta_event_is_alone(m))
            break;
        n++;
    }
    return n;
}

static int find_directories(struct writer *w, uint64_t mask)
{
    int r = 0;

    for (unsigned i = 0; i < PLACE_COUNT && r == 0; i++)
        if (mask & (DELTA_ALONE | 1ull << DELTA_DIRECTORY(i)))
            r = writer_find_directory(w, w->values.bytes[DELTA_DIRECTORY(i)], &w->rows.row[BLOCK_DIRECTORIES + i]);
    return r;
}

static int find_watch(struct writer *w, uint64_t mask)
{
    struct bytes text = w->values.bytes[DELTA_watch];

    if (!(mask & (DELTA_ALONE | 1ull << DELTA_watch)))
        return 0;
    w->watch = 0;
    return bytes_known(text) ? writer_find_row(w, INSERT_WATCH, FIND_WATCH, text, &w->watch) : 0;
}

/* Rows and blocks count together, so that an event is found by its number alone. */
static int next_row(struct writer *w, int64_t *ret)
{
    int r = w->next_row ? 0 : writer_ask(w, NEXT_ROW, &w->next_row);

    *ret = w->next_row++;
    return r;
}

static void bind_event(struct writer *w, int64_t row)
{
    sqlite3_stmt *s = w->statements[INSERT_EVENT];

    sqlite3_bind_int64(s, 1, row);
    writer_bind_row(s, 2, w->rows.row[BLOCK_PROCESS]);
    writer_bind_row(s, 3, w->rows.row[BLOCK_VICTIM]);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)w->values.numbers[DELTA_SUSPECT]);
    sqlite3_bind_int64(s, 5, w->rows.row[BLOCK_SUSPECT_REST]);
    for (unsigned i = 0; i < PLACE_COUNT; i++) {
        writer_bind_row(s, 6 + 2 * (int)i, w->rows.row[BLOCK_DIRECTORIES + i]);
        db_bind_bytes(s, 7 + 2 * (int)i, w->values.bytes[DELTA_NAME(i)]);
    }
    db_bind_bytes(s, 12, w->values.bytes[DELTA_PREVIOUS_HOST_PATH]);
}

/* Is the event that has this id already the one that is written? Another sensor may call it another operation. */
static int is_stored(struct writer *w, const uint64_t id[2], bool *ret)
{
    const uint64_t *numbers = w->values.numbers;
    sqlite3_stmt *s = w->statements[FIND_EVENT];
    int r = 0;

    sqlite3_bind_blob(s, 1, id, 2 * sizeof(*id), SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0) == (int64_t)numbers[DELTA_actor_pid] &&
               (sqlite3_column_int64(s, 1) == (int64_t)numbers[DELTA_operation] ||
                sqlite3_column_int64(s, 2) != (int64_t)numbers[DELTA_sensors]);
    else
        r = db_error(w->db, w->path, w->err);
    sqlite3_reset(s);
    return r;
}

/*
 * *ret_new: it is not in the store yet. Its id is a time and a hash, in which names that others chose have a part: where
 * two have the same id, the later one gets the next that is free, the same one each time that it is added.
 */
static int insert_event(struct writer *w, int64_t row, bool *ret_new)
{
    sqlite3_stmt *s = w->statements[INSERT_EVENT];
    uint64_t id[2];
    bool stored = false;
    int r = 0;

    *ret_new = false;
    memcpy(id, w->values.bytes[DELTA_id].data, sizeof(id));
    for (unsigned i = 0; i < IDS_MAX && r == 0 && !stored && !*ret_new; i++, id[1] = htobe64(be64toh(id[1]) + 1)) {
        bind_event(w, row);
        delta_bind(&w->values, s, 13);
        sqlite3_bind_blob(s, 13, id, sizeof(id), SQLITE_STATIC);
        r = writer_run(w, INSERT_EVENT);
        *ret_new = r == 0 && sqlite3_changes(w->db);
        if (r == 0 && !*ret_new)
            r = is_stored(w, id, &stored);
    }
    return r;
}

static int pack_event(struct writer *w, int64_t row, uint64_t mask, struct bytes packed)
{
    int r = block_add(w->block, row, w->values.numbers[DELTA_time_ns], &w->rows, packed);

    for (unsigned i = 0; i < PLACE_COUNT && r == 0; i++)
        if (w->rows.row[BLOCK_DIRECTORIES + i] && (mask & (DELTA_ALONE | 3ull << DELTA_DIRECTORY(i)))) /* it, or its name, is new */
            r = block_add_name(w->block, w->rows.row[BLOCK_DIRECTORIES + i], w->values.bytes[DELTA_NAME(i)]);
    return r;
}

int writer_event(struct writer *w, enum message_kind kind, struct bytes m)
{
    uint64_t actor, victim, rest, mask;
    struct bytes packed;
    bool is_new = true;
    int64_t row = 0;
    int r;

    if (!unpack_u64(&m, &actor) || !unpack_u64(&m, &victim) || !unpack_u64(&m, &rest))
        return MESSAGE_MALFORMED;
    packed = m;
    if (delta_is_alone(packed)) {
        r = block_write(w->block, w->err);
        if (r < 0)
            return r;
        w->packing = kind == MESSAGE_EVENT_ONCE && !w->others && run_length(w->rest) == BLOCK_MIN;
        w->started = true;
    }
    if (!w->started || delta_unpack(&m, &w->values, &mask) < 0 || !w->values.bytes[DELTA_id].data)
        return MESSAGE_MALFORMED;
    w->rows.row[BLOCK_PROCESS] = writer_row_of(w->processes, actor);
    w->rows.row[BLOCK_VICTIM] = writer_row_of(w->containers, victim);
    w->rows.row[BLOCK_SUSPECT_REST] = (int64_t)rest;
    r = find_directories(w, mask);
    if (r == 0)
        r = find_watch(w, mask);
    if (r == 0)
        r = next_row(w, &row);
    if (r == 0)
        r = w->packing ? pack_event(w, row, mask, packed) : insert_event(w, row, &is_new);
    if (r < 0 || !is_new) /* seen before: counted before */
        return r;
    return count_places(w, row);
}
