/* SPDX-License-Identifier: MIT */
#include "store/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "event/event.h"
#include "store/fields.h"
#include "store/message.h"
#include "util/macro.h"

#define DIRECTORIES_MAX 16384 /* remembered: about 2 MB */
#define COVERAGES_MAX 16

struct directory {
    int64_t row;
    UT_hash_handle hh;
    size_t len;
    char path[];
};

struct rollup_key {
    int64_t directory, place, other, suspect, operation, error, victim, victim_kind;
};

struct rollup {
    struct rollup_key key;
    int64_t count, first_event;
    uint64_t first_ns, last_ns;
    UT_hash_handle hh;
};

enum statement {
    INSERT_DIRECTORY,
    FIND_DIRECTORY,
    INSERT_CONTAINER,
    INSERT_PROCESS,
    INSERT_EVENT,
    INSERT_ROLLUP,
    INSERT_LIFE,
    INSERT_GAP,
    INSERT_COVERAGE,
    END_COVERAGE,
    ALIVE_COVERAGE,
    INSERT_IMPORTED,
    STATEMENT_COUNT
};

struct writer {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct directory *directories;
    struct rollup *rollups; /* of the transaction that is going on */
    int64_t processes[MESSAGE_SLOTS + 1], containers[MESSAGE_SLOTS + 1];
    struct {
        uint64_t number;
        int64_t row;
    } coverages[COVERAGES_MAX];
    unsigned coverage_count;
    uint64_t events; /* in this transaction */
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
        { INSERT_ROLLUP,
          "INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
          "count = count + excluded.count, last_ns = max(last_ns, excluded.last_ns), "
          "first_event = CASE WHEN excluded.first_ns < first_ns THEN excluded.first_event "
          "ELSE first_event END, first_ns = min(first_ns, excluded.first_ns)" },
        { INSERT_LIFE, "INSERT INTO life (container, time_ns, kind, exit_code, previous_name) "
                       "VALUES (?, ?, ?, ?, ?)" },
        { INSERT_GAP, "INSERT INTO gap (reason, count, from_ns, to_ns, sensor, text) "
                      "VALUES (?, ?, ?, ?, ?, ?)" },
        { INSERT_COVERAGE, "INSERT INTO coverage (sensors, from_ns, to_ns, alive_ns, watch, not_seen) "
                           "VALUES (?, ?, ?, ?, ?, ?)" },
        { END_COVERAGE, "UPDATE coverage SET to_ns = ? WHERE row = ?" },
        { INSERT_IMPORTED, "INSERT OR REPLACE INTO imported (device, inode, offset, size, complete, head, tail) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?)" },
        { ALIVE_COVERAGE, "UPDATE coverage SET alive_ns = ? WHERE row = ?" },
    };
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++)
        r = db_prepare(w->db, w->path, rows[i].sql, &w->statements[rows[i].which], err);
    if (r == 0)
        r = prepare_insert(w, INSERT_CONTAINER, "container", "", container_fields, err);
    if (r == 0)
        r = prepare_insert(w, INSERT_PROCESS, "process", "parent, container", process_fields, err);
    if (r == 0)
        r = prepare_insert(w, INSERT_EVENT, "event",
                           "process, victim, suspect, directory, name, previous_directory, "
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
    if (r < 0) {
        writer_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

static void forget_directories(struct writer *w)
{
    struct directory *d, *next;

    HASH_ITER(hh, w->directories, d, next) {
        HASH_DEL(w->directories, d);
        free(d);
    }
}

static void forget_rollups(struct writer *w)
{
    struct rollup *r, *next;

    HASH_ITER(hh, w->rollups, r, next) {
        HASH_DEL(w->rollups, r);
        free(r);
    }
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    forget_directories(w);
    forget_rollups(w);
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(w->statements[i]);
    free(w);
}

/* Runs a statement that gives no rows. */
static int run(struct writer *w, enum statement which)
{
    sqlite3_stmt *s = w->statements[which];
    int code = sqlite3_step(s), r = 0;

    if (code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(w->db, w->path, w->err);
    sqlite3_reset(s);
    return r;
}

/* NULL for row 0: unknown. */
static void bind_row(sqlite3_stmt *s, int at, int64_t row)
{
    if (row)
        sqlite3_bind_int64(s, at, row);
    else
        sqlite3_bind_null(s, at);
}

/* ---- rows ---- */

static int find_directory(struct writer *w, struct bytes path, int64_t *ret)
{
    sqlite3_stmt *find = w->statements[FIND_DIRECTORY];
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
    db_bind_bytes(w->statements[INSERT_DIRECTORY], 1, path);
    r = run(w, INSERT_DIRECTORY);
    if (r < 0)
        return r;
    if (sqlite3_changes(w->db)) {
        *ret = sqlite3_last_insert_rowid(w->db);
    } else {
        db_bind_bytes(find, 1, path);
        if (sqlite3_step(find) == SQLITE_ROW)
            *ret = sqlite3_column_int64(find, 0);
        else
            r = db_error(w->db, w->path, w->err);
        sqlite3_reset(find);
    }
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

static int write_container(struct writer *w, struct bytes m)
{
    uint64_t slot;
    int r;

    if (!unpack_u64(&m, &slot) || slot == 0 || slot > MESSAGE_SLOTS)
        return -EBADMSG;
    r = fields_bind(container_fields, &m, w->statements[INSERT_CONTAINER], 1);
    if (r == 0)
        r = run(w, INSERT_CONTAINER);
    w->containers[slot] = r == 0 ? sqlite3_last_insert_rowid(w->db) : 0;
    return r;
}

static int write_process(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_PROCESS];
    uint64_t slot, parent, container;
    int r;

    if (!unpack_u64(&m, &slot) || slot == 0 || slot > MESSAGE_SLOTS || !unpack_u64(&m, &parent) ||
        !unpack_u64(&m, &container))
        return -EBADMSG;
    bind_row(s, 1, row_of(w->processes, parent));
    bind_row(s, 2, row_of(w->containers, container));
    r = fields_bind(process_fields, &m, s, 3);
    if (r == 0)
        r = run(w, INSERT_PROCESS);
    w->processes[slot] = r == 0 ? sqlite3_last_insert_rowid(w->db) : 0;
    return r;
}

static int count(struct writer *w, const struct rollup_key *key, uint64_t time_ns, int64_t event)
{
    struct rollup *r;

    HASH_FIND(hh, w->rollups, key, sizeof(*key), r);
    if (!r) {
        r = calloc(1, sizeof(*r));
        if (!r)
            return -ENOMEM;
        r->key = *key;
        r->first_ns = r->last_ns = time_ns;
        r->first_event = event;
        HASH_ADD(hh, w->rollups, key, sizeof(r->key), r);
    }
    r->count++;
    if (time_ns < r->first_ns) {
        r->first_ns = time_ns;
        r->first_event = event;
    }
    r->last_ns = MAX(r->last_ns, time_ns);
    return 0;
}

struct place {
    struct bytes directory, name;
    int64_t row;
};

/* What the rollup needs is read out of the packed fields, by their place in the table. */
static bool peek(struct bytes m, uint64_t *time_ns, uint64_t *operation, uint64_t *error,
                 uint64_t *victim_kind)
{
    for (const struct field *f = event_fields; f->column; f++) {
        struct bytes b;
        uint64_t v = 0;
        bool is_bytes = f->type == FIELD_BYTES || f->type == FIELD_ID || f->type == FIELD_STATE;

        if (is_bytes ? !unpack_bytes(&m, &b) : !unpack_u64(&m, &v))
            return false;
        switch (f->offset) {
        case offsetof(struct event, time_ns):
            *time_ns = v;
            break;
        case offsetof(struct event, operation):
            *operation = v;
            break;
        case offsetof(struct event, error):
            *error = v;
            break;
        case offsetof(struct event, victim_kind):
            *victim_kind = v;
            return true;
        default:
            break;
        }
    }
    return false;
}

static int write_event(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_EVENT];
    uint64_t actor, victim, suspect, time_ns = 0, operation = 0, error = 0, kind = 0;
    struct place places[3];
    struct rollup_key key;
    struct bytes previous_host;
    int64_t row;
    int r = 0;

    if (!unpack_u64(&m, &actor) || !unpack_u64(&m, &victim) || !unpack_u64(&m, &suspect))
        return -EBADMSG;
    for (int i = 0; i < 3; i++) {
        if (!unpack_bytes(&m, &places[i].directory) || !unpack_bytes(&m, &places[i].name))
            return -EBADMSG;
        r = find_directory(w, places[i].directory, &places[i].row);
        if (r < 0)
            return r;
    }
    if (!unpack_bytes(&m, &previous_host) || !peek(m, &time_ns, &operation, &error, &kind))
        return -EBADMSG;
    bind_row(s, 1, row_of(w->processes, actor));
    bind_row(s, 2, row_of(w->containers, victim));
    sqlite3_bind_int64(s, 3, (sqlite3_int64)suspect);
    for (int i = 0; i < 3; i++) {
        bind_row(s, 4 + 2 * i, places[i].row);
        db_bind_bytes(s, 5 + 2 * i, places[i].name);
    }
    db_bind_bytes(s, 10, previous_host);
    r = fields_bind(event_fields, &m, s, 11);
    if (r == 0)
        r = run(w, INSERT_EVENT);
    w->events++;
    if (r < 0 || !sqlite3_changes(w->db)) /* seen before: counted before */
        return r;
    row = sqlite3_last_insert_rowid(w->db);
    memset(&key, 0, sizeof(key)); /* compared as bytes */
    key.suspect = (int64_t)suspect;
    key.operation = (int64_t)operation;
    key.error = (int64_t)error;
    key.victim = row_of(w->containers, victim);
    key.victim_kind = (int64_t)kind;
    for (int i = 0; i < 3 && r == 0; i++) {
        if (!places[i].row || (i == 1 && places[i].row == places[0].row))
            continue;
        key.directory = places[i].row;
        key.place = i;
        key.other = i ? places[0].row : 0;
        r = count(w, &key, time_ns, row);
    }
    return r;
}

static int write_rollups(struct writer *w)
{
    sqlite3_stmt *s = w->statements[INSERT_ROLLUP];
    struct rollup *u, *next;
    int r = 0;

    HASH_ITER(hh, w->rollups, u, next) {
        const int64_t values[] = { u->key.directory, u->key.place,  u->key.other,
                                   u->key.suspect,   u->key.operation, u->key.error,
                                   u->key.victim,    u->key.victim_kind, u->count,
                                   (int64_t)u->first_ns, (int64_t)u->last_ns, u->first_event };

        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
            sqlite3_bind_int64(s, (int)i + 1, values[i]);
        if (r == 0)
            r = run(w, INSERT_ROLLUP);
    }
    forget_rollups(w);
    return r;
}

static int write_life(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_LIFE];
    uint64_t container, time_ns, kind, exit_code;
    struct bytes previous;

    if (!unpack_u64(&m, &container) || !unpack_u64(&m, &time_ns) || !unpack_u64(&m, &kind) ||
        !unpack_u64(&m, &exit_code) || !unpack_bytes(&m, &previous))
        return -EBADMSG;
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
            return -EBADMSG;
        sqlite3_bind_int64(s, i, (sqlite3_int64)v);
    }
    if (!unpack_bytes(&m, &text))
        return -EBADMSG;
    db_bind_bytes(s, 6, text);
    return run(w, INSERT_GAP);
}

