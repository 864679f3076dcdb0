/* SPDX-License-Identifier: MIT */
/*
 * The store after trouble: SQLite's calls to the system fail one after the other, and files go away. Whatever was
 * written has its actor and its victim, nothing is there twice, and what is not there is a gap.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make.h"
#include "store/compact.h"
#include "store/maintain.h"
#include "store/query.h"
#include "util/clock.h"

/* ---- a file system that fails ---- */

struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;
static atomic_bool hangs; /* each write, until it is false */
static atomic_int open_files;
static atomic_long fault_at; /* counts down at each call; 0 = nothing fails any more */
static atomic_bool lasting, hit;

static void wait_while(atomic_bool *flag)
{
    while (atomic_load(flag))
        usleep(5 * 1000);
}

static bool fault(void)
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

static int faulty_xWrite(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    wait_while(&hangs);
    return fault() ? SQLITE_FULL : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

/* A lock is always given back. */
static int faulty_xShmLock(sqlite3_file *f, int at, int n, int flags)
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

static int plain_xClose(sqlite3_file *f)
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

static int open_faulty(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
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

static int delete_faulty(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    (void)vfs;
    return fault() ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, sync_directory);
}

static int access_faulty(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    (void)vfs;
    return fault() ? SQLITE_IOERR_ACCESS : real_vfs->xAccess(real_vfs, name, flags, ret);
}

static void use_faulty_vfs(void)
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

/* ---- what is recorded ---- */

#define STORM 70 /* so many at a time become a block */
#define EVENTS_MAX 80000 /* more than both buffers hold, however late the first is handed over */

static char dir[64], path[96];
static unsigned sent;
static uint64_t base_ns = 1700000000000000000ull;
static struct container *victim;

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "%s/culprit-store.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    sent = 0;
    victim = make_container("0123456789abcdef", "web");
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    container_unref(victim);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* A process of its own does each: nothing of one event helps the next. */
static void add(struct store *store, struct process *parent, unsigned sensors)
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

static uint64_t begin(struct store *store)
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

static int check_event(void *data, struct event *e)
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

static int count_gap(void *data, const struct gap *gap)
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

static int count_coverage(void *data, const struct coverage *c)
{
    ((struct found *)data)->coverage += c->to_ns != 0;
    return 0;
}

static int check_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    (void)samples;
    (void)count;
    *(uint64_t *)data += rollup->count;
    return 0;
}

static struct found read_back(void)
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

static struct store *open_store(void)
{
    struct store_options options = { .path = path, .retry = true };
    struct store *store = NULL;

    assert_int_equal(store_open(&options, &store, NULL), 0);
    return store;
}

/* ---- tests ---- */

/* Rows, a storm, rows: each batch may fail, and what comes after it is right. */
static void record(long at)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct err err = ERR_INIT;
    struct store *store;
    uint64_t id;

    atomic_store(&hit, false);
    atomic_store(&fault_at, at);
    store = open_store();
    id = begin(store);
    for (unsigned batch = 0; batch < 3; batch++) {
        for (unsigned i = 0; i < (batch == 1 ? STORM : 3); i++)
            add(store, init, batch == 1 ? SENSOR_FANOTIFY : SENSOR_AUDIT);
        store_seen(store, 1700000000000000000ull + sent);
        (void)store_flush(store, NULL);
        if (batch == 1) /* while the batch before it may still wait */
            add(store, init, SENSOR_FANOTIFY);
    }
    atomic_store(&fault_at, 0);
    add(store, init, SENSOR_AUDIT);
    (void)store_end_coverage(store, id, 1700000000000000000ull + sent);
    if (store_flush(store, &err) < 0)
        fail_msg("call %ld: %s", at, err.text);
    store_close(store);
    process_unref(init);
}

