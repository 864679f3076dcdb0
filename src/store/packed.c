/* SPDX-License-Identifier: MIT */
#include "store/packed.h"

#include <errno.h>
#include <stdlib.h>

#include "store/block.h"
#include "util/macro.h"

enum column { ROW, TIME, OPERATION, FAILURE, VICTIM, VICTIM_KIND, SUSPECT, SUSPECT_REST, DIRECTORY, NAME, PREVIOUS_DIRECTORY,
              PREVIOUS_NAME, HOST_DIRECTORY, HOST_NAME, WATCH, VICTIM_ROW, BLOCK };

/* What a question may ask to be equal, and is compared here: SQLite's own comparison costs ten times as much, and of most events the rest
 * need not be known. Those of rows first. */
enum { KEY_VICTIM, KEY_REST, KEY_SUSPECT, KEY_OPERATION, KEY_FAILURE, KEYS };
static const enum column key_columns[KEYS] = { [KEY_VICTIM] = VICTIM_ROW, [KEY_REST] = SUSPECT_REST, [KEY_SUSPECT] = SUSPECT,
                                               [KEY_OPERATION] = OPERATION, [KEY_FAILURE] = FAILURE };

struct table {
    sqlite3_vtab base; /* first: SQLite's part */
    sqlite3 *db;
};

struct cursor {
    sqlite3_vtab_cursor base; /* first */
    struct block_reader *reader;
    const struct block_event *event; /* NULL: at the end */
    int wanted; /* a bit for each key */
    int64_t keys[KEYS];
};

static int connect_table(sqlite3 *db, void *data, int argc, const char *const *argv, sqlite3_vtab **ret, char **error)
{
    struct table *t;
    int code = sqlite3_declare_vtab(db, "CREATE TABLE packed (row, time_ns, operation, error, victim, victim_kind, "
                                        "suspect, suspect_rest, directory, name, previous_directory, previous_name, "
                                        "host_directory, host_name, watch, victim_row, block HIDDEN)");

    (void)data, (void)argc, (void)argv, (void)error;
    if (code != SQLITE_OK)
        return code;
    t = calloc(1, sizeof(*t));
    if (!t)
        return SQLITE_NOMEM;
    t->db = db;
    *ret = &t->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *base)
{
    free((struct table *)base);
    return SQLITE_OK;
}

static int key_of(int column)
{
    for (int k = 0; k < KEYS; k++)
        if ((int)key_columns[k] == column)
            return k;
    return -1;
}

/* Which block has to be known. The keys that are given come behind it, in their order, and their bits are the number. */
static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    int block = -1, at[KEYS], arguments = 1;

    (void)base;
    for (int k = 0; k < KEYS; k++)
        at[k] = -1;
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn, key = key_of(column);

        if (info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ || !info->aConstraint[i].usable)
            continue;
        if (column == BLOCK)
            block = i;
        else if (key >= 0)
            at[key] = i;
    }
    if (block < 0)
        return SQLITE_CONSTRAINT;
    info->aConstraintUsage[block].argvIndex = arguments;
    info->aConstraintUsage[block].omit = 1;
    info->idxNum = 0;
    for (int k = 0; k < KEYS; k++)
        if (at[k] >= 0) {
            info->aConstraintUsage[at[k]].argvIndex = ++arguments;
            info->idxNum |= 1 << k;
        }
    info->estimatedCost = info->estimatedRows = BLOCK_MAX;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
    struct cursor *c = calloc(1, sizeof(*c));

    if (!c)
        return SQLITE_NOMEM;
    if (block_reader_new(((struct table *)base)->db, "", &c->reader, NULL) < 0) {
        free(c);
        return SQLITE_ERROR;
    }
    *ret = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;

    block_reader_free(c->reader);
    free(c);
    return SQLITE_OK;
}

static int code_of(int r)
{
    return r >= 0 ? SQLITE_OK : r == -ENOMEM ? SQLITE_NOMEM : r == -EBADMSG ? SQLITE_CORRUPT : SQLITE_IOERR;
}

static bool is_equal(const struct cursor *c, int key, int64_t value)
{
    return !(c->wanted & 1 << key) || c->keys[key] == value;
}

