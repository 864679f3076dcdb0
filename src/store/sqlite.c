/* SPDX-License-Identifier: MIT */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/macro.h"
#include "util/trusted.h"

#define BUSY_MS 2000
#define LOCK_PAUSE_MS 20
#define NAME_SIZE 4096

int db_error(sqlite3 *db, const char *path, struct err *err)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;

    if (code == SQLITE_IOERR_SHMSIZE) /* the index of its log */
        code = SQLITE_FULL;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
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

/* A name like "file:x" or ":memory:" is a file's name all the same. */
static int name_file(const char *path, char full[NAME_SIZE], struct err *err)
{
    int n = snprintf(full, NAME_SIZE, "%s%s", path[0] == '/' ? "" : "./", path);

    return n < NAME_SIZE ? 0 : err_set(err, -ENAMETOOLONG, "the store's name");
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

/* ---- the file, by its name alone ---- */

/*
 * Nothing here opens the database's file: SQLite's locks are POSIX locks, and the first close() of any descriptor of the
 * file drops all that this process holds on it. Another one then takes the store for unused, and deletes its log.
 */
static int look_at_one(const char *path, struct stat *ret, struct err *err)
{
    if (lstat(path, ret) < 0)
        return err_set(err, -errno, "the store %s", path);
    if (S_ISLNK(ret->st_mode))
        return err_say(err, -ELOOP, "the store %s is a symbolic link: give --store FILE", path);
    if (!S_ISREG(ret->st_mode))
        return err_say(err, -EBADMSG, "the store %s is not a file: give --store FILE", path);
    if (!file_is_trusted(ret))
        return err_say(err, -EPERM,
                       "the store %s belongs to user %u with mode %04o, others can change what it says: chown it and "
                       "chmod go-w it, or give --store FILE",
                       path, (unsigned)ret->st_uid, (unsigned)ret->st_mode & 07777);
    return 0;
}

static const char *const companions[] = { "-wal", "-shm", "-journal" };

static void name_companion(const char *path, size_t which, char *out, size_t size)
{
    snprintf(out, size, "%s%s", path, companions[which]);
}

static int look_at_files(const char *path, struct stat *ret, struct err *err)
{
    char name[NAME_SIZE + 16];
    struct stat st;
    int r = look_at_one(path, ret, err);

    for (size_t i = 0; i < ARRAY_SIZE(companions) && r == 0; i++) {
        name_companion(path, i, name, sizeof(name));
        r = lstat(name, &st) < 0 && errno == ENOENT ? 0 : look_at_one(name, &st, err);
    }
    return r;
}

/* Whoever makes a store has the directory's lock: two who begin the same store anew do not take away each other's log. */
static int lock_directory(const char *path, int *ret, struct err *err)
{
    char directory[NAME_SIZE];
    const char *slash = strrchr(path, '/');
    int fd;

    snprintf(directory, sizeof(directory), "%.*s", (int)MAX(slash - path, 1), path);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "the store's directory %s", directory);
    for (unsigned ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; ms += LOCK_PAUSE_MS) {
        if (errno != EWOULDBLOCK || ms >= BUSY_MS) {
            int r = errno == EWOULDBLOCK ? -EBUSY : -errno;

            close(fd);
            return err_set(err, r, "locking the store's directory %s", directory);
        }
        usleep(LOCK_PAUSE_MS * 1000);
    }
    *ret = fd;
    return 0;
}

/*
 * An empty file, private from its first moment. What SQLite left beside a file that is gone belongs to those who still
 * have that one open: under these names they would share it with the new one.
 */