static void every_call_fails(bool lasts)
{
    long n = 1;

    atomic_store(&lasting, lasts);
    for (;; n++) {
        struct found f;

        assert_int_equal(set_up(NULL), 0);
        record(n);
        f = read_back();
        if (f.events + f.lost != sent || f.coverage != 1)
            fail_msg("call %ld: %u events and %u lost of %u, %u spans", n, f.events, (unsigned)f.lost, sent, f.coverage);
        assert_int_equal(f.lost, 0); /* it all fits into memory */
        assert_int_equal(tear_down(NULL), 0);
        if (!hit)
            break;
    }
    print_message("%ld calls failed, %s\n", n - 1, lasts ? "each with all after it" : "one at a time");
    assert_true(n > 100);
}

static void any_call_fails_once(void **state)
{
    (void)state;
    every_call_fails(false);
}

static void any_call_fails_and_all_after_it(void **state)
{
    (void)state;
    every_call_fails(true);
}

/* Old ones, as rows and as a storm, and new ones. */
static void record_two_ages(void)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    uint64_t before_ns = base_ns;
    struct store *store;

    assert_int_equal(set_up(NULL), 0);
    store = open_store();
    for (unsigned age = 0; age < 2; age++) {
        for (unsigned i = 0; i < 5; i++)
            add(store, init, SENSOR_AUDIT);
        assert_int_equal(store_flush(store, NULL), 0);
        for (unsigned i = 0; i < STORM; i++)
            add(store, init, SENSOR_FANOTIFY);
        assert_int_equal(store_flush(store, NULL), 0);
        base_ns = clock_ns(CLOCK_REALTIME);
    }
    base_ns = before_ns;
    store_close(store);
    process_unref(init);
}

/* `what`: a table, and a WHERE where it is wanted. A storm that was handed over before it was whole, on a slow machine, is rows
 * and a block, or rows alone: their sum is what read_back() counts. */
static uint64_t left(const char *what)
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

/* While it is removed: all of the old ones are found or none, the new ones are, and the next time it comes to its end. */
static void every_call_fails_while_it_is_removed(bool lasts)
{
    const struct store_retention retention = { .age_ns = 24 * 3600 * NS_PER_S };
    struct store_pruned pruned;
    long n = 1;

    atomic_store(&lasting, lasts);
    for (;; n++) {
        struct err err = ERR_INIT;
        struct found f;

        record_two_ages();
        atomic_store(&hit, false);
        atomic_store(&fault_at, n);
        (void)store_prune(path, &retention, false, &pruned, &err);
        atomic_store(&fault_at, 0);
        f = read_back();
        if (f.events != sent && f.events != sent / 2)
            fail_msg("call %ld: %u events of %u", n, f.events, sent);
        for (unsigned i = sent / 2 + 1; i <= sent; i++)
            assert_true(f.seen[i]);
        if (store_prune(path, &retention, false, &pruned, &err) < 0)
            fail_msg("call %ld: %s", n, err.text);
        assert_int_equal(pruned.events_left, sent / 2);
        f = read_back();
        assert_int_equal(f.events, sent / 2);
        assert_int_equal(left("event WHERE time_ns < 1700000001000000000"), 0);
        assert_int_equal(left("block WHERE first_ns < 1700000001000000000"), 0);
        assert_in_range(left("event"), 5, sent / 2);
        assert_int_equal(left("process"), sent / 2 + 1);
        assert_int_equal(left("container"), 1);
        assert_int_equal(tear_down(NULL), 0);
        if (!hit)
            break;
    }
    print_message("%ld calls failed, %s\n", n - 1, lasts ? "each with all after it" : "one at a time");
    assert_true(n > 20);
}

static void any_call_fails_once_while_it_is_removed(void **state)
{
    (void)state;
    every_call_fails_while_it_is_removed(false);
}

static void any_call_fails_and_all_after_it_while_it_is_removed(void **state)
{
    (void)state;
    every_call_fails_while_it_is_removed(true);
}

