/* SPDX-License-Identifier: MIT */
/* What can go wrong with a store: killed writers, two of them, others' files, damage, a full disk. */
#include "test.h"
#include "store_play.h"
#include "fill.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite.h"

static int open_error(bool read_only, struct err *err)
{
    struct store_options options = { .path = path, .read_only = read_only };
    struct store *store = NULL;
    int r = store_open(&options, &store, err);

    if (r == 0)
        store_close(store);
    return r;
}

static uint64_t missing(struct store *store)
{
    struct store_state state;

    store_state(store, &state);
    return state.missing;
}

/* ---- what can go wrong ---- */

static void it_is_private(void **state)
{
    struct stat st;
    char parent[96];

    (void)state;
    store_close(open_store(false));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(parent, sizeof(parent), "%s/store", dir);
    assert_int_equal(stat(parent, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_killed_writer_leaves_a_readable_store(void **state)
{
    pid_t child;
    struct store *store;

    (void)state;
    store_close(open_store(false));
    child = fork_child();
    if (child == 0) {
        store = open_store(false);
        for (uint64_t i = 1;; i++) {
            struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

            set_id(e, i);
            (void)store_add_event(store, e);
            event_free(e);
            if (i == 2000)
                (void)store_flush(store, NULL);
            if (i == 2000)
                kill(getpid(), SIGKILL);
        }
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    store = open_store(true);
    assert_int_equal(ask(store, NULL, "/a"), 2000);
    store_close(store);
    store = open_store(false);
    store_close(store);
}

static void two_writers(void **state)
{
    struct store *one = open_store(false), *two = open_store(false);

    (void)state;
    for (uint64_t i = 1; i <= 400; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

        set_id(e, i);
        add(i % 2 ? one : two, e);
        if (i % 100 == 0) {
            assert_int_equal(store_flush(one, NULL), 0);
            assert_int_equal(store_flush(two, NULL), 0);
        }
    }
    assert_int_equal(store_flush(one, NULL), 0);
    assert_int_equal(store_flush(two, NULL), 0);
    assert_int_equal(ask(one, NULL, "/a"), 400);
    assert_int_equal(missing(one) + missing(two), 0);
    store_close(one);
    store_close(two);
}

static int no_row(void *data, const struct store_imported *row)
{
    (void)data;
    (void)row;
    return 0;
}

/* The writer's thread and who asks must not meet in one connection. */
static void asked_while_it_writes(void **state)
{
    struct store *store = open_store(false);
    struct store_summary summary = { 0 };
    uint64_t before = 0;

    (void)state;
    for (uint64_t i = 1; i <= 12000; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

        set_id(e, i);
        add(store, e);
        if (i % 50)
            continue;
        assert_int_equal(store_each_imported(store, no_row, NULL, NULL), 0);
        assert_int_equal(store_summarise(store, &summary, NULL), 0);
        assert_true(summary.events >= before && summary.events <= i);
        before = summary.events;
    }
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(store_summarise(store, &summary, NULL), 0);
    assert_int_equal(summary.events, 12000);
    store_close(store);
}

static void write_file(const char *name, const void *data, size_t len)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static void a_store_that_is_none(void **state)
{
    struct err err = ERR_INIT;
    char link_name[128];
    sqlite3 *db;

    (void)state;
    assert_int_equal(open_error(true, &err), -ENOENT);
    store_close(open_store(false));

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(open_error(true, &err), -EPROTO);
    assert_int_equal(open_error(false, &err), -EPROTO);
    assert_non_null(strstr(err.text, "newer culprit"));

    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE mine (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(open_error(false, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "another program's"));

    write_file(path, "this is a letter to my mother, and no database at all, whatever you do", 64);
    assert_int_equal(open_error(false, &err), -EBADMSG);
    assert_int_equal(open_error(true, &err), -EBADMSG);

    unlink(path);
    snprintf(link_name, sizeof(link_name), "%s/target", dir);
    write_file(link_name, "", 0);
    assert_int_equal(symlink(link_name, path), 0);
    assert_int_equal(open_error(false, &err), -ELOOP);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(open_error(false, &err) < 0);
}

/* In place of a table something that is run when it is asked, and has no end. */
static void a_view_is_not_asked(void **state)
{
    struct err err = ERR_INIT;
    sqlite3_stmt *statement;
    sqlite3 *db;

    (void)state;
    store_close(open_store(false));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_exec(db, "CREATE VIEW endless AS WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c) SELECT x FROM c", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(db_open(path, true, &db, NULL, &err), 0);
    assert_int_equal(db_prepare(db, path, "SELECT x FROM endless", &statement, &err), -EBADMSG);
    sqlite3_finalize(statement);
    assert_non_null(strstr(err.text, "not a culprit store"));
    sqlite3_close(db);
}

/* A store that somebody else may write says what he likes. */
static void a_store_of_somebody_else(void **state)
{
    static const char *const beside[] = { "", "-wal", "-shm" };
    struct err err = ERR_INIT;
    char name[128];

    (void)state;
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        store_close(open_store(false));
        snprintf(name, sizeof(name), "%s%s", path, beside[i]);
        if (i)
            write_file(name, "", 0);
        assert_int_equal(chmod(name, 0620), 0);
        assert_int_equal(open_error(true, &err), -EPERM);
        assert_int_equal(open_error(false, &err), -EPERM);
        assert_non_null(strstr(err.text, "chmod go-w"));
        assert_int_equal(chmod(name, 0600), 0);
        if (geteuid() == 0) {
            assert_int_equal(chown(name, 4242, 4242), 0);
            assert_int_equal(open_error(true, &err), -EPERM);
            assert_int_equal(open_error(false, &err), -EPERM);
            assert_non_null(strstr(err.text, "user 4242"));
            assert_int_equal(chown(name, 0, 0), 0);
        }
        assert_int_equal(open_error(false, &err), 0);
    }
}

static bool is_locked(void)
{
    pid_t child = fork_child(); /* a process's own locks do not show to itself */
    int status;

    if (child == 0) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510 };
        int fd = open(path, O_RDWR); /* SQLite's shared lock lies there, for as long as a log is used */

        _exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Without its lock somebody else who closes the store takes the log away from below the writer. */
static void its_locks_stay(void **state)
{
    struct store *store = open_store(false);

    (void)state;
    assert_true(is_locked());
    store_close(open_store(true));
    assert_true(is_locked());
    store_close(open_store(false));
    assert_true(is_locked());
    store_close(store);
    assert_false(is_locked());
}

static int ignore_event(void *data, struct event *e)
{
    (void)data;
    event_free(e);
    return 0;
}

static int ignore_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples,
                         unsigned sample_count)
{
    (void)data;
    (void)rollup;
    (void)samples;
    (void)sample_count;
    return 0;
}

/* Bytes of the file exchanged: answers may be wrong or an error, but nothing may crash or hang. */
static void a_damaged_store(void **state)
{
    struct store_query all = { .any_victim = true };
    struct process *p = make_process(2, "/bin/a", make_process(1, "/sbin/init", NULL));
    struct store *store = open_store(false);
    static char original[1 << 20], damaged[1 << 20];
    unsigned seed = 7;
    ssize_t size;
    int fd;

    (void)state;
    for (uint64_t i = 1; i <= 50; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", p, NULL, i);

        set_id(e, i);
        add(store, e);
    }
    store_close(store);
    process_unref(p);
    fd = open(path, O_RDONLY);
    size = read(fd, original, sizeof(original));
    close(fd);
    assert_true(size > 4096);
    for (int round = 0; round < 150; round++) {
        struct store_options options = { .path = path, .read_only = true };
        struct err err = ERR_INIT;

        memcpy(damaged, original, (size_t)size);
        for (int i = 0; i < 20; i++) {
            seed = seed * 1103515245 + 12345;
            damaged[100 + (seed >> 4) % (unsigned)(size - 100)] = (char)(seed >> 24);
        }
        write_file(path, damaged, (size_t)size);
        if (store_open(&options, &store, &err) < 0)
            continue;
        (void)store_each_event(store, &all, ignore_event, NULL, &err);
        (void)store_each_rollup(store, &all, 64, ignore_rollup, NULL, &err);
        store_close(store);
    }
}

/* A chain that ends in itself, or in nobody, is not reported in part: who launched it would be somebody else. */
static void a_damaged_lineage(void **state)
{
    static const char *const damages[] = {
        "UPDATE process SET parent = row",
        "UPDATE process SET parent = row + 1",
        "UPDATE process SET parent = (SELECT max(row) FROM process)",
        "UPDATE process SET parent = -1",
        "UPDATE process SET earlier = row",
        "UPDATE process SET earlier = 4711",
        "DELETE FROM process",
        "DELETE FROM container",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(7, "/bin/rm", init);
        struct container *c = make_container("0123", "web");
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", p, c, 5);
        struct store_query all = { .any_victim = true };
        struct store *store = open_store(false);
        struct err err = ERR_INIT;

        add(store, e);
        store_close(store);
        process_unref(p);
        container_unref(c);
        sql(damages[i], NULL, 0);
        store = open_store(true);
        assert_int_equal(store_each_event(store, &all, ignore_event, NULL, &err), -EBADMSG);
        assert_non_null(strstr(err.text, "damaged"));
        assert_int_equal(store_each_rollup(store, &all, 3, ignore_rollup, NULL, &err), -EBADMSG);
        store_close(store);
        assert_int_equal(unlink(path), 0);
    }
}

/* What could not be written is kept, and written when there is room again. */
static void a_full_disk(void **state)
{
    struct rlimit limit = { 256 * 1024, RLIM_INFINITY };
    pid_t child;
    int status;

    (void)state;
    child = fork_child();
    if (child == 0) {
        struct store *store = open_store(false);
        struct err err = ERR_INIT;
        int r;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        for (uint64_t i = 1; i <= 20000; i++) {
            struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

            set_id(e, i);
            (void)store_add_event(store, e);
            event_free(e);
        }
        r = store_flush(store, &err);
        if (r == 0 || !err.text[0] || missing(store) == 0 || missing(store) > 20000)
            _exit(1);
        limit.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &limit);
        if (store_flush(store, NULL) < 0 || missing(store) || ask(store, NULL, "/a") != 20000)
            _exit(2);
        store_close(store);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void add_one(struct store *store, struct process *actor, struct container *victim, uint64_t time_ns)
{
    struct event *e = make_event(OPERATION_UNLINK, "/a/f", actor, victim, time_ns);

    set_id(e, time_ns);
    add(store, e);
}

/* Processes that nobody else knows any more are of the past: however many have been, few are held. */
static void the_past_is_not_held(void **state)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct container *web = make_container("aaaa", "web");
    struct store *store = open_store(false);

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct process *p = make_process(2 + (pid_t)i, "/bin/rm", process_ref(init));

        p->container = container_ref(web);
        add_one(store, p, web, 1 + i);
        process_unref(p);
        if (i == 10000) { /* one that is still there is sent once */
            struct process *living = make_process(50000, "/bin/sh", process_ref(init));

            for (unsigned k = 0; k < 5000; k++)
                add_one(store, living, NULL, 100000 + k);
            process_unref(living);
        }
    }
    /* each of them holds both */
    assert_true(init->refs < 1200);
    assert_true(web->refs < 1200);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    assert_int_equal(init->refs, 1);
    process_unref(init);
    container_unref(web);
    store = open_store(true);
    assert_int_equal(ask(store, "web", "/a"), 20000);
    assert_int_equal(ask(store, NULL, "/a"), 5000);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_private),
        TEST(a_killed_writer_leaves_a_readable_store),
        TEST(two_writers),
        TEST(asked_while_it_writes),
        TEST(a_store_that_is_none),
        TEST(a_view_is_not_asked),
        TEST(a_store_of_somebody_else),
        TEST(its_locks_stay),
        TEST(a_damaged_store),
        TEST(a_damaged_lineage),
        TEST(a_full_disk),
        TEST(the_past_is_not_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
