/* SPDX-License-Identifier: MIT */
#include "store/writer.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "event/event.h"
#include "store/block.h"
#include "store/coverage_writer.h"
#include "store/delta.h"
#include "store/fields.h"
#include "store/message.h"
#include "store/rows_in_use.h"
#include "store/rollup.h"
#include "store/schema.h"
#include "util/macro.h"

#define DIRECTORIES_MAX 16384 /* remembered: about 2 MB */
#define IDS_MAX 64 /* events of one nanosecond that have the same hash */

struct directory {
    int64_t row;
    UT_hash_handle hh;
    size_t len;
    char path[];
};

enum statement {
    INSERT_DIRECTORY,
    FIND_DIRECTORY,
    INSERT_WATCH,
    FIND_WATCH,
    INSERT_CONTAINER,
    INSERT_PROCESS,
    NEXT_ROW,
    DATA_VERSION,
    OTHERS_ALIVE,
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

/* ---- statements ---- */

static int prepare_insert(struct writer *w, enum statement which, const char *table,
                          const char *columns, const struct field *fields, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    unsigned n = fields_count(fields);

    sbuf_addf(&sql, "INSERT OR IGNORE INTO %s (%s%s", table, columns, columns[0] ? ", " : "");
    fields_columns(fields, "", &sql);
    for (const char *c = columns; *c; c++)
        n += *c == ',' || c == columns;
    sbuf_add_str(&sql, ") VALUES (");
    for (unsigned i = 0; i < n; i++)
        sbuf_add_str(&sql, i ? ", ?" : "?");
    sbuf_add_char(&sql, ')');
    return db_prepare(w->db, w->path, sbuf_str(&sql), &w->statements[which], err);
}

static int prepare(struct writer *w, struct err *err)
{
    static const struct {
        enum statement which;
        const char *sql;
    } rows[] = {
        { INSERT_DIRECTORY, "INSERT OR IGNORE INTO directory (path) VALUES (?)" },
        { FIND_DIRECTORY, "SELECT row FROM directory WHERE path = ?" },
        { INSERT_WATCH, "INSERT OR IGNORE INTO watch (text) VALUES (?)" },
        { FIND_WATCH, "SELECT row FROM watch WHERE text = ?" },
        { DATA_VERSION, "PRAGMA data_version" },
        { OTHERS_ALIVE, "SELECT EXISTS (SELECT 1 FROM coverage WHERE to_ns = 0 AND alive_ns > ?)" },
        { NEXT_ROW, "SELECT 1 + max((SELECT ifnull(max(row), 0) FROM event), "
                    "ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0), "
                    "ifnull((SELECT row + count - 1 FROM block ORDER BY row DESC LIMIT 1), 0))" },
        { FIND_EVENT, "SELECT actor_pid, operation, sensors FROM event WHERE id = ?" },
        { INSERT_LIFE, "INSERT INTO life (container, time_ns, kind, exit_code, previous_name) "
                       "VALUES (?, ?, ?, ?, ?)" },
        { INSERT_GAP, "INSERT INTO gap (reason, count, from_ns, to_ns, sensor, text) "
                      "VALUES (?, ?, ?, ?, ?, ?)" },
        { INSERT_IMPORTED, "INSERT OR REPLACE INTO imported (device, inode, offset, size, complete, head, tail) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?)" },
    };
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++)
        r = db_prepare(w->db, w->path, rows[i].sql, &w->statements[rows[i].which], err);
    if (r == 0)
        r = prepare_insert(w, INSERT_CONTAINER, "container", "", container_fields, err);
    if (r == 0)
        r = prepare_insert(w, INSERT_PROCESS, "process", "parent, container, earlier", process_fields, err);
    if (r == 0)
        r = prepare_insert(w, INSERT_EVENT, "event",
                           "row, process, victim, suspect, suspect_rest, directory, name, previous_directory, "
                           "previous_name, host_directory, host_name, previous_host_path",
                           event_fields, err);
    return r;
}