/* 0, or what failed; nothing of the step that failed is left. */
static int compact(void)
{
    struct compactor *c = NULL;
    sqlite3 *db = NULL;
    uint64_t now = clock_ns(CLOCK_REALTIME);
    int r = db_open(path, false, &db, NULL, NULL);

    if (r == 0)
        r = compactor_new(db, path, &c, NULL);
    for (int more = 1; r == 0 && more == 1;) {
        r = db_exec(db, path, "BEGIN IMMEDIATE", NULL);
        if (r == 0)
            r = more = compactor_step(c, now + NS_PER_S, now + NS_PER_S, NULL);
        r = r < 0 ? r : db_exec(db, path, "COMMIT", NULL);
        if (r < 0)
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    compactor_free(c);
    sqlite3_close(db);
    return r;
}

/* Rows become blocks: all of them are found at any moment, once. */
static void every_call_fails_while_rows_become_blocks(bool lasts)
{
    long n = 1;

    atomic_store(&lasting, lasts);
    for (;; n++) {
        struct process *init = make_process(1, "/sbin/init", NULL);
        struct store *store;
        struct found f;

        assert_int_equal(set_up(NULL), 0);
        store = open_store();
        for (unsigned batch = 0; batch < 3; batch++) {
            for (unsigned i = 0; i < (batch == 1 ? STORM : 20); i++)
                add(store, init, SENSOR_FANOTIFY);
            assert_int_equal(store_flush(store, NULL), 0);
        }
        store_close(store);
        process_unref(init);
        atomic_store(&hit, false);
        atomic_store(&fault_at, n);
        (void)compact();
        atomic_store(&fault_at, 0);
        f = read_back();
        if (f.events != sent)
            fail_msg("call %ld: %u events of %u", n, f.events, sent);
        assert_int_equal(compact(), 0);
        f = read_back();
        assert_int_equal(f.events, sent);
        assert_int_equal(left("event"), 0);
        assert_in_range(left("block"), 1, 4);
        assert_int_equal(tear_down(NULL), 0);
        if (!hit)
            break;
    }
    print_message("%ld calls failed, %s\n", n - 1, lasts ? "each with all after it" : "one at a time");
    assert_true(n > 20);
}

static void any_call_fails_while_rows_become_blocks(void **state)
{
    (void)state;
    every_call_fails_while_rows_become_blocks(false);
    every_call_fails_while_rows_become_blocks(true);
}

static void put_log_back(void)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* The file is looked at once a second: until one is written there again, with a log beside it. */
static void wait_for_generation(struct store *store)
{
    char log[sizeof(path) + 4];
    struct stat st;

    snprintf(log, sizeof(log), "%s-wal", path);
    for (unsigned i = 0; i < 12000 && (stat(path, &st) < 0 || !st.st_size || access(log, F_OK) < 0); i++)
        usleep(5 * 1000);
    store_seen(store, 0); /* what is known is reported again */
    assert_int_equal(store_flush(store, NULL), 0);
}

/* The file goes away, by `command`: what was recorded before is gone with it, what comes then is complete. */
static void take_away(const char *command, bool put_back, unsigned before, unsigned after, unsigned expected)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct store *store = open_store();
    uint64_t id = begin(store);
    struct found f;

    for (unsigned i = 0; i < before; i++)
        add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_flush(store, NULL), 0);
    if (put_back)
        put_log_back();
    assert_int_equal(setenv("STORE", path, 1), 0);
    assert_int_equal(system(command), 0);
    wait_for_generation(store);
    usleep(1100 * 1000); /* it is looked at once more */
    for (unsigned i = 0; i < after; i++)
        add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_end_coverage(store, id, 1800000000000000000ull), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    process_unref(init);
    f = read_back();
    assert_int_equal(f.events, expected);
    assert_int_equal(f.coverage, 1);
}

static void a_file_that_goes_away(void **state)
{
    static const char *const commands[] = {
        "rm -f $STORE",
        "rm -f $STORE*",
        "mv $STORE $STORE.old",
        "truncate -s 0 $STORE",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        assert_int_equal(set_up(NULL), 0);
        take_away(commands[i], true, 100, 80, 80);
        assert_int_equal(tear_down(NULL), 0);
    }
}

