/* SPDX-License-Identifier: MIT */
/* SQLite's calls to the system fail one after the other. Whatever was written has its actor and its victim, nothing is there twice, and what
 * is not there is a gap. */
#include "test.h"
#include "faulty_store.h"

#include "store/compact.h"
#include "store/maintain.h"
#include "util/clock.h"

/* ---- what is recorded ---- */

#define STORM 70 /* so many at a time become a block */

/* The ordinary build has every call fail; with sanitizers, which take five times as long, each third. */
#ifdef __SANITIZE_ADDRESS__
#define STEP 3
#else
#define STEP 1
#endif

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
    for (;; n += STEP) {
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
    print_message("%ld calls failed, %s\n", (n - 1) / STEP, lasts ? "each with all after it" : "one at a time");
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

/* While it is removed: all of the old ones are found or none, the new ones are, and the next time it comes to its end. */
static void every_call_fails_while_it_is_removed(bool lasts)
{
    const struct store_retention retention = { .age_ns = 24 * 3600 * NS_PER_S };
    struct store_pruned pruned;
    long n = 1;

    atomic_store(&lasting, lasts);
    for (;; n += STEP) {
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
    print_message("%ld calls failed, %s\n", (n - 1) / STEP, lasts ? "each with all after it" : "one at a time");
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
    for (;; n += STEP) {
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
    print_message("%ld calls failed, %s\n", (n - 1) / STEP, lasts ? "each with all after it" : "one at a time");
    assert_true(n > 20);
}

static void any_call_fails_while_rows_become_blocks(void **state)
{
    (void)state;
    every_call_fails_while_rows_become_blocks(false);
    every_call_fails_while_rows_become_blocks(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_fails_once),
        cmocka_unit_test(any_call_fails_and_all_after_it),
        cmocka_unit_test(any_call_fails_once_while_it_is_removed),
        cmocka_unit_test(any_call_fails_and_all_after_it_while_it_is_removed),
        cmocka_unit_test(any_call_fails_while_rows_become_blocks),
    };
    int failed;

    use_faulty_vfs();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
