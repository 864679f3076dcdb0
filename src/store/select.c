/* SPDX-License-Identifier: MIT */
#include "store/select.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "store/fields.h"
#include "store/floor.h"
#include "store/schema.h"
#include "store/store.h"
#include "util/macro.h"

/* Parameters: the path's directory and name, since, until, operations, the host path's directory and name. */
#define AT_DIRECTORY "?1"
#define AT_NAME "?2"
#define AT_HOST_DIRECTORY "?6"
#define AT_HOST_NAME "?7"

/* What is asked for as the victim sees it, or where the host finds that. */
struct asked_place {
    const char *table, *directory, *name;
};

static const struct asked_place asked_path = { "temp.asked_directory", AT_DIRECTORY, AT_NAME };
static const struct asked_place asked_host_path = { "temp.asked_host_directory", AT_HOST_DIRECTORY, AT_HOST_NAME };

static bool host_only(const struct store_query *q)
{
    return !q->any_victim && !bytes_known(q->container);
}

bool select_has_host_path(const struct store_query *q)
{
    return bytes_known(q->host_path) && bytes_known(q->path) && bytes_known(q->container) && !q->any_victim;
}

static int run(struct store *store, const char *sql, const struct bytes *values, int count,
               struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(store->db, store->path, sql, &s, err);

    for (int i = 0; i < count && r == 0; i++)
        db_bind_bytes(s, i + 1, values[i]);
    if (r == 0 && sqlite3_step(s) != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

/* Everything below "/a" sorts between "/a/" and "/a0": the byte after '/' is '0'. */
static int ask_directories(struct store *store, const char *table, struct bytes path, struct err *err)
{
    _cleanup_sbuf_ struct sbuf low = SBUF_INIT, high = SBUF_INIT, sql = SBUF_INIT;
    struct bytes values[3];

    sbuf_add_bytes(&low, path);
    if (path.len && path.data[path.len - 1] != '/')
        sbuf_add_char(&low, '/');
    sbuf_add(&high, sbuf_str(&low), low.len - (low.len > 0));
    sbuf_add_char(&high, '/' + 1);
    values[0] = path;
    values[1] = sbuf_bytes(&low);
    values[2] = sbuf_bytes(&high);
    sbuf_addf(&sql,
              "INSERT OR IGNORE INTO %s SELECT row FROM directory WHERE path = ?1 "
              "UNION ALL SELECT row FROM directory WHERE path >= ?2 AND path < ?3",
              table);
    return run(store, sbuf_str(&sql), values, 3, err);
}

struct selector select_selector(const struct store_query *q)
{
    return (struct selector){ .kind = q->kind ? q->kind : SELECTOR_NAME,
                              .runtime = q->runtime,
                              .text = q->container };
}

int select_each_container(struct store *store, const char *condition, struct bytes value,
                          const struct selector *selector, int (*each)(void *data, int64_t row),
                          void *data, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    int r, code = SQLITE_DONE;

    sbuf_add_str(&sql, "SELECT row");
    schema_columns(store->db, store->path, "container", container_fields, "", &sql);
    sbuf_addf(&sql, " FROM container WHERE %s", condition);
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &s, err);
    if (r == 0 && sqlite3_bind_parameter_count(s) > 0)
        db_bind_bytes(s, 1, value);
    while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct container c = { 0 };

        fields_read(container_fields, s, 1, &c.arena, &c);
        if (selector_matches(selector, &c))
            r = each(data, sqlite3_column_int64(s, 0));
        arena_done(&c.arena);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

static int remember_row(void *data, int64_t row)
{
    sqlite3_stmt *insert = data;

    sqlite3_bind_int64(insert, 1, row);
    (void)sqlite3_step(insert);
    sqlite3_reset(insert);
    return 0;
}

/* Each of a container's starts has a row. Names and ids have an index; what else is asked for is
 * compared row by row, as the engines' containers are. */
static int ask_containers(struct store *store, const struct store_query *q, struct err *err)
{
    struct selector selector = select_selector(q);
    sqlite3_stmt *insert = NULL;
    int r = db_prepare(store->db, store->path, "INSERT OR IGNORE INTO temp.asked_container VALUES (?)",
                       &insert, err);

    if (r == 0)
        r = select_each_container(store,
                           selector.kind != SELECTOR_NAME
                               ? "1"
                               : "name = ?1 OR (cid >= ?1 AND cid < CAST(?1 || x'ff' AS BLOB))", /* both indexed */
                           q->container, &selector, remember_row, insert, err);
    sqlite3_finalize(insert);
    return r;
}

int select_moment(struct store *store, bool *ret_begun, struct err *err)
{
    int r = sqlite3_get_autocommit(store->db) ? db_exec(store->db, store->path, "PRAGMA temp_store = MEMORY; BEGIN", err) : 1;

    *ret_begun = r == 0;
    return MIN(r, 0);
}

void select_moment_end(struct store *store, bool begun)
{
    if (begun && !sqlite3_get_autocommit(store->db))
        (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}

/* ---- what is asked for ---- */

static void add_part(struct sbuf *out, struct bytes part)
{
    sbuf_add_decimal(out, part.len);
    sbuf_add_char(out, bytes_known(part) ? ':' : '-');
    sbuf_add_bytes(out, part);
}

static void name_question(const struct store_query *q, struct sbuf *out)
{
    struct selector selector = select_selector(q);

    add_part(out, q->path);
    add_part(out, select_has_host_path(q) ? q->host_path : BYTES_NULL);
    add_part(out, q->container);
    add_part(out, q->runtime);
    sbuf_add_decimal(out, selector.kind);
}

static int bind_question(struct store *store, const char *sql, struct bytes question, uint32_t version, sqlite3_stmt **ret, struct err *err)
{
    int r = db_prepare(store->db, store->path, sql, ret, err);

    if (r == 0) {
        db_bind_bytes(*ret, 1, question);
        sqlite3_bind_int64(*ret, 2, version);
    }
    return r;
}

/* They were filled for the same question, and nobody has written since. 1: they are right. */
static int are_filled(struct store *store, struct bytes question, uint32_t version, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = bind_question(store, "SELECT 1 FROM temp.asked_for WHERE question = ? AND version = ?", question, version, &s, err);

    if (r == 0)
        r = sqlite3_step(s) == SQLITE_ROW ? 1 : db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

static int fill(struct store *store, const struct store_query *q, struct bytes question, uint32_t version, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_exec(store->db, store->path, "DELETE FROM temp.asked_for; DELETE FROM temp.asked_directory; "
                                            "DELETE FROM temp.asked_host_directory; DELETE FROM temp.asked_container", err);

    if (r == 0 && bytes_known(q->path))
        r = ask_directories(store, asked_path.table, q->path, err);
    if (r == 0 && select_has_host_path(q))
        r = ask_directories(store, asked_host_path.table, q->host_path, err);
    if (r == 0 && bytes_known(q->container))
        r = ask_containers(store, q, err);
    if (r == 0)
        r = bind_question(store, "INSERT INTO temp.asked_for VALUES (?, ?)", question, version, &s, err);
    if (r == 0)
        r = db_run(store->db, store->path, s, err);
    sqlite3_finalize(s);
    return r;
}

/* One `who` asks some ten things of the same directories, of which there may be tens of thousands. */
int select_begin(struct store *store, const struct store_query *q, struct store_query *ret_kept, struct err *err)
{
    _cleanup_sbuf_ struct sbuf question = SBUF_INIT;
    uint32_t version = 0;
    int r = floor_apply(store, q, ret_kept, err);

    name_question(q, &question);
    if (r == 0 && sbuf_error(&question))
        r = err_set(err, -ENOMEM, "the store");
    if (r == 0 && sqlite3_get_autocommit(store->db))
        r = db_exec(store->db, store->path, "PRAGMA temp_store = MEMORY", err);
    if (r == 0)
        r = db_exec(store->db, store->path,
                        "CREATE TEMP TABLE IF NOT EXISTS asked_for (question BLOB, version INTEGER);"
                        "CREATE TEMP TABLE IF NOT EXISTS asked_directory (row INTEGER PRIMARY KEY);"
                        "CREATE TEMP TABLE IF NOT EXISTS asked_host_directory (row INTEGER PRIMARY KEY);"
                        "CREATE TEMP TABLE IF NOT EXISTS asked_container (row INTEGER PRIMARY KEY);"
                        "CREATE TEMP TABLE IF NOT EXISTS asked_block (row INTEGER PRIMARY KEY)",
                        err);
    if (r == 0)
        r = store_version(store, &version, err);
    if (r == 0)
        r = are_filled(store, sbuf_bytes(&question), version, err);
    return r == 0 ? fill(store, q, sbuf_bytes(&question), version, err) : MIN(r, 0);
}

static int run_bound(struct store *store, const struct store_query *q, const struct sbuf *sql, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(store->db, store->path, sbuf_str(sql), &s, err);

    if (r == 0)
        select_bind(q, s);
    if (r == 0 && sqlite3_step(s) != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

/* Of a block b, as far as it lies in the time asked for. */
static void add_time(const struct store_query *q, struct sbuf *sql)
{
    if (q->since_ns)
        sbuf_add_str(sql, " AND b.last_ns >= ?3");
    if (q->until_ns)
        sbuf_add_str(sql, " AND b.first_ns <= ?4");
}

static int ask_all_blocks(struct store *store, const struct store_query *q, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_add_str(&sql, "INSERT INTO temp.asked_block SELECT b.row FROM block b WHERE 1");
    add_time(q, &sql);
    return run_bound(store, q, &sql, err);
}

/* Of a block_place p. The plus signs have the index of times looked through, not the blocks. */
static void add_rows_in_time(const struct store_query *q, struct sbuf *sql)
{
    if (q->since_ns)
        sbuf_add_str(sql, " AND p.block >= (SELECT min(+row) FROM block WHERE last_ns >= ?3)");
    if (q->until_ns)
        sbuf_add_str(sql, " AND p.block <= (SELECT max(+row) FROM block WHERE first_ns <= ?4)");
}

/* Those that `places` finds: block_place p of some directories. Each may be found for thousands of them, and is looked at once all are. */
static int add_blocks(struct store *store, const struct store_query *q, const char *places, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_addf(&sql, "INSERT OR IGNORE INTO temp.asked_block SELECT p.block FROM %s", places);
    add_rows_in_time(q, &sql);
    return run_bound(store, q, &sql, err);
}

static int ask_place_blocks(struct store *store, const struct store_query *q, enum select_part part,
                            const struct asked_place *at, struct err *err)
{
    _cleanup_sbuf_ struct sbuf named = SBUF_INIT, below = SBUF_INIT;
    int r;

    sbuf_addf(&named, "directory d CROSS JOIN block_place p ON p.directory = d.row WHERE d.path = %s AND may_have(p.names, %s)",
              at->directory, at->name);
    sbuf_addf(&below, "%s d CROSS JOIN block_place p ON p.directory = d.row WHERE 1", at->table);
    r = add_blocks(store, q, sbuf_str(&named), err);
    return r < 0 || part == SELECT_ITSELF ? r : add_blocks(store, q, sbuf_str(&below), err);
}

/* Without those that are not there, or lie in another time. */
static int drop_blocks(struct store *store, const struct store_query *q, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_add_str(&sql, "DELETE FROM temp.asked_block WHERE NOT EXISTS (SELECT 1 FROM block b WHERE b.row = asked_block.row");
    add_time(q, &sql);
    sbuf_add_char(&sql, ')');
    return run_bound(store, q, &sql, err);
}

int select_blocks(struct store *store, const struct store_query *q, enum select_part part, struct err *err)
{
    int r = db_exec(store->db, store->path, "DELETE FROM temp.asked_block", err);

    if (r < 0 || !store->has.blocks)
        return r;
    if (!bytes_known(q->path))
        return ask_all_blocks(store, q, err);
    r = ask_place_blocks(store, q, part, &asked_path, err);
    if (r == 0 && select_has_host_path(q))
        r = ask_place_blocks(store, q, part, &asked_host_path, err);
    return r < 0 ? r : drop_blocks(store, q, err);
}

/* Those of names are among those of directories, but for that of the path itself. */
int select_count_blocks(struct store *store, const struct store_query *q, unsigned max, unsigned *ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    int r;

    sbuf_add_str(&sql, "SELECT count(*) FROM (SELECT DISTINCT ");
    if (!bytes_known(q->path)) {
        sbuf_add_str(&sql, "b.row FROM block b WHERE 1");
        add_time(q, &sql);
    } else {
        sbuf_addf(&sql, "p.block FROM (SELECT row FROM temp.asked_directory%s) d CROSS JOIN block_place p ON p.directory = d.row WHERE 1",
                  select_has_host_path(q) ? " UNION ALL SELECT row FROM temp.asked_host_directory" : "");
        add_rows_in_time(q, &sql);
    }
    sbuf_addf(&sql, " LIMIT %u)", max);
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &s, err);
    if (r == 0)
        select_bind(q, s);
    if (r == 0 && sqlite3_step(s) != SQLITE_ROW)
        r = db_error(store->db, store->path, err);
    if (r == 0)
        *ret = (unsigned)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return r;
}

/* A pair of columns that say where something is: below the path, or the path itself. */
static void place_condition(struct sbuf *sql, enum select_part part, const char *column, const struct asked_place *at)
{
    const char *bare = part == SELECT_NEAR ? "+" : "";

    if (part != SELECT_ITSELF)
        sbuf_addf(sql, "%se.%sdirectory IN (SELECT row FROM %s) OR ", bare, column, at->table);
    sbuf_addf(sql, "(%se.%sdirectory = (SELECT row FROM directory WHERE path = %s) AND %se.%sname = %s)", bare, column,
              at->directory, bare, column, at->name);
}

/* What has its old or its new name there, and is that victim's. "1": anybody's. last: whether it is the host is one of the values, which
 * are known later than rows (store/packed.c). */
static void names_condition(struct sbuf *sql, enum select_part part, const char *victim, bool last, const struct asked_place *at)
{
    sbuf_addf(sql, "(%s AND (", last ? "1" : victim);
    place_condition(sql, part, "", at);
    sbuf_add_str(sql, " OR ");
    place_condition(sql, part, "previous_", at);
    sbuf_addf(sql, ") AND %s)", last ? victim : "1");
}

void select_condition(const struct store_query *q, enum select_part part, struct sbuf *sql)
{
    const char *victim = q->any_victim         ? "1"
                         : host_only(q)        ? "e.victim_kind = 1"
                                               : "e.victim IN (SELECT row FROM temp.asked_container)";

    sbuf_add_char(sql, '(');
    if (!bytes_known(q->path)) {
        sbuf_add_str(sql, victim);
    } else {
        names_condition(sql, part, victim, host_only(q), &asked_path);
        if (q->any_victim || host_only(q)) { /* a container's file, asked for by its place on the host */
            sbuf_add_str(sql, " OR (");
            place_condition(sql, part, "host_", &asked_path);
            sbuf_add_char(sql, ')');
        } else if (select_has_host_path(q)) { /* recorded as the host's, as a volume's, as another container's */
            sbuf_add_str(sql, " OR ");
            names_condition(sql, part, "e.victim_kind = 1", true, &asked_host_path);
            sbuf_add_str(sql, " OR (");
            place_condition(sql, part, "host_", &asked_host_path);
            sbuf_add_char(sql, ')');
        }
    }
    sbuf_add_char(sql, ')');
    if (part == SELECT_ITSELF) /* else it would be counted twice */
        sbuf_add_str(sql, " AND ifnull(e.directory, 0) NOT IN (SELECT row FROM temp.asked_directory) AND "
                          "ifnull(e.previous_directory, 0) NOT IN (SELECT row FROM temp.asked_directory)");
    if (q->since_ns)
        sbuf_add_str(sql, " AND e.time_ns >= ?3");
    if (q->until_ns)
        sbuf_add_str(sql, " AND e.time_ns <= ?4");
    if (q->operations)
        sbuf_add_str(sql, " AND (?5 >> e.operation) & 1");
    sbuf_add_str(sql, floor_condition(q));
}

const char *select_rollup_index(const struct store_query *q)
{
    return bytes_known(q->container) && !q->any_victim ? "INDEXED BY rollup_victim" : "";
}

void select_rollup(const struct store_query *q, struct sbuf *sql)
{
    const char *own = bytes_known(q->path)
                          ? "(place = 0 OR place = 1 AND other NOT IN (SELECT row FROM temp.asked_directory))"
                          : "place = 0";

    sbuf_add_str(sql, bytes_known(q->path) ? "directory IN (SELECT row FROM temp.asked_directory) AND "
                                           : "");
    if (bytes_known(q->container))
        sbuf_addf(sql, "%s AND victim IN (SELECT row FROM temp.asked_container)", own);
    else if (host_only(q) && bytes_known(q->path)) /* a container's file, by its place on the host */
        sbuf_addf(sql, "(victim_kind = 1 AND %s OR victim_kind <> 1 AND place = 2)", own);
    else if (host_only(q))
        sbuf_addf(sql, "victim_kind = 1 AND %s", own);
    else
        sbuf_add_str(sql, own);
    if (q->operations)
        sbuf_add_str(sql, " AND (?5 >> operation) & 1");
}

int select_bind(const struct store_query *q, sqlite3_stmt *s)
{
    const int count = sqlite3_bind_parameter_count(s);
    struct bytes directory = q->path.len ? bytes_dirname(q->path) : BYTES_NULL;
    struct bytes name = q->path.len ? bytes_basename(q->path) : BYTES_NULL;
    int last = select_has_host_path(q) ? 7 : q->operations ? 5 : q->until_ns ? 4 : q->since_ns ? 3 : bytes_known(q->path) ? 2 : 0;

    if (count >= 2 && bytes_known(q->path)) {
        db_bind_bytes(s, 1, directory);
        db_bind_bytes(s, 2, name);
    }
    if (count >= 3 && q->since_ns)
        sqlite3_bind_int64(s, 3, (sqlite3_int64)q->since_ns);
    if (count >= 4 && q->until_ns)
        sqlite3_bind_int64(s, 4, (sqlite3_int64)q->until_ns);
    if (count >= 5 && q->operations)
        sqlite3_bind_int64(s, 5, (sqlite3_int64)q->operations);
    if (count >= 7 && select_has_host_path(q)) {
        db_bind_bytes(s, 6, bytes_dirname(q->host_path));
        db_bind_bytes(s, 7, bytes_basename(q->host_path));
    }
    return last + 1;
}
