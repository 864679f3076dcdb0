/* SPDX-License-Identifier: MIT */
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/fields.h"

/*
 * directory   each directory's path once
 * container   a container as it was between two starts
 * process     a process between two execs; parent: its launcher's row; earlier: the row of what it was before
 * process_pack  older processes, many as one row: store/process_pack.h
 * event       one change; directory and name: the victim's path; previous_*: of a rename; host_*: where
 *             the host finds it, if that reads differently
 * rollup      the events of one directory counted, so that `who` need not read them. place 0: by
 *             `directory`; 1: by a rename's previous directory; 2: by the host's. other: the event's
 *             directory, where it is not the same. hour: since 1970, so that what is older than some hour goes as a
 *             whole; 0: counted before that was kept; watch: likewise, what is kept for a time of its own
 * daily       rollup's rows of past hours, by day, packed: store/daily.h; daily_suspect: the suspects that they name
 * watch       the watches that events name. floor_ns: what is older was removed, and does not count where it is not
 *             removed yet; row 0: of all events; swept_ns: likewise, and out of blocks as well
 * coverage    a span of observation; coverage_place: where it looked
 * block       many events as one row, and block_place, which directories they are about: store/block.h
 */
static int create_tables(sqlite3 *db, const char *path, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_add_str(&sql,
                 "CREATE TABLE directory (row INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE);"
                 "CREATE TABLE container (row INTEGER PRIMARY KEY AUTOINCREMENT, ");
    fields_definition(container_fields, &sql);
    sbuf_add_str(&sql, ");"
                       "CREATE INDEX container_name ON container (name);"
                       "CREATE INDEX container_cid ON container (cid);"
                       "CREATE TABLE process (row INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, container INTEGER, ");
    fields_definition(process_fields, &sql);
    sbuf_add_str(&sql, ");"
                       "CREATE TABLE event (row INTEGER PRIMARY KEY AUTOINCREMENT, process INTEGER, victim INTEGER, "
                       "suspect INTEGER, directory INTEGER, name BLOB, previous_directory INTEGER, "
                       "previous_name BLOB, host_directory INTEGER, host_name BLOB, "
                       "previous_host_path BLOB, ");
    fields_definition(event_fields, &sql);
    sbuf_add_str(&sql,
                 ", UNIQUE (id));"
                 "CREATE INDEX event_time ON event (time_ns);"
                 "CREATE INDEX event_place ON event (directory, name);"
                 "CREATE INDEX event_previous ON event (previous_directory, previous_name) "
                 "WHERE previous_directory IS NOT NULL;"
                 "CREATE INDEX event_host ON event (host_directory, host_name) "
                 "WHERE host_directory IS NOT NULL;"
                 "CREATE TABLE rollup (directory INTEGER, place INTEGER, other INTEGER, suspect INTEGER, "
                 "operation INTEGER, error INTEGER, victim INTEGER, victim_kind INTEGER, "
                 "count INTEGER, first_ns INTEGER, last_ns INTEGER, first_event INTEGER, "
                 "PRIMARY KEY (directory, place, other, suspect, operation, error, victim, victim_kind)) "
                 "WITHOUT ROWID;"
                 "CREATE TABLE life (row INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER, kind INTEGER, "
                 "container INTEGER, exit_code INTEGER, previous_name BLOB);"
                 "CREATE INDEX life_time ON life (time_ns);"
                 "CREATE TABLE gap (row INTEGER PRIMARY KEY AUTOINCREMENT, reason INTEGER, count INTEGER, "
                 "from_ns INTEGER, to_ns INTEGER, sensor INTEGER, text BLOB);"
                 "CREATE TABLE coverage (row INTEGER PRIMARY KEY AUTOINCREMENT, sensors INTEGER, from_ns INTEGER, "
                 "to_ns INTEGER, alive_ns INTEGER, watch BLOB, not_seen BLOB);");
    if (sbuf_error(&sql))
        return err_set(err, -ENOMEM, "the store");
    return db_exec(db, path, sbuf_str(&sql), err);
}

