/* SPDX-License-Identifier: MIT */
/* Rows that become blocks: the same answers, byte for byte, in a tenth of the space. */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/ecs.h"
#include "fill.h"
#include "make.h"
#include "store/compact.h"
#include "store/query.h"
#include "util/clock.h"

#define START 1700000000000000000ull

static char dir[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/culprit-store.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static int64_t number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    n = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return n;
}

static struct store *open_store(bool read_only)
{
    struct store_options options = { .path = path, .read_only = read_only };
    struct store *store = NULL;
    struct err err = ERR_INIT;

    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

static uint32_t random_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Events of all kinds, one by one and in storms, of some processes; a tenth of them a log could bring again. */
static void record_many(unsigned count)
{
    struct store *store = open_store(false);
    struct process *init = make_process(1, "/sbin/init", NULL), *processes[7];
    struct container *web = make_container("0123456789abcdef", "web");
    uint32_t seed = 7;

    init->booted_ns = START - 1000 * NS_PER_S; /* or it is reckoned from now */
    for (unsigned i = 0; i < 7; i++) {
        processes[i] = make_process(100 + (pid_t)i, "/bin/p", process_ref(init));
        processes[i]->booted_ns = init->booted_ns;
    }
    for (unsigned i = 0; i < count; i++) {
        enum operation operation = (enum operation)(1 + random_number(&seed) % (OPERATION_COUNT - 1));
        struct process *p = processes[random_number(&seed) % 7];
        char name[64];
        struct event *e;
        uint64_t id[2] = { i, i * 7919ull };

        snprintf(name, sizeof(name), "/data/%u/f%u", random_number(&seed) % 9, random_number(&seed) % 200);
        e = make_event(operation, name, p, random_number(&seed) % 3 ? NULL : web, START + i);
        if (random_number(&seed) % 4 == 0) {
            fill_fields(event_fields, &e->arena, e, random_number(&seed) % 5000);
            e->operation = operation;
            e->victim_kind = e->victim ? VICTIM_CONTAINER : VICTIM_HOST;
            e->error = i % 11 ? 0 : EPERM;
        }
        e->time_ns = START + i + random_number(&seed) % 5;
        e->sensors = random_number(&seed) % 10 || i % 2000 >= 1000 ? SENSOR_FANOTIFY : SENSOR_AUDIT; /* or a storm */
        memcpy(e->id, id, sizeof(id));
        if (operation == OPERATION_RENAME)
            event_set(e, &e->previous_path, bytes_of("/data/old/name"));
        if (e->victim)
            event_set(e, &e->host_path, bytes_of("/var/lib/docker/x/f"));
        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
        if (random_number(&seed) % 8 == 0 && i % 2000 < 1000) /* then there are too few at a time for a block */
            assert_int_equal(store_flush(store, NULL), 0);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    for (unsigned i = 0; i < 7; i++)
        process_unref(processes[i]);
    process_unref(init);
    container_unref(web);
}

static int write_json(void *data, struct event *e)
{
    struct ecs_host host = { .id = bytes_of("host") };

    ecs_write_event(data, e, &host);
    event_free(e);
    return 0;
}

static int write_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    struct ecs_host host = { .id = bytes_of("host") };

    sbuf_addf(data, "%llu %llu %llu %u\n", (unsigned long long)rollup->count, (unsigned long long)rollup->first_ns,
              (unsigned long long)rollup->last_ns, count);
    for (unsigned i = 0; i < count; i++)
        ecs_write_event(data, samples[i], &host);
    return 0;
}

/* Everything that may be asked. */
static struct sbuf answers(void)
{
    static const char *const paths[] = { NULL, "/data", "/data/3", "/data/3/f17", "/var/lib/docker" };
    struct store *store = open_store(true);
    struct sbuf out = SBUF_INIT;

    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        for (unsigned k = 0; k < 5; k++) {
            struct store_query q = { .path = paths[i] ? bytes_of(paths[i]) : BYTES_NULL, .any_victim = k < 3,
                                     .container = k == 4 ? bytes_of("web") : BYTES_NULL,
                                     .since_ns = k % 3 == 1 ? START + 1500 : 0, .until_ns = k % 3 == 1 ? START + 2500 : 0,
                                     .operations = k == 2 ? 1ull << OPERATION_UNLINK : 0 };
            struct err err = ERR_INIT;

            sbuf_addf(&out, "%u %u: %llu\n", i, k, (unsigned long long)store_count_events(store, &q, &err));
            if ((k == 0 && i < 4) || (k == 1 && i == 1))
                assert_int_equal(store_each_event(store, &q, write_json, &out, &err), 0);
            assert_int_equal(store_each_rollup(store, &q, 3, write_rollup, &out, &err), 0);
            assert_int_equal(store_each_above(store, &q, write_json, &out, &err), 0);
        }
    store_close(store);
    return out;
}

static unsigned compact(uint64_t before_ns)
{
    struct compactor *c;
    struct err err = ERR_INIT;
    unsigned steps = 0;
    sqlite3 *db;
    int r = 1;

    assert_int_equal(db_open(path, false, &db, NULL, &err), 0);
    assert_int_equal(compactor_new(db, path, &c, &err), 0);
    while (r == 1) {
        assert_int_equal(db_exec(db, path, "BEGIN", &err), 0);
        r = compactor_step(c, before_ns, before_ns, &err);
        assert_int_equal(db_exec(db, path, "COMMIT", &err), 0);
        steps += r == 1;
    }
    if (r < 0)
        fail_msg("%s", err.text);
    compactor_free(c);
    sqlite3_close(db);
    return steps;
}

static void same(const struct sbuf *a, const struct sbuf *b)
{
    size_t i = 0;

    while (i < a->len && i < b->len && a->data[i] == b->data[i])
        i++;
    if (i < a->len || i < b->len)
        fail_msg("at %zu of %zu and %zu:\n%.300s\n---\n%.300s", i, a->len, b->len, a->data + (i < 100 ? 0 : i - 100),
                 b->data + (i < 100 ? 0 : i - 100));
}

static void the_same_answers(void **state)
{
    const unsigned count = 2600;
    struct sbuf before, after;
    int64_t rows, again, blocks, bytes;

    (void)state;
    record_many(count);
    rows = number("SELECT count(*) FROM event");
    again = number("SELECT count(*) FROM event WHERE sensors & 1"); /* SENSOR_AUDIT */
    assert_true(again > 50 && rows - again > 500);
    blocks = number("SELECT count(*) FROM block");
    assert_true(blocks > 1);
    bytes = number("SELECT sum(length(data)) FROM block");
    before = answers();
    (void)compact(START + 1800); /* a part of it */
    after = answers();
    assert_true(number("SELECT count(*) FROM event") > again);
    same(&before, &after);
    sbuf_done(&after);
    assert_true(compact(START + 10 * count) > 1);
    after = answers();
    same(&before, &after);
    assert_int_equal(number("SELECT count(*) FROM event"), again);
    assert_true(number("SELECT count(*) FROM block") > blocks);
    assert_int_equal(compact(START + 10 * count), number("SELECT count(*) FROM block") + (again + 1023) / 1024); /* looked at, nothing done */
    print_message("%lld rows, %lld blocks of %lld bytes; now %lld of %lld\n", (long long)rows, (long long)blocks, (long long)bytes,
                  (long long)number("SELECT count(*) FROM block"), (long long)number("SELECT sum(length(data)) FROM block"));
    assert_true(number("SELECT sum(length(data)) / sum(count) FROM block") <= 100); /* of values that are made up, each another */
    sbuf_done(&before);
    sbuf_done(&after);
}

/* What is added after it is numbered on. */
static void it_goes_on(void **state)
{
    struct sbuf before, after;
    int64_t last;

    (void)state;
    record_many(1500);
    last = number("SELECT max(seq) FROM sqlite_sequence WHERE name = 'event'");
    (void)compact(START + 100000);
    record_many(1500); /* the same: what a log may bring again is there already */
    assert_true(number("SELECT min(row) FROM event WHERE row > 1500") > last || number("SELECT count(*) FROM event WHERE row > 1500") == 0);
    before = answers();
    (void)compact(START + 100000);
    after = answers();
    same(&before, &after);
    sbuf_done(&before);
    sbuf_done(&after);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_answers),
        TEST(it_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
