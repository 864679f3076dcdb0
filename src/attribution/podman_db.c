/* SPDX-License-Identifier: MIT */
#include "attribution/podman_db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "attribution/bolt.h"
#include "attribution/docker_json.h"
#include "attribution/json.h"
#include "attribution/oci_json.h"
#include "util/cleanup.h"

#define BOLT_MAX (1024ull * 1024 * 1024)
#define USER_BOLT_MAX (16 * 1024 * 1024)

struct podman_db {
    sqlite3 *sqlite;
    sqlite3_stmt *config, *state;
    struct bytes bolt;
    char *copy; /* of a user's file, who could cut it off under a mapping */
};

static int open_sqlite(const char *storage, struct podman_db *db)
{
    /* below: as Podman lays it out; above: where its static directory is the storage's parent */
    static const char *const names[] = { "db.sql", "libpod/db.sql" };
    char path[PATH_MAX + 32];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", storage, names[i]);
        if (access(path, F_OK) < 0)
            continue;
        if (sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
            sqlite3_busy_timeout(db->sqlite, 50) == SQLITE_OK &&
            sqlite3_prepare_v2(db->sqlite, "SELECT JSON FROM ContainerConfig WHERE ID = ?", -1,
                               &db->config, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(db->sqlite, "SELECT JSON FROM ContainerState WHERE ID = ?", -1,
                               &db->state, NULL) == SQLITE_OK)
            return 0;
        return -EBADMSG;
    }
    return -ENOENT;
}

static int open_bolt(const char *storage, struct podman_db *db)
{
    char path[PATH_MAX + 32];
    _cleanup_close_ int fd = -EBADF;
    struct stat st;
    ssize_t n;
    void *map;

    snprintf(path, sizeof(path), "%s/libpod/bolt_state.db", storage);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > BOLT_MAX)
        return -EBADMSG;
    if (st.st_uid != 0) {
        if (st.st_size > USER_BOLT_MAX || !(db->copy = malloc((size_t)st.st_size)))
            return -E2BIG;
        n = pread(fd, db->copy, (size_t)st.st_size, 0);
        if (n < 0)
            return -errno;
        db->bolt = (struct bytes){ db->copy, (size_t)n };
        return 0;
    }
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0); /* it never shrinks */
    if (map == MAP_FAILED)
        return -errno;
    db->bolt = (struct bytes){ map, (size_t)st.st_size };
    return 0;
}

int podman_db_open(const char *storage, struct podman_db **ret, struct err *err)
{
    struct podman_db *db = calloc(1, sizeof(*db));
    int r;

    if (!db)
        return err_set(err, -ENOMEM, "Podman's records");
    r = open_sqlite(storage, db);
    if (r == -ENOENT)
        r = open_bolt(storage, db);
    if (r < 0) {
        podman_db_close(db);
        return err_set(err, r, "Podman's records");
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
    if (db->copy)
        free(db->copy);
    else if (db->bolt.data)
        (void)munmap((void *)(uintptr_t)db->bolt.data, db->bolt.len);
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
