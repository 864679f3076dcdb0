/* SPDX-License-Identifier: MIT */
/* A store of which a part is damaged is kept small all the same, and that it is damaged is said once. */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "make.h"
#include "store/maintain.h"
#include "store/query.h"
#include "store_place.h"
#include "util/clock.h"
#include "util/log.h"

#define HOUR (3600 * NS_PER_S)
#define DAY (24 * HOUR)
#define STORM 600

static uint64_t ids, now;
static unsigned said;

static int set_up(void **state)
{
    (void)state;
    make_store_place("upkeep", "culprit.db");
    ids = 0;
    said = 0;
    now = clock_ns(CLOCK_REALTIME);
    return 0;
}

static void on_message(void *data, enum log_level level, const char *text)
{
    (void)data;
    said += level == LOG_LEVEL_WARNING && strstr(text, "it is left as it is") != NULL;
}

static struct store *open_store(const struct store_retention *retention)
{
    static const struct log log = { .level = LOG_LEVEL_WARNING, .message = on_message };

    return open_store_with((struct store_options){ .retention = retention, .log = &log });
}

/* By a process of its own; as a storm it becomes blocks. */
static void add(struct store *store, const char *folder, uint64_t time_ns, unsigned count, unsigned sensors)
{
    struct process *p = make_process(100 + (pid_t)(ids % 10000), "/bin/rm", NULL);
    char file[96];

    for (unsigned i = 0; i < count; i++) {
        struct event *e;

        snprintf(file, sizeof(file), "%s/f%u", folder, i);
        e = make_event(OPERATION_UNLINK, file, p, NULL, time_ns + i);
        ids++;
        memcpy(e->id, &ids, sizeof(ids));
        e->sensors = sensors;
        e->watch_text = bytes_of("/");
        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    process_unref(p);
}

static void change(const char *sql)
{
    sqlite3 *db;
    char *why = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

/* Each step is a transaction of its own: until all of them were made. */
static void wait_for(const char *sql, int64_t expected)
{
    int64_t n = -1;

    for (unsigned i = 0; i < (getenv("QUICK") ? 150 : 6000) && (n = number(sql)) != expected; i++)
        usleep(20 * 1000);
    if (n != expected)
        fail_msg("%s: %lld, expected %lld", sql, (long long)n, (long long)expected);
}

/* Until it says so, and then once more nothing. */
static void wait_for_word(struct store *store, const char *word)
{
    struct store_state state = { 0 };

    for (unsigned i = 0; i < 6000 && !state.fault[0]; i++) {
        usleep(20 * 1000);
        store_state(store, &state);
    }
    if (!strstr(state.fault, word))
        fail_msg("\"%s\", without \"%s\"", state.fault, word);
    store_seen(store, now);
    store_seen(store, now);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(said, 1);
}

/* It cannot be read by any question either: what only others refer to goes, those behind it are looked at. */
static void a_damaged_block_stops_no_sweep(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY };
    struct store *store = open_store(NULL);

    (void)state;
    add(store, "/old", now - 40 * DAY, STORM, SENSOR_BPF);
    add(store, "/damaged", now - 20 * DAY, STORM, SENSOR_BPF);
    add(store, "/new", now - 10 * DAY, STORM, SENSOR_BPF);
    store_close(store);
    assert_int_equal(number("SELECT count(*) FROM process"), 3);
    change("UPDATE block SET data = x'3f01' WHERE first_ns = (SELECT min(first_ns) FROM block WHERE first_ns > "
           "(SELECT max(last_ns) - 86400000000000 * 15 FROM block))");

    store = open_store(&retention);
    wait_for("SELECT count(*) FROM process WHERE row = 1", 0);
    assert_int_equal(number("SELECT count(*) FROM block WHERE data = x'3f01'"), 1);
    assert_int_equal(number("SELECT count(*) FROM process WHERE row = 3"), 1);
    wait_for_word(store, "cannot be read");
    store_close(store);
}

/* What counts in it stays as it was counted, all else becomes days; what is too old goes. */
static void a_damaged_day_stops_no_other(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY, .compact_ns = HOUR };
    const uint64_t day = now / DAY * DAY - 10 * DAY;
    struct store *store = open_store(&retention);
    char sql[256];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        add(store, "/d", day + i * DAY, 3, SENSOR_AUDIT);
    wait_for("SELECT count(*) FROM rollup", 0);
    store_close(store);
    snprintf(sql, sizeof(sql), "UPDATE daily SET sum = sum + 1 WHERE directory = 0 AND day = %llu", (unsigned long long)(day / DAY + 1));
    change(sql);

    store = open_store(NULL);
    for (unsigned i = 0; i < 4; i++)
        add(store, "/d", day + i * DAY + HOUR, 3, SENSOR_AUDIT);
    add(store, "/older", now - 40 * DAY, 3, SENSOR_AUDIT);
    store_close(store);
    assert_int_equal(number("SELECT count(*) FROM rollup"), 5);
    store = open_store(&retention);
    wait_for("SELECT count(*) FROM rollup", 1);
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM rollup WHERE hour / 24 = %llu", (unsigned long long)(day / DAY + 1));
    assert_int_equal(number(sql), 1);
    wait_for("SELECT count(*) FROM event WHERE time_ns < (SELECT max(time_ns) - 86400000000000 * 25 FROM event)", 0);
    wait_for_word(store, "cannot be read");
    store_close(store);
}

/* What fails as a whole is tried again later; what is too old goes all the same. */
static void what_fails_stops_no_other_task(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY, .compact_ns = HOUR };
    struct store *store = open_store(NULL);

    (void)state;
    add(store, "/new", now - 10 * DAY, 40, SENSOR_BPF);
    store_close(store);
    change("INSERT INTO block (row, count, first_ns, last_ns, data) SELECT min(row), 0, max(time_ns), max(time_ns), x'' FROM event");
    store = open_store(&retention);
    wait_for_word(store, "culprit.db");
    add(store, "/old", now - 40 * DAY, 3, SENSOR_AUDIT);
    wait_for("SELECT count(*) FROM event", 40);
    assert_int_equal(said, 1);
    store_close(store);
}

/* By hand: all that can be done is done, and then it is said. */
static void pruned_by_hand(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY };
    const uint64_t day = now / DAY * DAY - 10 * DAY;
    struct store *store = open_store(NULL);
    struct store_pruned pruned;
    struct err err = ERR_INIT;

    (void)state;
    add(store, "/d", day, 3, SENSOR_AUDIT);
    store_close(store);
    assert_int_equal(store_prune(path, &retention, false, &pruned, &err), 0);
    change("UPDATE daily SET sum = sum + 1 WHERE directory = 0");
    store = open_store(NULL);
    add(store, "/d", day + HOUR, 3, SENSOR_AUDIT);
    add(store, "/d", day + DAY, 3, SENSOR_AUDIT);
    add(store, "/old", now - 40 * DAY, 3, SENSOR_AUDIT);
    store_close(store);
    assert_int_equal(store_prune(path, &retention, false, &pruned, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "is damaged"));
    assert_int_equal(number("SELECT count(*) FROM event"), 9);
    assert_int_equal(number("SELECT count(*) FROM rollup"), 1);
    assert_int_equal(number("SELECT count(*) FROM directory WHERE path = CAST('/old' AS BLOB)"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_damaged_block_stops_no_sweep),
        TEST(a_damaged_day_stops_no_other),
        TEST(what_fails_stops_no_other_task),
        TEST(pruned_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