static int write_coverage(struct writer *w, struct bytes m, uint64_t now_ns)
{
    sqlite3_stmt *s = w->statements[INSERT_COVERAGE];
    uint64_t number, v;
    struct bytes b;
    int r;

    if (!unpack_u64(&m, &number))
        return -EBADMSG;
    for (int i = 1; i <= 3; i++) {
        if (!unpack_u64(&m, &v))
            return -EBADMSG;
        sqlite3_bind_int64(s, i, (sqlite3_int64)v);
    }
    sqlite3_bind_int64(s, 4, (sqlite3_int64)now_ns);
    for (int i = 5; i <= 6; i++) {
        if (!unpack_bytes(&m, &b))
            return -EBADMSG;
        db_bind_bytes(s, i, b);
    }
    r = run(w, INSERT_COVERAGE);
    if (r == 0 && w->coverage_count < COVERAGES_MAX) {
        w->coverages[w->coverage_count].number = number;
        w->coverages[w->coverage_count++].row = sqlite3_last_insert_rowid(w->db);
    }
    return r;
}

static int end_coverage(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[END_COVERAGE];
    uint64_t number, to_ns;

    if (!unpack_u64(&m, &number) || !unpack_u64(&m, &to_ns))
        return -EBADMSG;
    for (unsigned i = 0; i < w->coverage_count; i++) {
        if (w->coverages[i].number != number)
            continue;
        sqlite3_bind_int64(s, 1, (sqlite3_int64)to_ns);
        sqlite3_bind_int64(s, 2, w->coverages[i].row);
        w->coverages[i] = w->coverages[--w->coverage_count];
        return run(w, END_COVERAGE);
    }
    return 0;
}