bool schema_has_column(sqlite3 *db, const char *path, const char *table, const char *column)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    bool found = false;

    sbuf_addf(&sql, "SELECT 1 FROM pragma_table_info('%s') WHERE name = '%s'", table, column);
    if (db_prepare(db, path, sbuf_str(&sql), &s, NULL) == 0)
        found = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_finalize(s);
    return found;
}

void schema_columns(sqlite3 *db, const char *path, const char *table, const struct field *fields, const char *prefix,
                    struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT, there = SBUF_INIT;
    sqlite3_stmt *s = NULL;

    sbuf_addf(&sql, "SELECT name FROM pragma_table_info('%s')", table);
    if (db_prepare(db, path, sbuf_str(&sql), &s, NULL) == 0)
        while (sqlite3_step(s) == SQLITE_ROW)
            sbuf_addf(&there, "|%s|", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    for (const struct field *f = fields; f->column; f++) {
        char word[64];
        bool known;

        snprintf(word, sizeof(word), "|%s|", f->column);
        known = strstr(sbuf_str(&there), word) != NULL;
        sbuf_addf(out, ", %s%s", known ? prefix : "", known ? f->column : "NULL");
    }
}

/* The columns that the records have come to have since a store was made. Rows of before have none. */
static int add_columns(sqlite3 *db, const char *path, struct err *err)
{
    static const struct {
        const char *table;
        const struct field *fields;
    } tables[] = {
        { "container", container_fields }, { "process", process_fields }, { "event", event_fields },
    };
    int r = 0;

    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (const struct field *f = tables[t].fields; f->column && r == 0; f++) {
            struct field alone[2] = { *f, { 0 } };
            _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

            if (schema_has_column(db, path, tables[t].table, f->column))
                continue;
            sbuf_addf(&sql, "ALTER TABLE %s ADD COLUMN ", tables[t].table);
            fields_definition(alone, &sql);
            r = db_exec(db, path, sbuf_str(&sql), err);
        }
    return r;
}

/* Thousands of containers have the same directories: the counted rows of one of them are found by it. */
static int index_victims(sqlite3 *db, const char *path, struct err *err)
{
    return db_exec(db, path, "CREATE INDEX rollup_victim ON rollup (victim, directory)", err);
}

/* How far each audit log was imported. head, tail: its first bytes, and those before the offset. */
static int create_imported(sqlite3 *db, const char *path, struct err *err)
{
    return db_exec(db, path,
                   "CREATE TABLE imported (device INTEGER, inode INTEGER, head BLOB, offset INTEGER, tail BLOB, "
                   "size INTEGER, complete INTEGER, PRIMARY KEY (device, inode, head)) WITHOUT ROWID",
                   err);
}

/* Events of a storm: store/block.h. */
static int create_blocks(sqlite3 *db, const char *path, struct err *err)
{
    return db_exec(db, path,
                   "CREATE TABLE block (row INTEGER PRIMARY KEY, count INTEGER, first_ns INTEGER, last_ns INTEGER, "
                   "data BLOB);"
                   "CREATE INDEX block_time ON block (first_ns, last_ns);"
                   "CREATE TABLE block_place (directory INTEGER, block INTEGER, names BLOB, "
                   "PRIMARY KEY (directory, block)) WITHOUT ROWID",
                   err);
}

/* What a process was before its last exec, and what is kept of it since. */
static int add_earlier(sqlite3 *db, const char *path, struct err *err)
{
    int r = add_columns(db, path, err);

    if (r < 0 || schema_has_column(db, path, "process", "earlier"))
        return r;
    return db_exec(db, path, "ALTER TABLE process ADD COLUMN earlier INTEGER", err);
}

/* Where a span of observation looked, resolved: `watch` is what the user wrote, which may be relative. Spans of
 * before have no places, and are gone by that. */
static int create_coverage_places(sqlite3 *db, const char *path, struct err *err)
{
    static const char *const columns[] = { "host_id", "host_name", "narrowed" };
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(columns) && r == 0; i++) {
        _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

        sbuf_addf(&sql, "ALTER TABLE coverage ADD COLUMN %s BLOB", columns[i]);
        r = schema_has_column(db, path, "coverage", columns[i]) ? 0 : db_exec(db, path, sbuf_str(&sql), err);
    }
    if (r < 0)
        return r;
    return db_exec(db, path,
                   "CREATE TABLE IF NOT EXISTS coverage_place (row INTEGER PRIMARY KEY, coverage INTEGER, kind INTEGER, "
                   "permissions INTEGER, from_ns INTEGER, runtime BLOB, selector BLOB, container_id BLOB, "
                   "container_name BLOB, path BLOB, host_path BLOB);"
                   "CREATE INDEX IF NOT EXISTS coverage_place_coverage ON coverage_place (coverage)",
                   err);
}

