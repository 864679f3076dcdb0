/* SPDX-License-Identifier: MIT */
#include "store/daily_folders.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/macro.h"

enum { FIND_PATH, ADD_PATH, FIND_ROW, STATEMENTS };

static const char *const statements[STATEMENTS] = {
    [FIND_PATH] = "SELECT path FROM directory WHERE row = ?",
    [ADD_PATH] = "INSERT OR IGNORE INTO directory (path) VALUES (?)",
    [FIND_ROW] = "SELECT row FROM directory WHERE path = ?",
};

struct daily_folders {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *s[STATEMENTS];
    struct daily_folder *found;
};

int daily_folders_new(sqlite3 *db, const char *path, struct daily_folders **ret, struct err *err)
{
    struct daily_folders *folders = calloc(1, sizeof(*folders));
    int r = folders ? 0 : err_set(err, -ENOMEM, "the store");

    if (!folders)
        return r;
    folders->db = db;
    folders->path = path;
    for (unsigned i = 0; i < STATEMENTS && r == 0; i++)
        r = db_prepare(db, path, statements[i], &folders->s[i], err);
    if (r < 0) {
        daily_folders_free(folders);
        return r;
    }
    *ret = folders;
    return 0;
}

void daily_folders_forget(struct daily_folders *folders)
{
    struct daily_folder *f, *next;

    HASH_ITER(hh, folders->found, f, next) {
        HASH_DEL(folders->found, f);
        free(f);
    }
}

void daily_folders_free(struct daily_folders *folders)
{
    if (!folders)
        return;
    daily_folders_forget(folders);
    for (unsigned i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(folders->s[i]);
    free(folders);
}

static int row_of_path(struct daily_folders *folders, struct bytes path, int64_t *ret, struct err *err)
{
    int r;

    db_bind_bytes(folders->s[ADD_PATH], 1, path);
    r = db_run(folders->db, folders->path, folders->s[ADD_PATH], err);
    if (r < 0)
        return r;
    db_bind_bytes(folders->s[FIND_ROW], 1, path);
    if (sqlite3_step(folders->s[FIND_ROW]) == SQLITE_ROW)
        *ret = sqlite3_column_int64(folders->s[FIND_ROW], 0);
    else
        r = db_error(folders->db, folders->path, err);
    sqlite3_reset(folders->s[FIND_ROW]);
    return r;
}

static int find_above(struct daily_folders *folders, struct daily_folder *f, struct err *err)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    sqlite3_stmt *s = folders->s[FIND_PATH];
    unsigned depth;
    int code, r = 0;

    sqlite3_bind_int64(s, 1, f->directory);
    code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        sbuf_add_bytes(&path, db_column_bytes(s, 0));
    else if (code != SQLITE_DONE)
        r = db_error(folders->db, folders->path, err);
    sqlite3_reset(s);
    if (r == 0 && sbuf_error(&path))
        r = err_set(err, -ENOMEM, "the store");
    depth = daily_depth(sbuf_bytes(&path));
    f->is_deep = depth > DAILY_DEPTH;
    if (!path.len || path.data[0] != '/')
        return r;
    for (unsigned i = 0; i <= MIN(depth, (unsigned)DAILY_DEPTH) && r == 0; i++)
        r = row_of_path(folders, daily_above(sbuf_bytes(&path), i), &f->at[f->count++], err);
    return r;
}

int daily_folders_find(struct daily_folders *folders, int64_t directory, const struct daily_folder **ret, struct err *err)
{
    struct daily_folder *f;

    HASH_FIND(hh, folders->found, &directory, sizeof(directory), f);
    *ret = f;
    if (f)
        return 0;
    f = calloc(1, sizeof(*f));
    if (!f)
        return err_set(err, -ENOMEM, "the store");
    f->directory = directory;
    HASH_ADD(hh, folders->found, directory, sizeof(f->directory), f);
    HASH_FREE_IF_OUT(hh, f);
    if (!f)
        return err_set(err, -ENOMEM, "the store");
    *ret = f;
    return find_above(folders, f, err);
}

bool daily_folder_has(const struct daily_folder *f, int64_t directory)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->at[i] == directory)
            return true;
    return false;
}