/* All of it is in the log yet. */
static void a_file_that_is_truncated_early(void **state)
{
    (void)state;
    assert_int_equal(set_up(NULL), 0);
    take_away("truncate -s 0 $STORE", false, 100, 80, 180);
    assert_int_equal(tear_down(NULL), 0);
}

/* What is moved away is whole. */
static void a_file_that_is_moved(void **state)
{
    struct store_options options = { .path = path, .read_only = true };
    struct store_query all = { .any_victim = true };
    struct store *store;

    (void)state;
    assert_int_equal(set_up(NULL), 0);
    take_away("mv $STORE $STORE.old", false, 100, 80, 80);
    assert_int_equal(system("mv $STORE.old $STORE; rm -f $STORE-wal $STORE-shm"), 0);
    assert_int_equal(store_open(&options, &store, NULL), 0);
    assert_int_equal(store_count_events(store, &all, NULL), 100);
    store_close(store);
    assert_int_equal(tear_down(NULL), 0);
}

/* Of the places that come and go, a new file has the newest: those that are still there. */
static void a_file_with_many_places(void **state)
{
    const unsigned all = 10000;
    struct store *store;
    sqlite3_stmt *s;
    sqlite3 *db;
    uint64_t id;

    (void)state;
    assert_int_equal(set_up(NULL), 0);
    store = open_store();
    id = begin(store);
    for (unsigned i = 1; i <= all; i++) {
        char name[16];
        struct coverage_place p = { .kind = SELECTOR_NAME, .path = bytes_of("/p"), .from_ns = i };

        snprintf(name, sizeof(name), "c%u", i);
        p.container_name = bytes_of(name);
        assert_int_equal(store_add_coverage_place(store, id, &p), 0);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(unlink(path), 0);
    wait_for_generation(store);
    store_close(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*), max(CAST(container_name AS TEXT) = 'c10000') FROM coverage_place", -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_in_range(sqlite3_column_int(s, 0), 1000, 5000);
    assert_int_equal(sqlite3_column_int(s, 1), 1);
    sqlite3_finalize(s);
    sqlite3_close(db);
    assert_int_equal(tear_down(NULL), 0);
}

static int find_end(void *data, const struct coverage *c)
{
    if (!*(uint64_t *)data)
        *(uint64_t *)data = c->to_ns;
    return 0;
}

/* A file that was moved away and comes back while we live: what it holds of us ended when it was left. */
static void a_file_that_comes_back(void **state)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct store_options options = { .path = path, .read_only = true };
    struct store_query all = { .any_victim = true };
    struct store *store, *reader;
    uint64_t end = 0, id;

    (void)state;
    assert_int_equal(set_up(NULL), 0);
    store = open_store();
    id = begin(store);
    add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_flush(store, NULL), 0);
    put_log_back();
    assert_int_equal(setenv("STORE", path, 1), 0);
    assert_int_equal(system("mv $STORE $STORE.old"), 0);
    wait_for_generation(store);
    assert_int_equal(system("rm -f $STORE*-wal $STORE*-shm; mv $STORE.old $STORE"), 0);
    wait_for_generation(store);
    add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(store_open(&options, &reader, NULL), 0);
    assert_int_equal(store_each_coverage(reader, &all, find_end, &end, NULL), 0);
    assert_true(end != 0); /* of the span that began first; the second goes on */
    store_close(reader);
    assert_int_equal(store_end_coverage(store, id, 1800000000000000000ull), 0);
    store_close(store);
    process_unref(init);
    assert_int_equal(tear_down(NULL), 0);
}

/* A directory in its place goes away after `count` events, and one more comes. */
static struct found come_late(unsigned count)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct store *store;
    struct found f;
    uint64_t id;

    assert_int_equal(set_up(NULL), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    store = open_store();
    id = begin(store);
    for (unsigned i = 0; i < count; i++)
        add(store, init, SENSOR_FANOTIFY);
    assert_true(store_flush(store, NULL) < 0);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_end_coverage(store, id, 1800000000000000000ull), 0);
    store_close(store);
    process_unref(init);
    f = read_back();
    assert_int_equal(f.coverage, 1);
    assert_int_equal(tear_down(NULL), 0);
    return f;
}

