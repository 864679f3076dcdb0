/* SPDX-License-Identifier: MIT */
/* What a killed writer had not stored: whoever opens the store next puts it in, once. */
#include "test.h"
#include "spool_play.h"

#include <fcntl.h>
#include <sys/stat.h>

static const struct row {
    const char *name;
    struct plan plan;
    unsigned events;
} rows[] = {
    { "what waits for the writer", { .stored = 3, .added = 40 }, 43 },
    { "what waits for another observation", { .stored = 3, .expected = 40 }, 43 },
    { "both", { .stored = 3, .expected = 20, .added = 20 }, 43 },
    { "a gap, and a moment of a container", { .stored = 3, .added = 1, .others = true }, 4 },
    { "nothing but what is stored", { .stored = 3 }, 3 },
    { "more than a segment is begun anew for", { .added = 3000 }, 3000 },
};

static void a_killed_one(void **state)
{
    const struct row *row = *state;
    struct found f;

    set_up(NULL);
    kill_writer(&row->plan);
    for (unsigned i = 0; i < 2; i++) {
        f = look();
        assert_int_equal(f.events, row->events);
        assert_int_equal(f.with_actor, row->events);
        assert_int_equal(f.gaps, row->plan.others);
        assert_int_equal(f.lives, row->plan.others);
        assert_int_equal(f.to_ns, SEEN_NS);
        assert_false(has_spool());
    }
    store_close(open_store(false));
    assert_int_equal(look().events, row->events);
    tear_down(NULL);
}

/* Killed before it could say how far it had seen: what it wrote may not be all that there was. */
static void one_that_has_said_nothing(void **state)
{
    struct coverage coverage = { .sensors = SENSOR_FANOTIFY, .from_ns = clock_ns(CLOCK_REALTIME), .watch = bytes_of("/a") };
    int ready[2];
    struct found f;
    pid_t child;
    char c = 0;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    child = fork_child();
    if (child == 0) {
        struct store *store = open_store(false);
        uint64_t id;

        (void)store_begin_coverage(store, &coverage, &id);
        for (uint64_t i = 0; i < 3; i++)
            (void)store_add_event(store, event_of(NULL, i));
        store_seen(store, 0);
        (void)store_flush(store, NULL);
        if (write(ready[1], &c, 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    end_writer(child);
    close(ready[0]);
    close(ready[1]);
    f = look();
    assert_int_equal(f.events, 3);
    assert_int_equal(f.to_ns, coverage.from_ns);
}

/* Who had ended its coverage had written all before. */
static void one_that_had_ended(void **state)
{
    const struct plan plan = { .stored = 3, .added = 2, .end = true };

    (void)state;
    kill_writer(&plan);
    assert_int_equal(look().events, 3);
    assert_false(has_spool());
}

static void one_that_lives(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    sqlite3 *lock;
    pid_t child = begin_writer(&plan, &lock);

    (void)state;
    assert_int_equal(look().events, 3);
    assert_true(has_spool());
    end_writer(child);
    sqlite3_close(lock);
    assert_int_equal(look().events, 8);
}

static void an_orderly_end(void **state)
{
    struct store *store = open_store(false);

    (void)state;
    for (uint64_t i = 0; i < 10; i++) {
        struct event *e = event_of(NULL, i);

        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_keep(store);
    assert_true(has_spool());
    store_close(store);
    assert_false(has_spool());
    assert_int_equal(look().events, 10);
}

/* It is stored as it was changed meanwhile, once. */
static void expected_and_added(void **state)
{
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct store *store = open_store(false);
    struct event *e = event_of(rm, 1);
    uint64_t number;
    struct found f;

    (void)state;
    store_expect_event(store, e, 0);
    number = e->spooled;
    assert_true(number > 0);
    event_make_id(e->time_ns, 77, e->id); /* of another sensor's observation */
    assert_int_equal(store_add_event(store, e), 0);
    assert_int_equal(e->spooled, number);
    store_close(store);
    event_free(e);
    process_unref(rm);
    f = look();
    assert_int_equal(f.events, 1);
}

/* Whoever took it over was killed before it could remove it. */
static void taken_over_twice(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5, .others = true };
    char name[192], copy[192];
    struct found f;

    (void)state;
    kill_writer(&plan);
    assert_true(find_spool(name, sizeof(name)));
    snprintf(copy, sizeof(copy), "%s/copy", dir);
    copy_file(name, copy);
    assert_int_equal(look().events, 8);
    copy_file(copy, name);
    f = look();
    assert_int_equal(f.events, 8);
    assert_int_equal(f.gaps, 1);
    assert_int_equal(f.lives, 1);
    assert_false(has_spool());
}

static void several_at_once(void **state)
{
    const struct plan plan = { .stored = 3, .added = 500, .others = true };
    pid_t children[6];
    struct found f;

    (void)state;
    kill_writer(&plan);
    for (unsigned i = 0; i < ARRAY_SIZE(children); i++) {
        children[i] = fork_child();
        if (children[i] == 0) {
            store_close(open_store(i % 2));
            _exit(0);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(children); i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    f = look();
    assert_int_equal(f.events, 503);
    assert_int_equal(f.gaps, 1);
    assert_int_equal(f.lives, 1);
}

/* A store that cannot be written now: the question is answered, and the spool waits. */
static void a_locked_store(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    sqlite3 *lock;

    (void)state;
    end_writer(begin_writer(&plan, &lock));
    assert_int_equal(look().events, 3);
    assert_true(has_spool());
    sqlite3_close(lock);
    assert_int_equal(look().events, 8);
}

static void make_older(time_t seconds)
{
    const struct timespec times[] = { { time(NULL) - seconds, 0 }, { time(NULL) - seconds, 0 } };
    char name[192];

    assert_true(find_spool(name, sizeof(name)));
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* Another file at the same place, as after a move: what was on its way to the old one stays for the old one. */
static void another_store(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    char old[128], now[128];

    (void)state;
    kill_writer(&plan);
    snprintf(old, sizeof(old), "%s/old.db", dir);
    assert_int_equal(rename(path, old), 0);
    store_close(open_store(false));
    assert_int_equal(look().events, 0);
    assert_true(has_spool());
    make_older(23 * 60 * 60);
    assert_int_equal(look().events, 0);
    assert_true(has_spool());
    snprintf(now, sizeof(now), "%s", path);
    snprintf(path, sizeof(path), "%s/old.db", dir);
    assert_int_equal(look().events, 8);
    snprintf(path, sizeof(path), "%.90s", now);
}

/* One whose store is gone does not stay for ever; a living writer's does. */
static void an_old_one(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    sqlite3 *lock;
    pid_t child = begin_writer(&plan, &lock);

    (void)state;
    sqlite3_close(lock);
    assert_int_equal(unlink(path), 0);
    store_close(open_store(false));
    make_older(25 * 60 * 60);
    assert_int_equal(look().events, 0);
    assert_true(has_spool());
    end_writer(child);
    make_older(25 * 60 * 60); /* it may have written meanwhile */
    assert_int_equal(look().events, 0);
    assert_false(has_spool());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_has_said_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_had_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_lives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_orderly_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expected_and_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(taken_over_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_locked_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_one, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(rows, a_killed_one);
}