/* 1: the event that was read has the keys that are wanted; 0: not. */
static int has_keys(struct cursor *c)
{
    const struct block_event *e = c->event;
    int r;

    if (!is_equal(c, KEY_VICTIM, e->rows.row[BLOCK_VICTIM]) || !is_equal(c, KEY_REST, e->rows.row[BLOCK_SUSPECT_REST]))
        return 0;
    if (!(c->wanted & ~(1 << KEY_VICTIM | 1 << KEY_REST)))
        return 1;
    r = block_reader_values(c->reader, NULL);
    return r < 0 ? r : is_equal(c, KEY_SUSPECT, (int64_t)e->values.numbers[DELTA_SUSPECT]) &&
                           is_equal(c, KEY_OPERATION, (int64_t)e->values.numbers[DELTA_operation]) &&
                           is_equal(c, KEY_FAILURE, (int64_t)e->values.numbers[DELTA_error]);
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    int r, has = 0;

    while ((r = block_reader_next_rows(c->reader, &c->event, NULL)) == 1 && (has = has_keys(c)) == 0)
        ;
    if (r <= 0 || has < 0)
        c->event = NULL;
    return code_of(MIN(r, has));
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
    struct cursor *c = (struct cursor *)base;
    int r = argc > 0 ? block_reader_begin(c->reader, sqlite3_value_int64(argv[0]), NULL) : -ENOENT;

    (void)text;
    c->event = NULL;
    c->wanted = number;
    for (int k = 0, at = 1; k < KEYS && at < argc; k++)
        if (number & 1 << k)
            c->keys[k] = sqlite3_value_int64(argv[at++]);
    return r == 0 ? next(base) : r == -ENOENT ? SQLITE_OK : code_of(r);
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return ((struct cursor *)base)->event == NULL;
}

static void result_row(sqlite3_context *context, int64_t row)
{
    if (row)
        sqlite3_result_int64(context, row);
    else
        sqlite3_result_null(context);
}

static void result_bytes(sqlite3_context *context, struct bytes b)
{
    if (bytes_known(b))
        sqlite3_result_blob64(context, b.data, b.len, SQLITE_TRANSIENT);
    else
        sqlite3_result_null(context);
}

/* What conditions ask for first is known without the values: most events of a block are of other files, and of other containers. */
static bool is_a_row(int which)
{
    return which == ROW || which == VICTIM || which == VICTIM_ROW || which == SUSPECT_REST || which == DIRECTORY || which == PREVIOUS_DIRECTORY ||
           which == HOST_DIRECTORY;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int which)
{
    struct cursor *c = (struct cursor *)base;
    const struct block_event *e = c->event;
    const uint64_t *numbers = e->values.numbers;
    int r = is_a_row(which) ? 0 : block_reader_values(c->reader, NULL);

    if (r < 0)
        return code_of(r);
    switch (which) {
    case ROW:
        sqlite3_result_int64(context, e->row);
        break;
    case TIME:
        sqlite3_result_int64(context, (sqlite3_int64)numbers[DELTA_time_ns]);
        break;
    case OPERATION:
        sqlite3_result_int64(context, (sqlite3_int64)numbers[DELTA_operation]);
        break;
    case FAILURE:
        sqlite3_result_int64(context, (sqlite3_int64)numbers[DELTA_error]);
        break;
    case VICTIM_KIND:
        sqlite3_result_int64(context, (sqlite3_int64)numbers[DELTA_victim_kind]);
        break;
    case SUSPECT:
        sqlite3_result_int64(context, (sqlite3_int64)numbers[DELTA_SUSPECT]);
        break;
    case SUSPECT_REST:
        sqlite3_result_int64(context, e->rows.row[BLOCK_SUSPECT_REST]);
        break;
    case VICTIM_ROW:
        sqlite3_result_int64(context, e->rows.row[BLOCK_VICTIM]);
        break;
    case VICTIM:
        result_row(context, e->rows.row[BLOCK_VICTIM]);
        break;
    case DIRECTORY:
    case PREVIOUS_DIRECTORY:
    case HOST_DIRECTORY:
        result_row(context, e->rows.row[BLOCK_DIRECTORIES + (which - DIRECTORY) / 2]);
        break;
    case NAME:
    case PREVIOUS_NAME:
    case HOST_NAME:
        result_bytes(context, e->values.bytes[DELTA_NAME((which - NAME) / 2)]);
        break;
    case WATCH:
        result_bytes(context, e->values.bytes[DELTA_watch]);
        break;
    default:
        sqlite3_result_null(context);
    }
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
    *ret = ((struct cursor *)base)->event->row;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect_table, /* no xCreate: it is there without being created */
    .xBestIndex = best_index,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = row_id,
};

static struct bytes value_bytes(sqlite3_value *value)
{
    const void *data = sqlite3_value_blob(value);

    return (struct bytes){ data, data ? (size_t)sqlite3_value_bytes(value) : 0 };
}

static void may_have(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    sqlite3_result_int(context, block_may_have(value_bytes(argv[0]), value_bytes(argv[1])));
}

int packed_register(sqlite3 *db, const char *path, struct err *err)
{
    int code = sqlite3_create_module(db, "packed", &module, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_create_function(db, "may_have", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, may_have, NULL, NULL);
    return code == SQLITE_OK ? 0 : db_error(db, path, err);
}