/* Who writes it, see store/observer.h: whether that one has ended shows at once. */
static int add_observer(sqlite3 *db, const char *path, struct err *err)
{
    if (schema_has_column(db, path, "coverage", "observer"))
        return 0;
    return db_exec(db, path, "ALTER TABLE coverage ADD COLUMN observer BLOB", err);
}

/* A number alone could be two suspects'. Rows of before have 0. The table is in the order of its key: made anew. */
static int add_suspect_rest(sqlite3 *db, const char *path, struct err *err)
{
    if (schema_has_column(db, path, "event", "suspect_rest"))
        return 0;
    return db_exec(db, path,
                   "ALTER TABLE event ADD COLUMN suspect_rest INTEGER NOT NULL DEFAULT 0;"
                   "ALTER TABLE rollup RENAME TO rollup_before;"
                   "DROP INDEX rollup_victim;"
                   "CREATE TABLE rollup (directory INTEGER, place INTEGER, other INTEGER, suspect INTEGER, "
                   "suspect_rest INTEGER, operation INTEGER, error INTEGER, victim INTEGER, victim_kind INTEGER, "
                   "count INTEGER, first_ns INTEGER, last_ns INTEGER, first_event INTEGER, "
                   "PRIMARY KEY (directory, place, other, suspect, suspect_rest, operation, error, victim, victim_kind)) "
                   "WITHOUT ROWID;"
                   "INSERT INTO rollup SELECT directory, place, other, suspect, 0, operation, error, victim, victim_kind, "
                   "count, first_ns, last_ns, first_event FROM rollup_before;"
                   "DROP TABLE rollup_before;"
                   "CREATE INDEX rollup_victim ON rollup (victim, directory)",
                   err);
}

/* How much of what its writer counted is in the store: what is beyond is in his spool (store/spool.h). */
static int add_stored(sqlite3 *db, const char *path, struct err *err)
{
    if (schema_has_column(db, path, "coverage", "stored_events"))
        return 0;
    return db_exec(db, path,
                   "ALTER TABLE coverage ADD COLUMN stored_events INTEGER;"
                   "ALTER TABLE coverage ADD COLUMN stored_others INTEGER",
                   err);
}