static int write_imported(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_IMPORTED];
    struct bytes b;

    for (int i = 1; i <= 5; i++) {
        uint64_t v;

        if (!unpack_u64(&m, &v))
            return -EBADMSG;
        sqlite3_bind_int64(s, i, (sqlite3_int64)v);
    }
    for (int i = 6; i <= 7; i++) {
        if (!unpack_bytes(&m, &b))
            return -EBADMSG;
        db_bind_bytes(s, i, b);
    }
    return run(w, INSERT_IMPORTED);
}

static int mark_alive(struct writer *w, uint64_t now_ns)
{
    sqlite3_stmt *s = w->statements[ALIVE_COVERAGE];
    int r = 0;

    for (unsigned i = 0; i < w->coverage_count && r == 0; i++) {
        sqlite3_bind_int64(s, 1, (sqlite3_int64)now_ns);
        sqlite3_bind_int64(s, 2, w->coverages[i].row);
        r = run(w, ALIVE_COVERAGE);
    }
    return r;
}

static int write_message(struct writer *w, enum message_kind kind, struct bytes m, uint64_t now_ns)
{
    switch (kind) {
    case MESSAGE_CONTAINER:
        return write_container(w, m);
    case MESSAGE_PROCESS:
        return write_process(w, m);
    case MESSAGE_EVENT:
        return write_event(w, m);
    case MESSAGE_LIFE:
        return write_life(w, m);
    case MESSAGE_GAP:
        return write_gap(w, m);
    case MESSAGE_COVERAGE:
        return write_coverage(w, m, now_ns);
    case MESSAGE_COVERAGE_END:
        return end_coverage(w, m);
    case MESSAGE_IMPORTED:
        return write_imported(w, m);
    }
    return -EBADMSG;
}

