/* SPDX-License-Identifier: MIT */
/* A file system for SQLite whose calls fail when the test says so, and what is recorded on it. */
#pragma once

#include "make.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/query.h"

struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;
static atomic_bool hangs; /* each write, until it is false */
static atomic_int open_files;
static atomic_long fault_at; /* counts down at each call; 0 = nothing fails any more */
static atomic_bool lasting, hit;

static inline void wait_while(atomic_bool *flag)
{
    while (atomic_load(flag))
        usleep(5 * 1000);
}

static inline bool fault(void)
{
    long left = atomic_load(&fault_at);

    if (left == 1) {
        atomic_store(&hit, true);
        if (!lasting)
            atomic_store(&fault_at, 0);
        return true;
    }
    if (left > 1)
        atomic_fetch_sub(&fault_at, 1);
    return false;
}

#define REAL(file) (((struct faulty_file *)(file))->real)
#define FAULTY(name, code, params, ...)                                                          \
    static int faulty_##name params                                                               \
    {                                                                                             \
        return fault() ? (code) : REAL(f)->pMethods->name(REAL(f), ##__VA_ARGS__);                \
    }

FAULTY(xRead, SQLITE_IOERR_READ, (sqlite3_file *f, void *p, int n, sqlite3_int64 at), p, n, at)
FAULTY(xTruncate, SQLITE_IOERR_TRUNCATE, (sqlite3_file *f, sqlite3_int64 size), size)
FAULTY(xSync, SQLITE_IOERR_FSYNC, (sqlite3_file *f, int flags), flags)
FAULTY(xFileSize, SQLITE_IOERR_FSTAT, (sqlite3_file *f, sqlite3_int64 *ret), ret)
FAULTY(xLock, SQLITE_IOERR_LOCK, (sqlite3_file *f, int level), level)
FAULTY(xShmMap, SQLITE_IOERR_SHMMAP, (sqlite3_file *f, int at, int size, int extend, void volatile **ret), at, size,
       extend, ret)

static inline int faulty_xWrite(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    wait_while(&hangs);
    return fault() ? SQLITE_FULL : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

/* A lock is always given back. */
static inline int faulty_xShmLock(sqlite3_file *f, int at, int n, int flags)
{
    return flags & SQLITE_SHM_LOCK && fault() ? SQLITE_IOERR_SHMLOCK
                                              : REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}

/* What gives something back cannot be refused. */
#define PLAIN(type, name, params, ...)                                                            \
    static type plain_##name params                                                               \
    {                                                                                             \
        return REAL(f)->pMethods->name(REAL(f), ##__VA_ARGS__);                                   \
    }

PLAIN(int, xUnlock, (sqlite3_file *f, int level), level)
PLAIN(int, xCheckReservedLock, (sqlite3_file *f, int *ret), ret)
PLAIN(int, xFileControl, (sqlite3_file *f, int op, void *p), op, p)
PLAIN(int, xSectorSize, (sqlite3_file *f))
PLAIN(int, xDeviceCharacteristics, (sqlite3_file *f))
PLAIN(void, xShmBarrier, (sqlite3_file *f))
PLAIN(int, xShmUnmap, (sqlite3_file *f, int away), away)

static inline int plain_xClose(sqlite3_file *f)
{
    atomic_fetch_sub(&open_files, 1);
    return REAL(f)->pMethods->xClose(REAL(f));
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = plain_xClose,
    .xRead = faulty_xRead,
    .xWrite = faulty_xWrite,
    .xTruncate = faulty_xTruncate,
    .xSync = faulty_xSync,
    .xFileSize = faulty_xFileSize,
    .xLock = faulty_xLock,
    .xUnlock = plain_xUnlock,
    .xCheckReservedLock = plain_xCheckReservedLock,
    .xFileControl = plain_xFileControl,
    .xSectorSize = plain_xSectorSize,
    .xDeviceCharacteristics = plain_xDeviceCharacteristics,
    .xShmMap = faulty_xShmMap,
    .xShmLock = faulty_xShmLock,
    .xShmBarrier = plain_xShmBarrier,
    .xShmUnmap = plain_xShmUnmap,
};

static inline int open_faulty(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct faulty_file *f = (struct faulty_file *)file;
    int r;

    (void)vfs;
    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(f + 1);
    if (fault())
        return SQLITE_CANTOPEN;
    r = real_vfs->xOpen(real_vfs, name, f->real, flags, ret_flags);
    if (r == SQLITE_OK) {
        f->base.pMethods = &methods;
        atomic_fetch_add(&open_files, 1);
    }
    return r;
}

static inline int delete_faulty(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    (void)vfs;
    return fault() ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, sync_directory);
}

static inline int access_faulty(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    (void)vfs;
    return fault() ? SQLITE_IOERR_ACCESS : real_vfs->xAccess(real_vfs, name, flags, ret);
}

static inline void use_faulty_vfs(void)
{
    static sqlite3_vfs faulty;

    real_vfs = sqlite3_vfs_find(NULL);
    faulty = *real_vfs;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
    faulty.xOpen = open_faulty;
    faulty.xDelete = delete_faulty;
    faulty.xAccess = access_faulty;
    assert_int_equal(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

#define EVENTS_MAX 80000 /* more than both buffers hold, however late the first is handed over */

static char dir[64], path[96];
static unsigned sent;
static uint64_t base_ns = 1700000000000000000ull;
static struct container *victim;

static inline int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "%s/culprit-store.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    sent = 0;
    victim = make_container("0123456789abcdef", "web");
    return 0;
}

static inline int tear_down(void **state)
{
    char command[128];

    (void)state;
    container_unref(victim);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* A process of its own does each: nothing of one event helps the next. */
static inline void add(struct store *store, struct process *parent, unsigned sensors)
{
    struct process *p = make_process(1000 + (pid_t)sent, "/bin/rm", process_ref(parent));
    char name[32];
    struct event *e;
    uint64_t id = ++sent;

    snprintf(name, sizeof(name), "/d%u/f%u", sent % 3, sent);
    p->container = container_ref(victim);
    e = make_event(OPERATION_UNLINK, name, p, victim, base_ns + sent);
    e->sensors = sensors;
    memcpy(e->id, &id, sizeof(id));
    (void)store_add_event(store, e);
    event_free(e);
    process_unref(p);
}

static inline uint64_t begin(struct store *store)
{
    struct coverage coverage = { .sensors = SENSOR_FANOTIFY, .from_ns = 1700000000000000000ull, .watch = { "/d", 2 } };
    uint64_t id;

    (void)store_begin_coverage(store, &coverage, &id);
    return id;
}

struct found {
    bool seen[EVENTS_MAX + 1];
    unsigned events, coverage, gaps;
    uint64_t lost, from_ns, to_ns; /* of the last gap */
};

static inline int check_event(void *data, struct event *e)
{
    struct found *f = data;
    uint64_t id;

    memcpy(&id, e->id, sizeof(id));
    assert_in_range(id, 1, sent);
    assert_false(f->seen[id]);
    f->seen[id] = true;
    f->events++;
    assert_non_null(e->actor.process);
    assert_int_equal(e->actor.process->pid, 1000 + (int)id - 1);
    assert_true(bytes_equal_str(e->actor.process->executable, "/bin/rm"));
    assert_non_null(e->actor.process->parent);
    assert_int_equal(e->actor.process->parent->pid, 1);
    assert_non_null(e->actor.process->container);
    assert_non_null(e->victim);
    assert_true(bytes_equal_str(e->victim->name, "web"));
    event_free(e);
    return 0;
}

static inline int count_gap(void *data, const struct gap *gap)
{
    struct found *f = data;

    assert_int_equal(gap->reason, LOST_STORE);
    assert_true(gap->from_ns <= gap->to_ns);
    f->lost += gap->count;
    f->from_ns = gap->from_ns;
    f->to_ns = gap->to_ns;
    f->gaps++;
    return 0;
}

static inline int count_coverage(void *data, const struct coverage *c)
{
    ((struct found *)data)->coverage += c->to_ns != 0;
    return 0;
}

static inline int check_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    (void)samples;
    (void)count;
    *(uint64_t *)data += rollup->count;
    return 0;
}

static inline struct found read_back(void)
{
    struct store_options options = { .path = path, .read_only = true };
    struct store_query all = { .any_victim = true };
    struct found f = { 0 };
    struct store *store;
    struct err err = ERR_INIT;
    uint64_t counted = 0;

    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(store_each_event(store, &all, check_event, &f, &err), 0);
    assert_int_equal(store_each_gap(store, &all, count_gap, &f, &err), 0);
    assert_int_equal(store_each_coverage(store, &all, count_coverage, &f, &err), 0);
    assert_int_equal(store_each_rollup(store, &all, 1, check_rollup, &counted, &err), 0);
    assert_int_equal(counted, f.events);
    store_close(store);
    return f;
}

static inline struct store *open_store(void)
{
    struct store_options options = { .path = path, .retry = true };
    struct store *store = NULL;

    assert_int_equal(store_open(&options, &store, NULL), 0);
    return store;
}

/* `what`: a table, and a WHERE where it is wanted. A storm that was handed over before it was whole, on a slow machine, is rows
 * and a block, or rows alone: their sum is what read_back() counts. */
static inline uint64_t left(const char *what)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    char sql[96];
    uint64_t n;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", what);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    n = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}
