/* SPDX-License-Identifier: MIT */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 2000

int db_error(sqlite3 *db, const char *path, struct err *err)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;

    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_say(err, -EBUSY, "the store %s is locked by another program for longer than 2 s", path);
    case SQLITE_FULL:
        return err_say(err, -ENOSPC, "no room for the store %s: free some space, or give --store FILE", path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_say(err, -EBADMSG,
                       "%s is damaged or not a culprit store: move it away, or give --store FILE", path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_say(err, -EACCES, "the store %s cannot be written: run as root, or give --store FILE", path);
    case SQLITE_CANTOPEN:
        return err_say(err, -EACCES, "the store %s cannot be opened: run as root, or give --store FILE", path);
    case SQLITE_NOMEM:
        return err_set(err, -ENOMEM, "the store");
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM)
            return err_set(err, -ENOMEM, "the store");
        return err_say(err, -EIO, "the store %s: %s", path, sqlite3_errmsg(db));
    default:
        return err_say(err, -EIO, "the store %s: %s", path, sqlite3_errmsg(db));
    }
}

static int make_directory(const char *path, struct err *err)
{
    char directory[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    if (n == 0 || n >= sizeof(directory))
        return 0;
    memcpy(directory, path, n);
    directory[n] = '\0';
    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return err_set(err, -errno, "making %s for the store", directory);
    return 0;
}

/* Through our own descriptor first: private mode, no links, nothing but a file. */
static int look_at_file(const char *path, bool read_only, struct err *err)
{
    int flags = (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = open(path, flags, 0600), r = 0;
    struct stat st;

    if (fd < 0 && errno == ELOOP)
        return err_say(err, -ELOOP, "the store %s is a symbolic link: give --store FILE", path);
    if (fd < 0 && errno == ENOSPC)
        return err_say(err, -ENOSPC, "no room for the store %s: free some space, or give --store FILE", path);
    if (fd < 0)
        return err_set(err, -errno, "the store %s", path);
    if (fstat(fd, &st) < 0)
        r = err_set(err, -errno, "the store %s", path);
    else if (!S_ISREG(st.st_mode))
        r = err_say(err, -EBADMSG, "the store %s is not a file: give --store FILE", path);
    close(fd);
    return r;
}

/* Before SQLite is used first: nobody asks how much memory it has, and counting it locks a mutex at each allocation. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(const char *path, bool read_only, sqlite3 **ret, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    char full[4096 + 2];
    sqlite3 *db = NULL;
    int r = 0;

    (void)pthread_once(&once, configure);
    /* NOFOLLOW of SQLite means every component; ours the last one only */
    flags &= ~SQLITE_OPEN_NOFOLLOW;
    if (strlen(path) >= sizeof(full) - 2)
        return err_set(err, -ENAMETOOLONG, "the store's name");
    full[0] = '\0';
    if (path[0] != '/') /* a name like "file:x" or ":memory:" is a file's name all the same */
        memcpy(full, "./", 3);
    strncat(full, path, sizeof(full) - 3);
    if (!read_only)
        r = make_directory(full, err);
    if (r == 0)
        r = look_at_file(full, read_only, err);
    if (r < 0)
        return r;
    if (sqlite3_open_v2(full, &db, flags, NULL) != SQLITE_OK) {
        r = db_error(db, path, err);
        sqlite3_close(db);
        return r;
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_MS);
    /* a store may come from somebody else: nothing in it is run */
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    *ret = db;
    return 0;
}

int db_exec(sqlite3 *db, const char *path, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(db, path, err);
}

int db_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) == SQLITE_OK)
        return 0;
    /* a table that is not there: somebody else's database */
    if ((sqlite3_errcode(db) & 0xff) == SQLITE_ERROR)
        return err_say(err, -EBADMSG, "%s is not a culprit store: give --store FILE", path);
    return db_error(db, path, err);
}

int db_run(sqlite3 *db, const char *path, sqlite3_stmt *statement, struct err *err)
{
    int r = sqlite3_step(statement) == SQLITE_DONE ? 0 : db_error(db, path, err);

    sqlite3_reset(statement);
    return r;
}

int db_user_version(sqlite3 *db, const char *path, int *ret, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int r = db_prepare(db, path, "PRAGMA user_version", &statement, err);

    if (r < 0)
        return r;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret = sqlite3_column_int(statement, 0);
    else
        r = db_error(db, path, err);
    sqlite3_finalize(statement);
    return r;
}