uint64_t writer_count(struct bytes messages)
{
    uint64_t events = 0;
    uint32_t length;

    while (messages.len > 5) {
        events += messages.data[0] == MESSAGE_EVENT;
        memcpy(&length, messages.data + 1, sizeof(length));
        if (length > messages.len - 5)
            break;
        messages = (struct bytes){ messages.data + 5 + length, messages.len - 5 - length };
    }
    return events;
}

int writer_write(struct writer *w, struct bytes messages, uint64_t now_ns, uint64_t *ret_events,
                 struct err *err)
{
    struct bytes rest = messages;
    int r;

    w->err = err;
    w->events = 0;
    *ret_events = writer_count(messages);
    r = db_exec(w->db, w->path, "BEGIN IMMEDIATE", err);
    while (r == 0 && rest.len > 5) {
        enum message_kind kind = (enum message_kind)rest.data[0];
        uint32_t length;

        memcpy(&length, rest.data + 1, sizeof(length));
        if (length > rest.len - 5)
            break;
        r = write_message(w, kind, (struct bytes){ rest.data + 5, length }, now_ns);
        rest = (struct bytes){ rest.data + 5 + length, rest.len - 5 - length };
    }
    if (r == 0)
        r = write_rollups(w);
    if (r == 0)
        r = mark_alive(w, now_ns);
    if (r == 0)
        r = db_exec(w->db, w->path, "COMMIT", err);
    if (r == 0)
        return 0;
    if (!err->text[0])
        (void)err_set(err, r, "the store %s", w->path);
    (void)sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    forget_rollups(w);
    forget_directories(w);
    memset(w->processes, 0, sizeof(w->processes));
    memset(w->containers, 0, sizeof(w->containers));
    return r;
}