int writer_new(sqlite3 *db, const char *path, struct writer **ret, struct err *err)
{
    struct writer *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return err_set(err, -ENOMEM, "the store");
    w->db = db;
    w->path = path;
    r = prepare(w, err);
    if (r == 0)
        r = block_new(db, path, &w->block, err);
    if (r == 0)
        r = rollup_new(db, path, &w->rollup, err);
    if (r == 0)
        r = coverage_writer_new(db, path, &w->coverage, err);
    if (r < 0) {
        writer_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

int writer_adopt(struct writer *w, struct bytes observer, struct spool_numbers *ret_stored, struct err *err)
{
    return coverage_writer_adopt(w->coverage, observer, ret_stored, err);
}

int writer_disown(struct writer *w, struct err *err)
{
    return coverage_writer_disown(w->coverage, err);
}

static void forget_directories(struct writer *w)
{
    struct directory *d, *next;

    HASH_ITER(hh, w->directories, d, next) {
        HASH_DEL(w->directories, d);
        free(d);
    }
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    forget_directories(w);
    free(w->undo);
    coverage_writer_free(w->coverage);
    rollup_free(w->rollup);
    block_free(w->block);
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(w->statements[i]);
    free(w);
}

static int run(struct writer *w, enum statement which)
{
    return db_run(w->db, w->path, w->statements[which], w->err);
}

/* NULL for row 0: unknown. */
static void bind_row(sqlite3_stmt *s, int at, int64_t row)
{
    if (row)
        sqlite3_bind_int64(s, at, row);
    else
        sqlite3_bind_null(s, at);
}

/* ---- messages ---- */

static bool is_event(enum message_kind kind)
{
    return kind == MESSAGE_EVENT || kind == MESSAGE_EVENT_ONCE;
}

/* ---- rows ---- */

/* The row of these bytes, in a table that keeps them once. */
static int find_row(struct writer *w, enum statement insert, enum statement find, struct bytes value, int64_t *ret)
{
    sqlite3_stmt *s = w->statements[find];
    int r;

    db_bind_bytes(w->statements[insert], 1, value);
    r = run(w, insert);
    if (r < 0)
        return r;
    if (sqlite3_changes(w->db)) {
        *ret = sqlite3_last_insert_rowid(w->db);
        return 0;
    }
    db_bind_bytes(s, 1, value);
    if (sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0);
    else
        r = db_error(w->db, w->path, w->err);
    sqlite3_reset(s);
    return r;
}

static int find_directory(struct writer *w, struct bytes path, int64_t *ret)
{
    struct directory *d;
    int r;

    *ret = 0;
    if (!bytes_known(path))
        return 0;
    HASH_FIND(hh, w->directories, path.data, path.len, d);
    if (d) {
        *ret = d->row;
        return 0;
    }
    r = find_row(w, INSERT_DIRECTORY, FIND_DIRECTORY, path, ret);
    if (r < 0)
        return r;
    if (HASH_COUNT(w->directories) >= DIRECTORIES_MAX)
        forget_directories(w);
    d = malloc(sizeof(*d) + path.len);
    if (!d)
        return 0; /* it will be looked up again */
    d->row = *ret;
    d->len = path.len;
    memcpy(d->path, path.data, path.len);
    HASH_ADD_KEYPTR(hh, w->directories, d->path, d->len, d);
    return 0;
}

static int64_t row_of(const int64_t *rows, uint64_t slot)
{
    return slot <= MESSAGE_SLOTS ? rows[slot] : 0;
}

static int set_slot(struct writer *w, int64_t *slot, int64_t row)
{
    if (w->undo_count == w->undo_size) {
        size_t size = w->undo_size ? 2 * w->undo_size : 64;
        struct undo *undo = realloc(w->undo, size * sizeof(*undo));

        if (!undo)
            return -ENOMEM;
        w->undo = undo;
        w->undo_size = size;
    }
    w->undo[w->undo_count++] = (struct undo){ slot, *slot };
    *slot = row;
    return 0;
}

static int bind_fields(const struct field *fields, struct bytes *m, sqlite3_stmt *s, int first)
{
    int r = fields_bind(fields, m, s, first);

    return r == -EBADMSG ? MESSAGE_MALFORMED : r;
}

static int write_container(struct writer *w, struct bytes m)
{
    uint64_t slot;
    int r;

    if (!unpack_u64(&m, &slot) || slot == 0 || slot > MESSAGE_SLOTS)
        return MESSAGE_MALFORMED;
    r = bind_fields(container_fields, &m, w->statements[INSERT_CONTAINER], 1);
    if (r == 0)
        r = run(w, INSERT_CONTAINER);
    return r < 0 ? r : set_slot(w, &w->containers[slot], sqlite3_last_insert_rowid(w->db));
}

static int write_process(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_PROCESS];
    uint64_t slot, parent, container, earlier;
    int r;

    if (!unpack_u64(&m, &slot) || slot == 0 || slot > MESSAGE_SLOTS || !unpack_u64(&m, &parent) ||
        !unpack_u64(&m, &container) || !unpack_u64(&m, &earlier))
        return MESSAGE_MALFORMED;
    bind_row(s, 1, row_of(w->processes, parent));
    bind_row(s, 2, row_of(w->containers, container));
    bind_row(s, 3, row_of(w->processes, earlier));
    r = bind_fields(process_fields, &m, s, 4);
    if (r == 0)
        r = run(w, INSERT_PROCESS);
    return r < 0 ? r : set_slot(w, &w->processes[slot], sqlite3_last_insert_rowid(w->db));
}

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

static int ask(struct writer *w, enum statement which, int64_t *ret)
{
    sqlite3_stmt *s = w->statements[which];
    int r = 0;

    if (sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0);
    else
        r = db_error(w->db, w->path, w->err);
    sqlite3_reset(s);
    return r;
}

/*
 * Two processes that observe the same files at the same time add the same events, with the same ids. Each writes every
 * two seconds that it is alive: as long as another one does, every event is a row of its own, found by its id.
 */
static int look_for_others(struct writer *w, uint64_t now_ns)
{
    int64_t version = 0, alive = 0;
    int r = ask(w, DATA_VERSION, &version);

    if (r == 0 && !w->version) {
        sqlite3_bind_int64(w->statements[OTHERS_ALIVE], 1, (sqlite3_int64)(now_ns - STORE_DEAD_NS));
        r = ask(w, OTHERS_ALIVE, &alive);
    }
    if (alive || (w->version && version != w->version))
        w->others_until_ns = now_ns + STORE_DEAD_NS;
    w->version = version;
    return r;
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
            r = find_directory(w, w->values.bytes[DELTA_DIRECTORY(i)], &w->rows.row[BLOCK_DIRECTORIES + i]);
    return r;
}

static int find_watch(struct writer *w, uint64_t mask)
{
    struct bytes text = w->values.bytes[DELTA_watch];

    if (!(mask & (DELTA_ALONE | 1ull << DELTA_watch)))
        return 0;
    w->watch = 0;
    return bytes_known(text) ? find_row(w, INSERT_WATCH, FIND_WATCH, text, &w->watch) : 0;
}

/* Rows and blocks count together, so that an event is found by its number alone. */
static int next_row(struct writer *w, int64_t *ret)
{
    int r = w->next_row ? 0 : ask(w, NEXT_ROW, &w->next_row);

    *ret = w->next_row++;
    return r;
}

static void bind_event(struct writer *w, int64_t row)
{
    sqlite3_stmt *s = w->statements[INSERT_EVENT];

    sqlite3_bind_int64(s, 1, row);
    bind_row(s, 2, w->rows.row[BLOCK_PROCESS]);
    bind_row(s, 3, w->rows.row[BLOCK_VICTIM]);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)w->values.numbers[DELTA_SUSPECT]);
    sqlite3_bind_int64(s, 5, w->rows.row[BLOCK_SUSPECT_REST]);
    for (unsigned i = 0; i < PLACE_COUNT; i++) {
        bind_row(s, 6 + 2 * (int)i, w->rows.row[BLOCK_DIRECTORIES + i]);
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
        r = run(w, INSERT_EVENT);
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

static int write_event(struct writer *w, enum message_kind kind, struct bytes m)
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
    w->rows.row[BLOCK_PROCESS] = row_of(w->processes, actor);
    w->rows.row[BLOCK_VICTIM] = row_of(w->containers, victim);
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

static int write_life(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_LIFE];
    uint64_t container, time_ns, kind, exit_code;
    struct bytes previous;

    if (!unpack_u64(&m, &container) || !unpack_u64(&m, &time_ns) || !unpack_u64(&m, &kind) ||
        !unpack_u64(&m, &exit_code) || !unpack_bytes(&m, &previous))
        return MESSAGE_MALFORMED;
    bind_row(s, 1, row_of(w->containers, container));
    sqlite3_bind_int64(s, 2, (sqlite3_int64)time_ns);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)kind);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)exit_code);
    db_bind_bytes(s, 5, previous);
    return run(w, INSERT_LIFE);
}

