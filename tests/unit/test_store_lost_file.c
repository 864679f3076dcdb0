/* SPDX-License-Identifier: MIT */
/* The store's file goes away, is moved, comes back, cannot be written: nothing is lost without a gap. */
#include "test.h"
#include "faulty_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/clock.h"

/* All of it, also where the store's own thread is at that just then. */
static void put_log_back(void)
{
    int pages = -1, back = 0, r = SQLITE_BUSY;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM gap", NULL, NULL, NULL), SQLITE_OK); /* so that it has the log */
    for (unsigned i = 0; i < 12000 && !(r == SQLITE_OK && pages >= 0 && pages == back); i++) {
        if (i)
            usleep(5 * 1000);
        r = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &back);
    }
    assert_int_equal(pages, back);
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
    int failed;

    use_faulty_vfs();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
