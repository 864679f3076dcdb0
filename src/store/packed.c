/* SPDX-License-Identifier: MIT */
#include "store/packed.h"

#include <errno.h>
#include <stdlib.h>

#include "store/block.h"

enum column { ROW, TIME, OPERATION, FAILURE, VICTIM, VICTIM_KIND, SUSPECT, SUSPECT_REST, DIRECTORY, NAME, PREVIOUS_DIRECTORY,
              PREVIOUS_NAME, HOST_DIRECTORY, HOST_NAME, WATCH, BLOCK };

struct table {
    sqlite3_vtab base; /* first: SQLite's part */
    sqlite3 *db;
};

struct cursor {
    sqlite3_vtab_cursor base; /* first */
    struct block_reader *reader;
    const struct block_event *event; /* NULL: at the end */
};

static int connect_table(sqlite3 *db, void *data, int argc, const char *const *argv, sqlite3_vtab **ret, char **error)
{
    struct table *t;
    int code = sqlite3_declare_vtab(db, "CREATE TABLE packed (row, time_ns, operation, error, victim, victim_kind, "
                                        "suspect, suspect_rest, directory, name, previous_directory, previous_name, "
                                        "host_directory, host_name, watch, block HIDDEN)");

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

/* Which block has to be known. */
static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != BLOCK || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ ||
            !info->aConstraint[i].usable)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->estimatedCost = info->estimatedRows = BLOCK_MAX;
        return SQLITE_OK;
    }
    return SQLITE_CONSTRAINT;
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

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    int r = block_reader_next_rows(c->reader, &c->event, NULL);

    if (r <= 0)
        c->event = NULL;
    return code_of(r);
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
    struct cursor *c = (struct cursor *)base;
    int r = argc == 1 ? block_reader_begin(c->reader, sqlite3_value_int64(argv[0]), NULL) : -ENOENT;

    (void)number, (void)text;
    c->event = NULL;
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
    return which == ROW || which == VICTIM || which == SUSPECT_REST || which == DIRECTORY || which == PREVIOUS_DIRECTORY ||
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
