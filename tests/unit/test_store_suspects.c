/* SPDX-License-Identifier: MIT */
/* Suspects and events whose numbers are the same by chance, or by somebody's will. */
#include "test.h"
#include "store_play.h"

/* ---- hashes that are the same ---- */

/* The events of two suspects whose numbers are one, in turn. */
static void add_two_suspects(struct store *store, struct process *p, unsigned count, unsigned sensors)
{
    for (unsigned i = 0; i < count; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/w/f", p, NULL, 5 + i);

        set_id(e, i + 1);
        e->sensors = sensors;
        e->suspect = (struct fingerprint){ 7, i % 2 };
        add(store, e);
    }
}

static int count_group(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned sample_count)
{
    struct { unsigned groups; uint64_t each; } *found = data;

    found->groups++;
    assert_int_equal(rollup->count, found->each);
    for (unsigned i = 1; i < sample_count; i++) /* none of the other one's among them */
        assert_int_equal((samples[i]->time_ns - samples[0]->time_ns) % 2, 0);
    return 0;
}

static void two_suspects_are_asked_for(struct store *store, uint64_t each)
{
    struct store_query below = { .path = bytes_of("/w") }, itself = { .path = bytes_of("/w/f") },
                       since = { .path = bytes_of("/w"), .since_ns = 4, .until_ns = 100000 };
    const struct store_query *queries[] = { &below, &itself, &since };
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        struct { unsigned groups; uint64_t each; } found = { 0, each };

        assert_int_equal(store_each_rollup(store, queries[i], 8, count_group, &found, &err), 0);
        assert_int_equal(found.groups, 2);
    }
}

static void two_suspects_of_one_number(unsigned count, unsigned sensors)
{
    struct process *p = make_process(2, "/bin/a", NULL);
    struct store *store = open_store(false);
    struct err err = ERR_INIT;

    add_two_suspects(store, p, count, sensors);
    assert_int_equal(store_flush(store, &err), 0);
    two_suspects_are_asked_for(store, count / 2);
    store_close(store);
    process_unref(p);
}

static void suspects_of_one_number_as_rows(void **state)
{
    (void)state;
    two_suspects_of_one_number(8, SENSOR_AUDIT);
    assert_int_equal(sql_number("SELECT count(*) FROM block"), 0);
}

static void suspects_of_one_number_in_a_block(void **state)
{
    (void)state;
    two_suspects_of_one_number(200, SENSOR_BPF);
    assert_true(sql_number("SELECT count(*) FROM block") > 0);
}

/* Those of a store of before cannot be distinguished any more; those that are added are. */
static void a_store_without_suspects_rest(void **state)
{
    struct process *p = make_process(2, "/bin/a", NULL);
    struct store_query all = { .path = bytes_of("/w") };
    uint64_t counts[OPERATION_COUNT] = { 0 };
    struct store *store = open_store(false);
    struct err err = ERR_INIT;

    (void)state;
    add_two_suspects(store, p, 4, SENSOR_AUDIT);
    store_close(store);
    sql("ALTER TABLE event DROP COLUMN suspect_rest", NULL, 0);
    sql("CREATE TABLE r (directory INTEGER, place INTEGER, other INTEGER, suspect INTEGER, operation INTEGER, "
        "error INTEGER, victim INTEGER, victim_kind INTEGER, count INTEGER, first_ns INTEGER, last_ns INTEGER, "
        "first_event INTEGER, PRIMARY KEY (directory, place, other, suspect, operation, error, victim, victim_kind)) "
        "WITHOUT ROWID", NULL, 0);
    sql("INSERT INTO r SELECT directory, place, other, suspect, operation, error, victim, victim_kind, sum(count), "
        "min(first_ns), max(last_ns), min(first_event) FROM rollup GROUP BY 1, 2, 3, 4, 5, 6, 7, 8", NULL, 0);
    sql("DROP TABLE rollup", NULL, 0);
    sql("ALTER TABLE r RENAME TO rollup", NULL, 0);
    sql("CREATE INDEX rollup_victim ON rollup (victim, directory)", NULL, 0);
    sql("PRAGMA user_version = 11", NULL, 0);
    store = open_store(true);
    assert_int_equal(store_each_rollup(store, &all, 8, count_rollup, counts, &err), 0);
    assert_int_equal(counts[OPERATION_UNLINK], 4);
    store_close(store);
    store = open_store(false);
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/w/f", p, NULL, 50 + i);

        set_id(e, 50 + i);
        e->suspect = (struct fingerprint){ 7, 1 + i };
        add(store, e);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_each_rollup(store, &all, 8, count_rollup, counts, &err), 0);
    assert_int_equal(counts[OPERATION_UNLINK], 4 + 6);
    store_close(store);
    assert_int_equal(sql_number("SELECT count(*) FROM rollup"), 3);
    process_unref(p);
}

/* An id is a time and a hash. What is reported twice is one event all the same. */
static void events_of_one_id(void **state)
{
    struct process *a = make_process(2, "/bin/a", NULL), *b = make_process(3, "/bin/b", NULL);
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true };
    struct err err = ERR_INIT;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct event *e = make_event(i % 3 == 2 ? OPERATION_WRITE : OPERATION_UNLINK, "/w/f", i % 3 ? b : a, NULL, 5);

        e->sensors = SENSOR_AUDIT_LOG;
        set_id(e, 1);
        add(store, e);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_count_events(store, &all, &err), 3);
    store_close(store);
    assert_int_equal(sql_number("SELECT count(DISTINCT id) FROM event"), 3);
    assert_int_equal(sql_number("SELECT sum(count) FROM rollup"), 3);
    process_unref(a);
    process_unref(b);
}

/* The same of two sensors, which call it differently. */
static void an_event_of_two_sensors(void **state)
{
    struct process *a = make_process(2, "/bin/a", NULL);
    struct store *store = open_store(false);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(i ? OPERATION_WRITE : OPERATION_OPEN_WRITE, "/w/f", a, NULL, 5);

        e->sensors = i ? SENSOR_AUDIT : SENSOR_AUDIT_LOG;
        set_id(e, 1);
        add(store, e);
    }
    store_close(store);
    assert_int_equal(sql_number("SELECT count(*) FROM event"), 1);
    process_unref(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_store_without_suspects_rest),
        TEST(suspects_of_one_number_as_rows),
        TEST(suspects_of_one_number_in_a_block),
        TEST(events_of_one_id),
        TEST(an_event_of_two_sensors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
