/* SPDX-License-Identifier: MIT */
#include "engine/podman_db.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/bolt.h"
#include "engine/docker_json.h"
#include "engine/json.h"
#include "engine/oci_json.h"
#include "foreign/database.h"
#include "util/limits.h"
#include "util/macro.h"

#define SQLITE_STEPS 5000000 /* one question: some 50 ms; the database is a user's work */

struct podman_db {
    sqlite3 *sqlite;
    sqlite3_stmt *config, *state;
    struct bytes bolt;
};

static int open_sqlite(struct bytes file, struct podman_db *db)
{
    int r = foreign_database_open(file, LIMIT_STATE_FILE, SQLITE_STEPS, &db->sqlite);

    if (r < 0)
        return r;
    if (sqlite3_prepare_v2(db->sqlite, "SELECT JSON FROM ContainerConfig WHERE ID = ?", -1, &db->config, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db->sqlite, "SELECT JSON FROM ContainerState WHERE ID = ?", -1, &db->state, NULL) != SQLITE_OK)
        return -EBADMSG;
    return 0;
}

int podman_db_open(struct bytes sqlite, struct bytes bolt, struct podman_db **ret)
{
    struct podman_db *db;
    int r = 0;

    if (!sqlite.len && !bolt.len)
        return -ENOENT;
    db = calloc(1, sizeof(*db));
    if (!db)
        return -ENOMEM;
    if (sqlite.len)
        r = open_sqlite(sqlite, db);
    else
        db->bolt = bolt;
    if (r < 0) {
        podman_db_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

void podman_db_close(struct podman_db *db)
{
    if (!db)
        return;
    sqlite3_finalize(db->config);
    sqlite3_finalize(db->state);
    sqlite3_close(db->sqlite);
    free(db);
}

/* The JSON text of one record: a view until the next call. */
static int get(struct podman_db *db, sqlite3_stmt *statement, const char *key, struct bytes id,
               struct bytes *ret)
{
    struct bytes path[] = { bytes_of("ctr"), id, bytes_of(key) };

    if (db->bolt.data)
        return bolt_get(db->bolt, path, ARRAY_SIZE(path), ret);
    if (!statement)
        return -ENOENT;
    sqlite3_reset(statement);
    sqlite3_bind_text(statement, 1, id.data, (int)id.len, SQLITE_STATIC);
    if (sqlite3_step(statement) != SQLITE_ROW)
        return -ENOENT;
    *ret = (struct bytes){ sqlite3_column_blob(statement, 0),
                           (size_t)sqlite3_column_bytes(statement, 0) };
    return ret->data ? 0 : -ENOENT;
}

int podman_db_read(struct podman_db *db, struct container *c)
{
    struct bytes text;
    int r = get(db, db->config, "config", c->id, &text);

    return r < 0 ? r : podman_parse_config(text, c, NULL);
}

int podman_db_start(struct podman_db *db, struct bytes id, uint64_t *ret_ns)
{
    _cleanup_json_ json_t *root = NULL;
    struct bytes text;
    int r = get(db, db->state, "state", id, &text);
    uint64_t ns;

    if (r < 0)
        return r;
    root = json_read(text, "Podman's record", NULL);
    ns = docker_parse_time(json_text_at(root, "startedTime"));
    if (!ns)
        return -ENOENT;
    *ret_ns = ns;
    return 0;
}