/* What is removed again, and how far that has come. Rows that were counted before may be of many hours: 0. */
static int add_floors(sqlite3 *db, const char *path, struct err *err)
{
    int r = db_exec(db, path,
                    "CREATE TABLE IF NOT EXISTS watch (row INTEGER PRIMARY KEY, text BLOB UNIQUE, "
                    "floor_ns INTEGER NOT NULL DEFAULT 0);"
                    "INSERT OR IGNORE INTO watch (row) VALUES (0)",
                    err);

    if (r < 0 || schema_has_column(db, path, "rollup", "hour"))
        return r;
    return db_exec(db, path,
                   "ALTER TABLE rollup RENAME TO rollup_before;"
                   "DROP INDEX rollup_victim;"
                   "CREATE TABLE rollup (directory INTEGER, place INTEGER, other INTEGER, suspect INTEGER, "
                   "suspect_rest INTEGER, operation INTEGER, error INTEGER, victim INTEGER, victim_kind INTEGER, "
                   "watch INTEGER, hour INTEGER, count INTEGER, first_ns INTEGER, last_ns INTEGER, first_event INTEGER, "
                   "PRIMARY KEY (directory, place, other, suspect, suspect_rest, operation, error, victim, victim_kind, "
                   "watch, hour)) WITHOUT ROWID;"
                   "INSERT INTO rollup SELECT directory, place, other, suspect, suspect_rest, operation, error, victim, "
                   "victim_kind, 0, 0, count, first_ns, last_ns, first_event FROM rollup_before;"
                   "DROP TABLE rollup_before;"
                   "CREATE INDEX rollup_victim ON rollup (victim, directory)",
                   err);
}

/* There are other blocks from now on (store/block.h), which an older culprit would call damaged. */
static int allow_blocks(sqlite3 *db, const char *path, struct err *err)
{
    (void)db, (void)path, (void)err;
    return 0;
}

/* How far it has seen, and when its writer was last at work, are two things: who has much to read lives, and who was killed then
 * lived to that moment. */
static int add_beat(sqlite3 *db, const char *path, struct err *err)
{
    if (schema_has_column(db, path, "coverage", "beat_ns"))
        return 0;
    return db_exec(db, path, "ALTER TABLE coverage ADD COLUMN beat_ns INTEGER", err);
}

/* What was counted in past hours, by day: store/daily.h. What there is goes there bit by bit, as it gets older. */
static int create_daily(sqlite3 *db, const char *path, struct err *err)
{
    return db_exec(db, path,
                   "CREATE TABLE IF NOT EXISTS daily (directory INTEGER, whose INTEGER, day INTEGER, data BLOB, "
                   "PRIMARY KEY (directory, whose, day)) WITHOUT ROWID;"
                   "CREATE TABLE IF NOT EXISTS daily_suspect (day INTEGER PRIMARY KEY, data BLOB)",
                   err);
}

/* What is known of processes that are not young any more: store/process_pack.h. */
static int create_process_packs(sqlite3 *db, const char *path, struct err *err)
{
    return db_exec(db, path, "CREATE TABLE IF NOT EXISTS process_pack (row INTEGER PRIMARY KEY, data BLOB)", err);
}

/* A byte that has become another one would count for somebody else. Rows of before have no sum. */
static int add_daily_sums(sqlite3 *db, const char *path, struct err *err)
{
    int r = schema_has_column(db, path, "daily", "sum") ? 0 : db_exec(db, path, "ALTER TABLE daily ADD COLUMN sum INTEGER", err);

    if (r < 0 || schema_has_column(db, path, "daily_suspect", "sum"))
        return r;
    return db_exec(db, path, "ALTER TABLE daily_suspect ADD COLUMN sum INTEGER", err);
}

/* How far the events of a watch that are too old were taken out of blocks. */
static int add_swept(sqlite3 *db, const char *path, struct err *err)
{
    if (schema_has_column(db, path, "watch", "swept_ns"))
        return 0;
    return db_exec(db, path, "ALTER TABLE watch ADD COLUMN swept_ns INTEGER NOT NULL DEFAULT 0", err);
}

/* Whose watch alone it concerns: NULL, all that was watched. */
static int add_gap_places(sqlite3 *db, const char *path, struct err *err)
{
    if (schema_has_column(db, path, "gap", "path"))
        return 0;
    return db_exec(db, path, "ALTER TABLE gap ADD COLUMN path BLOB; ALTER TABLE gap ADD COLUMN container BLOB", err);
}

/* Which path of the watch led there. */
static int add_place_targets(sqlite3 *db, const char *path, struct err *err)
{
    if (schema_has_column(db, path, "coverage_place", "target"))
        return 0;
    return db_exec(db, path, "ALTER TABLE coverage_place ADD COLUMN target BLOB", err);
}