/* It is tried again, and nothing of what waited is missing. */
static void a_store_that_is_not_there_yet(void **state)
{
    struct found f = come_late(90);

    (void)state;
    assert_int_equal(f.events, 91);
    assert_int_equal(f.lost, 0);
}

/* More than memory holds: what does not fit is a gap of that many, and between those times. */
static void more_than_fits(void **state)
{
    struct found f = come_late(EVENTS_MAX - 1);

    (void)state;
    assert_true(f.lost > 1000);
    assert_int_equal(f.events + f.lost, sent);
    assert_true(f.from_ns > 1700000000000000000ull + 1000);
    assert_int_equal(f.to_ns, 1700000000000000000ull + sent - 1);
    assert_int_equal(f.gaps, 1);
}

/* Who ends does not wait for a disk that hangs; what waits is called missing, and is there if the disk goes on all the same. */
static void a_disk_that_hangs(void **state)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct store_state now;
    struct store *store;
    int before = atomic_load(&open_files);
    struct found f;

    (void)state;
    assert_int_equal(set_up(NULL), 0);
    store = open_store();
    (void)begin(store);
    store_seen(store, clock_ns(CLOCK_REALTIME));
    add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_flush(store, NULL), 0);
    atomic_store(&hangs, true);
    for (unsigned i = 0; i < 10; i++)
        add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_flush(store, NULL), -ETIMEDOUT);
    store_state(store, &now);
    assert_int_equal(now.error, -ETIMEDOUT);
    assert_int_equal(now.missing, 10);
    store_close(store);
    atomic_store(&hangs, false);
    for (unsigned i = 0; atomic_load(&open_files) > before && i < 12000; i++)
        usleep(5 * 1000); /* the abandoned thread ends by itself */
    f = read_back();
    assert_int_equal(f.events, 11);
    process_unref(init);
    assert_int_equal(tear_down(NULL), 0);
}

/* And who only had to wait goes on. */
static void a_disk_that_hung(void **state)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct store_state now;
    struct store *store;
    struct found f;
    uint64_t id;

    (void)state;
    assert_int_equal(set_up(NULL), 0);
    store = open_store();
    id = begin(store);
    atomic_store(&hangs, true);
    add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_flush(store, NULL), -ETIMEDOUT);
    atomic_store(&hangs, false);
    add(store, init, SENSOR_FANOTIFY);
    assert_int_equal(store_end_coverage(store, id, 1800000000000000000ull), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    store_state(store, &now);
    assert_int_equal(now.error, 0);
    assert_int_equal(now.missing, 0);
    store_close(store);
    process_unref(init);
    f = read_back();
    assert_int_equal(f.events, 2);
    assert_int_equal(f.coverage, 1);
    assert_int_equal(tear_down(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_fails_once),
        cmocka_unit_test(any_call_fails_and_all_after_it),
        cmocka_unit_test(any_call_fails_once_while_it_is_removed),
        cmocka_unit_test(any_call_fails_and_all_after_it_while_it_is_removed),
        cmocka_unit_test(any_call_fails_while_rows_become_blocks),
        cmocka_unit_test(a_file_that_goes_away),
        cmocka_unit_test(a_file_that_is_truncated_early),
        cmocka_unit_test(a_file_that_is_moved),
        cmocka_unit_test(a_file_with_many_places),
        cmocka_unit_test(a_file_that_comes_back),
        cmocka_unit_test(a_store_that_is_not_there_yet),
        cmocka_unit_test(more_than_fits),
        cmocka_unit_test(a_disk_that_hangs),
        cmocka_unit_test(a_disk_that_hung),
    };

    use_faulty_vfs();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
