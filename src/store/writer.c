/* SPDX-License-Identifier: MIT */
#include "store/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "store/fields.h"
#include "store/others.h"
#include "store/rows_in_use.h"
#include "store/schema.h"
#include "store/writer_state.h"
#include "util/macro.h"

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
        { NEXT_ROW, "SELECT 1 + max((SELECT ifnull(max(row), 0) FROM event), "
                    "ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0), "
                    "ifnull((SELECT row + count - 1 FROM block ORDER BY row DESC LIMIT 1), 0))" },
        { FIND_EVENT, "SELECT actor_pid, operation, sensors FROM event WHERE id = ?" },
        { INSERT_LIFE, "INSERT INTO life (container, time_ns, kind, exit_code, previous_name) "
                       "VALUES (?, ?, ?, ?, ?)" },
        { INSERT_GAP, "INSERT INTO gap (reason, count, from_ns, to_ns, sensor, text, path, container) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
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

void writer_free(struct writer *w)
{
    if (!w)
        return;
    writer_forget_directories(w);
    free(w->undo);
    coverage_writer_free(w->coverage);
    rollup_free(w->rollup);
    block_free(w->block);
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(w->statements[i]);
    free(w);
}

/* ---- whoever else writes ---- */


/*
 * Two processes that observe the same files at the same time add the same events, with the same ids. Each writes every
 * two seconds that it is alive: as long as another one does, every event is a row of its own, found by its id.
 */
static int look_for_others(struct writer *w, uint64_t now_ns)
{
    int64_t version = 0;
    bool alive = false;
    int r = writer_ask(w, DATA_VERSION, &version);

    if (r == 0 && !w->version)
        r = others_are_alive(w->db, w->path, now_ns, &alive, w->err);
    if (alive || (w->version && version != w->version))
        w->others_until_ns = now_ns + STORE_DEAD_NS;
    w->version = version;
    return r;
}

bool writer_rows_in_use(const struct writer *w, uint64_t now_ns, struct rows_in_use *ret)
{
    *ret = (struct rows_in_use){ w->processes, w->containers, ARRAY_SIZE(w->processes) };
    return w->version && now_ns >= w->others_until_ns;
}

void writer_forget(struct writer *w)
{
    writer_forget_directories(w);
}

/* A writer that was stopped for long counts as dead: rows that only it refers to may have been removed meanwhile. */
static int look_after_pause(struct writer *w, uint64_t now_ns)
{
    bool paused = w->written_ns && now_ns > w->written_ns + STORE_DEAD_NS / 2;
    struct rows_in_use in_use;

    w->written_ns = now_ns;
    if (!paused)
        return 0;
    writer_forget_directories(w);
    (void)writer_rows_in_use(w, now_ns, &in_use);
    return rows_are_there(w->db, w->path, &in_use, w->err);
}

/* ---- a transaction ---- */

static int write_message(struct writer *w, enum message_kind kind, struct bytes m, uint64_t seen_ns)
{
    switch (kind) {
    case MESSAGE_CONTAINER:
        return writer_container(w, m);
    case MESSAGE_PROCESS:
        return writer_process(w, m);
    case MESSAGE_EVENT:
    case MESSAGE_EVENT_ONCE:
        return writer_event(w, kind, m);
    case MESSAGE_LIFE:
        return writer_life(w, m);
    case MESSAGE_GAP:
        return writer_gap(w, m);
    case MESSAGE_COVERAGE:
        return coverage_writer_begin(w->coverage, m, seen_ns, w->err);
    case MESSAGE_COVERAGE_PLACE:
        return coverage_writer_add_place(w->coverage, m, w->err);
    case MESSAGE_COVERAGE_END:
        return coverage_writer_end(w->coverage, m, w->err);
    case MESSAGE_IMPORTED:
        return writer_imported(w, m);
    }
    return MESSAGE_MALFORMED;
}

/* As it was before. Directories are looked up again. */
static void roll_back(struct writer *w)
{
    (void)sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    block_clear(w->block);
    rollup_clear(w->rollup);
    writer_forget_directories(w);
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
        r = coverage_writer_mark_alive(w->coverage, seen_ns, now_ns, stored, err);
    if (r == 0)
        r = db_exec(w->db, w->path, "COMMIT", err);
    if (r == 0)
        return 0;
    if (!err->text[0])
        (void)err_set(err, r, "the store %s", w->path);
    roll_back(w);
    return r;
}