static int write_gap(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_GAP];
    struct bytes text;

    for (int i = 1; i <= 5; i++) {
        uint64_t v;

        if (!unpack_u64(&m, &v))
            return MESSAGE_MALFORMED;
        sqlite3_bind_int64(s, i, (sqlite3_int64)v);
    }
    if (!unpack_bytes(&m, &text))
        return MESSAGE_MALFORMED;
    db_bind_bytes(s, 6, text);
    return run(w, INSERT_GAP);
}

static int write_imported(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_IMPORTED];
    struct bytes b;

    for (int i = 1; i <= 5; i++) {
        uint64_t v;

        if (!unpack_u64(&m, &v))
            return MESSAGE_MALFORMED;
        sqlite3_bind_int64(s, i, (sqlite3_int64)v);
    }
    for (int i = 6; i <= 7; i++) {
        if (!unpack_bytes(&m, &b))
            return MESSAGE_MALFORMED;
        db_bind_bytes(s, i, b);
    }
    return run(w, INSERT_IMPORTED);
}

static int write_message(struct writer *w, enum message_kind kind, struct bytes m, uint64_t seen_ns)
{
    switch (kind) {
    case MESSAGE_CONTAINER:
        return write_container(w, m);
    case MESSAGE_PROCESS:
        return write_process(w, m);
    case MESSAGE_EVENT:
    case MESSAGE_EVENT_ONCE:
        return write_event(w, kind, m);
    case MESSAGE_LIFE:
        return write_life(w, m);
    case MESSAGE_GAP:
        return write_gap(w, m);
    case MESSAGE_COVERAGE:
        return coverage_writer_begin(w->coverage, m, seen_ns, w->err);
    case MESSAGE_COVERAGE_PLACE:
        return coverage_writer_add_place(w->coverage, m, w->err);
    case MESSAGE_COVERAGE_END:
        return coverage_writer_end(w->coverage, m, w->err);
    case MESSAGE_IMPORTED:
        return write_imported(w, m);
    }
    return MESSAGE_MALFORMED;
}