/* A step is never changed once a store was made with it. */
static int (*const migrations[])(sqlite3 *db, const char *path, struct err *err) = {
    create_tables,
    add_columns, /* container: labels, cgroup; event: sharers */
    index_victims,
    create_imported,
    create_blocks,
    add_earlier,
    create_coverage_places,
    add_observer,
    add_columns, /* event: elsewhere, node */
    add_columns, /* event: what its sensor concluded */
    add_columns, /* container: health_check */
    add_suspect_rest,
    add_columns, /* process: input */
    add_stored,
    add_floors,
    allow_blocks, /* compressed */
    add_beat,
    allow_blocks, /* their events by columns */
    create_daily,
    create_process_packs,
    allow_blocks, /* their ids by steps */
    add_daily_sums,
    allow_blocks, /* states by their members */
    add_swept,
    add_gap_places,
    add_place_targets,
};
#define VERSION ((int)ARRAY_SIZE(migrations))
#define VERSION_BLOCKS 5
#define VERSION_SUSPECT_REST 12
#define VERSION_FLOORS 15
#define VERSION_DAILY 19
#define VERSION_PROCESS_PACKS 20
#define VERSION_DAILY_SUMS 22

static int check_owner(sqlite3 *db, const char *path, int version, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int id = 0, tables = 0, r;

    r = db_prepare(db, path, "SELECT (SELECT count(*) FROM sqlite_master)", &statement, err);
    if (r == 0 && sqlite3_step(statement) == SQLITE_ROW)
        tables = sqlite3_column_int(statement, 0);
    else if (r == 0)
        r = db_error(db, path, err);
    sqlite3_finalize(statement);
    statement = NULL;
    if (r == 0)
        r = db_prepare(db, path, "PRAGMA application_id", &statement, err);
    if (r == 0 && sqlite3_step(statement) == SQLITE_ROW)
        id = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    if (r < 0)
        return r;
    if (tables && id != SCHEMA_ID)
        return err_say(err, -EBADMSG, "%s is another program's database: give --store FILE", path);
    if (version > VERSION)
        return err_say(err, -EPROTO, "the store %s was written by a newer culprit (schema %d, here %d)",
                       path, version, VERSION);
    return 0;
}

int schema_check(sqlite3 *db, const char *path, struct schema_parts *ret, struct err *err)
{
    int version = 0, r = db_user_version(db, path, &version, err);

    *ret = (struct schema_parts){ .blocks = version >= VERSION_BLOCKS,
                                  .suspect_rest = version >= VERSION_SUSPECT_REST,
                                  .floors = version >= VERSION_FLOORS,
                                  .daily = version >= VERSION_DAILY,
                                  .daily_sums = version >= VERSION_DAILY_SUMS,
                                  .process_packs = version >= VERSION_PROCESS_PACKS };
    return r < 0 ? r : check_owner(db, path, version, err);
}

int schema_migrate(sqlite3 *db, const char *path, struct err *err)
{
    int version = 0;
    int r = db_user_version(db, path, &version, err);

    if (r == 0)
        r = check_owner(db, path, version, err);
    if (r < 0 || version == VERSION)
        return r;
    r = db_exec(db, path, "BEGIN EXCLUSIVE", err);
    if (r < 0)
        return r;
    r = db_user_version(db, path, &version, err); /* another culprit may have been faster */
    while (r == 0 && version < VERSION) {
        char sql[96];

        r = migrations[version++](db, path, err);
        snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; PRAGMA application_id = %d", version,
                 SCHEMA_ID);
        if (r == 0)
            r = db_exec(db, path, sql, err);
    }
    if (r == 0)
        r = db_exec(db, path, "COMMIT", err);
    if (r < 0)
        (void)db_exec(db, path, "ROLLBACK", NULL);
    return r;
}