static int make_file(const char *path, struct err *err)
{
    char name[NAME_SIZE + 16];
    struct stat st;
    int fd;

    if (lstat(path, &st) == 0)
        return 0; /* somebody else was faster */
    for (size_t i = 0; i < ARRAY_SIZE(companions); i++) {
        name_companion(path, i, name, sizeof(name));
        if (lstat(name, &st) == 0 && unlink(name) < 0)
            return err_set(err, -errno, "removing %s", name);
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600); /* new, so that nobody has locks on it */
    if (fd < 0 && errno == ENOSPC)
        return err_say(err, -ENOSPC, "no room for the store %s: free some space, or give --store FILE", path);
    if (fd < 0)
        return err_set(err, -errno, "the store %s", path);
    close(fd);
    return 0;
}

int db_look(const char *path, struct stat *ret, struct err *err)
{
    char full[NAME_SIZE];
    int r = name_file(path, full, err);

    return r < 0 ? r : look_at_one(full, ret, err);
}

int db_set_aside(const char *path, dev_t device, ino_t inode, struct err *err)
{
    char full[NAME_SIZE], aside[NAME_SIZE + 32], when[24];
    _cleanup_close_ int lock = -EBADF;
    time_t now = time(NULL);
    struct stat st;
    struct tm tm;
    int r = name_file(path, full, err);

    if (r == 0)
        r = lock_directory(full, &lock, err);
    if (r < 0)
        return r;
    if (lstat(full, &st) < 0 || st.st_dev != device || st.st_ino != inode)
        return 0; /* somebody else has seen it too */
    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    snprintf(aside, sizeof(aside), "%s.damaged-%s", full, when);
    return rename(full, aside) < 0 ? err_set(err, -errno, "moving the store %s away", path) : 0;
}

/* Before SQLite is used first: nobody asks how much memory it has, and counting it locks a mutex at each allocation. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* SQLite has the file open that was looked at. */
static bool is_same_file(sqlite3 *db, const char *path, const struct stat *seen)
{
    struct stat st;
    int moved = 1;

    return sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && !moved &&
           lstat(path, &st) == 0 && st.st_dev == seen->st_dev && st.st_ino == seen->st_ino;
}

static int open_sqlite(const char *path, bool read_only, const struct stat *seen, sqlite3 **ret, struct err *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    sqlite3 *db = NULL;
    int r = 0;

    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK)
        r = db_error(db, path, err);
    else if (!is_same_file(db, path, seen))
        r = err_say(err, -EBUSY, "the store %s is exchanged while it is opened", path);
    if (r < 0) {
        sqlite3_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

#define OPEN_TRIES 3

static int open_once(const char *path, bool read_only, sqlite3 **ret, struct stat *ret_st, struct err *err)
{
    _cleanup_close_ int lock = -EBADF;
    int r = look_at_files(path, ret_st, err);

    if (r == -ENOENT && !read_only) {
        r = lock_directory(path, &lock, err);
        if (r == 0)
            r = make_file(path, err);
        if (r == 0)
            r = look_at_files(path, ret_st, err);
    }
    return r < 0 ? r : open_sqlite(path, read_only, ret_st, ret, err);
}

/* A container's overlay gives a file another number when it is first opened for writing. */
static int open_file(const char *path, bool read_only, sqlite3 **ret, struct stat *ret_st, struct err *err)
{
    int r = -EBUSY;

    for (unsigned i = 0; r == -EBUSY && i < OPEN_TRIES; i++)
        r = open_once(path, read_only, ret, ret_st, err);
    return r;
}

int db_open(const char *path, bool read_only, sqlite3 **ret, struct stat *ret_st, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char full[NAME_SIZE];
    struct stat st;
    sqlite3 *db = NULL;
    int r;

    (void)pthread_once(&once, configure);
    r = name_file(path, full, err);
    if (r == 0 && !read_only)
        r = make_directory(full, err);
    if (r == 0)
        r = open_file(full, read_only, &db, &st, err);
    if (r < 0)
        return r;
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_MS);
    /* a store may come from somebody else: nothing in it is run */
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL); /* it may have no end */
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    *ret = db;
    if (ret_st)
        *ret_st = st;
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