bool writer_rows_in_use(const struct writer *w, uint64_t now_ns, struct rows_in_use *ret)
{
    *ret = (struct rows_in_use){ w->processes, w->containers, ARRAY_SIZE(w->processes) };
    return w->version && now_ns >= w->others_until_ns;
}

void writer_forget(struct writer *w)
{
    forget_directories(w);
}

/* Who was stopped for long is taken for dead, and what only he refers to may have been removed. */
static int look_after_pause(struct writer *w, uint64_t now_ns)
{
    bool paused = w->written_ns && now_ns > w->written_ns + STORE_DEAD_NS / 2;
    struct rows_in_use in_use;

    w->written_ns = now_ns;
    if (!paused)
        return 0;
    forget_directories(w);
    (void)writer_rows_in_use(w, now_ns, &in_use);
    return rows_are_there(w->db, w->path, &in_use, w->err);
}

/* As it was before. Directories are looked up again. */
static void roll_back(struct writer *w)
{
    (void)sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    block_clear(w->block);
    rollup_clear(w->rollup);
    forget_directories(w);
    while (w->undo_count > 0) {
        const struct undo *u = &w->undo[--w->undo_count];

        *u->at = u->before;
    }
    coverage_writer_roll_back(w->coverage);
}

int writer_write(struct writer *w, struct bytes messages, uint64_t seen_ns, uint64_t now_ns, const struct spool_numbers *stored,
                 struct err *err)
{
    enum message_kind kind;
    struct bytes m;
    int r;

    w->err = err;
    w->next_row = 0;
    w->started = w->packing = false;
    w->rest = messages;
    w->undo_count = 0;
    coverage_writer_save(w->coverage);
    r = db_exec(w->db, w->path, "BEGIN IMMEDIATE", err);
    if (r == 0)
        r = look_for_others(w, now_ns);
    if (r == 0)
        r = look_after_pause(w, now_ns);
    w->others = now_ns < w->others_until_ns;
    while (r == 0 && message_next(&w->rest, &kind, &m))
        r = write_message(w, kind, m, seen_ns);
    if (r == 0)
        r = block_write(w->block, err);
    if (r == 0)
        r = rollup_write(w->rollup, err);
    if (r == 0)
        r = coverage_writer_mark_alive(w->coverage, seen_ns, stored, err);
    if (r == 0)
        r = db_exec(w->db, w->path, "COMMIT", err);
    if (r == 0)
        return 0;
    if (!err->text[0])
        (void)err_set(err, r, "the store %s", w->path);
    roll_back(w);
    return r;
}
