/* SPDX-License-Identifier: MIT */
/*
 * kill -9 at each step of bringing an older store to this version, and of making it smaller: before each call by which SQLite changes a file, and within it.
 * Whoever opens the store next finds all of it.
 */
#include "test.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "make.h"
#include "store/compact.h"
#include "store/query.h"
#include "util/macro.h"

#define ROWS 20
#define STORM 200 /* so many at a time become a block */
#define STEPS_MAX 5000

static char dir[64], path[96], old[96];
static unsigned sent;

/* ---- SQLite's calls to the system ---- */

static unsigned long kill_at; /* counts down; 0: not here */
static bool within;

static bool is_the_end(void)
{
    return kill_at && --kill_at == 0;
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    pause();
}

static ssize_t pwrite_or_die(int fd, const void *data, size_t len, off_t at)
{
    if (is_the_end()) {
        if (within && len > 1)
            (void)!pwrite(fd, data, len / 2, at);
        die();
    }
    return pwrite(fd, data, len, at);
}

static int ftruncate_or_die(int fd, off_t size)
{
    if (is_the_end())
        die();
    return ftruncate(fd, size);
}

static int unlink_or_die(const char *name)
{
    if (is_the_end())
        die();
    return unlink(name);
}

static void replace(const char *name, sqlite3_syscall_ptr call)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    assert_int_equal(vfs->xSetSystemCall(vfs, name, call), SQLITE_OK);
}

/* ---- the store of before ---- */

static void sql(const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

static void run(const char *format, const char *a, const char *b)
{
    char command[300];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(command, sizeof(command), format, a, b);
#pragma GCC diagnostic pop
    assert_int_equal(system(command), 0);
}

static void add(struct store *store, struct process *actor, unsigned sensors)
{
    uint64_t id = ++sent;
    char name[32];
    struct event *e;

    snprintf(name, sizeof(name), "/d%u/f%u", sent % 7, sent);
    e = make_event(OPERATION_UNLINK, name, actor, NULL, 1700000000000000000ull + sent);
    e->sensors = sensors;
    memcpy(e->id, &id, sizeof(id));
    assert_int_equal(store_add_event(store, e), 0);
    event_free(e);
}

static struct store *open_store(void)
{
    struct store_options options = { .path = path };
    struct store *store = NULL;
    struct err err = ERR_INIT;

    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

/* As a culprit of before the suspects' rest, the spool and retention left it. */
static void make_old(void)
{
    struct process *actor = make_process(2, "/bin/rm", make_process(1, "/sbin/init", NULL));
    struct store *store = open_store();

    for (unsigned i = 0; i < ROWS; i++)
        add(store, actor, SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    for (unsigned i = 0; i < STORM; i++)
        add(store, actor, SENSOR_FANOTIFY);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    process_unref(actor);
    sql("ALTER TABLE event DROP COLUMN suspect_rest;"
        "CREATE TABLE r (directory INTEGER, place INTEGER, other INTEGER, suspect INTEGER, operation INTEGER, "
        "error INTEGER, victim INTEGER, victim_kind INTEGER, count INTEGER, first_ns INTEGER, last_ns INTEGER, "
        "first_event INTEGER, PRIMARY KEY (directory, place, other, suspect, operation, error, victim, victim_kind)) "
        "WITHOUT ROWID;"
        "INSERT INTO r SELECT directory, place, other, suspect, operation, error, victim, victim_kind, sum(count), "
        "min(first_ns), max(last_ns), min(first_event) FROM rollup GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;"
        "DROP TABLE rollup; ALTER TABLE r RENAME TO rollup; CREATE INDEX rollup_victim ON rollup (victim, directory);"
        "DROP TABLE watch; ALTER TABLE process DROP COLUMN input; ALTER TABLE coverage DROP COLUMN stored_events;"
        "ALTER TABLE coverage DROP COLUMN stored_others; "
        "ALTER TABLE coverage DROP COLUMN beat_ns; PRAGMA user_version = 11; PRAGMA wal_checkpoint(TRUNCATE)");
    run("cp %s %s", path, old);
}

/* ---- what is there afterwards ---- */

static int on_event(void *data, struct event *e)
{
    assert_non_null(e->actor.process);
    assert_true(bytes_equal_str(e->actor.process->executable, "/bin/rm"));
    ++*(unsigned *)data;
    event_free(e);
    return 0;
}

static int on_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    (void)samples;
    (void)count;
    *(uint64_t *)data += rollup->count;
    return 0;
}

static void check_all(void)
{
    struct store_query all = { .any_victim = true };
    struct store *store = open_store();
    struct err err = ERR_INIT;
    uint64_t counted = 0;
    unsigned events = 0;

    if (store_each_event(store, &all, on_event, &events, &err) < 0 || store_each_rollup(store, &all, 1, on_rollup, &counted, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(events, sent);
    assert_int_equal(counted, sent);
    store_close(store);
}

static bool migrate(void)
{
    struct store_options options = { .path = path };
    struct store *store = NULL;

    if (store_open(&options, &store, NULL) < 0)
        return false;
    store_close(store);
    return true;
}

static bool compact(void)
{
    struct compactor *c = NULL;
    sqlite3 *db = NULL;
    int r = db_open(path, false, &db, NULL, NULL);

    if (r == 0)
        r = compactor_new(db, path, &c, NULL);
    for (int more = 1; r == 0 && more == 1;) {
        more = compactor_run(c, 1700000000000000000ull + 24 * 3600 * NS_PER_S, 0, NULL);
        r = MIN(more, 0);
    }
    compactor_free(c);
    sqlite3_close(db);
    return r == 0;
}

/* False: it came to its end. */
static bool work_and_die(bool (*work)(void), unsigned long at)
{
    int status;
    pid_t pid = fork_child();

    if (pid == 0) {
        kill_at = at;
        if (!work())
            _exit(1);
        _exit(kill_at ? 0 : 2);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGKILL);
    return WIFSIGNALED(status);
}

/* Whatever was done of it, what was made before is all there, and is counted. */
static void is_killed_at_each_step(bool (*work)(void))
{
    unsigned long steps = 0;
    bool died = true;

    for (unsigned long at = 1; died; at++) {
        assert_true(at < STEPS_MAX);
        run("rm -f %s %s-*", path, path);
        run("cp %s %s", old, path);
        within = at % 2; /* and the next one before it */
        died = work_and_die(work, (at + 1) / 2);
        check_all();
        steps = at;
    }
    assert_true(steps > 20); /* it was killed within what it did */
}

static void killed_while_it_migrates(void **state)
{
    (void)state;
    make_old();
    is_killed_at_each_step(migrate);
}

/* Rows become blocks, counted hours days, and each of them is gone where it was in the same moment. */
static void killed_while_it_compacts(void **state)
{
    (void)state;
    make_old();
    assert_true(migrate());
    sql("UPDATE rollup SET hour = first_ns / 3600000000000"); /* or they stay as they were counted */
    sql("PRAGMA wal_checkpoint(TRUNCATE)");
    run("cp %s %s", path, old);
    is_killed_at_each_step(compact);
    assert_true(compact());
    sql("CREATE TABLE counted AS SELECT count(*) AS n FROM daily WHERE (SELECT count(*) FROM rollup) = 0");
    sql("CREATE TABLE none (n INTEGER CHECK (n > 0)); INSERT INTO none SELECT n FROM counted; DROP TABLE none; DROP TABLE counted");
}

static int set_up(void **state)
{
    (void)state;
    sent = 0;
    snprintf(dir, sizeof(dir), "%s/culprit-crash.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    snprintf(old, sizeof(old), "%s/old.db", dir);
    replace("pwrite", (sqlite3_syscall_ptr)pwrite_or_die);
    replace("pwrite64", (sqlite3_syscall_ptr)pwrite_or_die);
    replace("ftruncate", (sqlite3_syscall_ptr)ftruncate_or_die);
    replace("unlink", (sqlite3_syscall_ptr)unlink_or_die);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    run("rm -rf %s%s", dir, "");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_while_it_migrates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_while_it_compacts, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
