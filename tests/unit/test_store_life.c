/* SPDX-License-Identifier: MIT */
/* How far a span of observation reaches whose observer has not said that it ended, and what is missing of it. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/operation.h"
#include "store/maintain.h"
#include "store/query.h"
#include "store/schema.h"
#include "util/clock.h"

#define DEAD "'00000000-0000-0000-0000-000000000000 1 2 3'" /* of another boot: it has ended */
#define ELSEWHERE "NULL"                                  /* where it runs is not recorded */
#define LIVING "observer"                                 /* as the store wrote it: this process */

static char dir[64], path[96];

struct found {
    struct coverage coverage;
    struct gap gap;
    unsigned spans, gaps;
};

static int keep_coverage(void *data, const struct coverage *c)
{
    struct found *f = data;

    f->coverage = *c;
    f->spans++;
    return 0;
}

static int keep_gap(void *data, const struct gap *gap)
{
    struct found *f = data;

    f->gap = *gap;
    f->gaps++;
    return 0;
}

static struct found read_span(void)
{
    struct store_options options = { .path = path, .read_only = true };
    struct store_query all = { .any_victim = true };
    struct found f = { 0 };
    struct store *store;

    assert_int_equal(store_open(&options, &store, NULL), 0);
    assert_int_equal(store_each_coverage(store, &all, keep_coverage, &f, NULL), 0);
    assert_int_equal(store_each_gap(store, &all, keep_gap, &f, NULL), 0);
    store_close(store);
    return f;
}

static void change_span(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void set_times(uint64_t alive_ns, uint64_t beat_ns)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "UPDATE coverage SET alive_ns = %llu, beat_ns = %llu", (unsigned long long)alive_ns, (unsigned long long)beat_ns);
    change_span(sql);
}

/* A span that nobody ended. */
static void leave_span(const char *observer)
{
    struct store_options options = { .path = path };
    struct coverage coverage = { .sensors = 1, .from_ns = 5, .watch = { "/d", 2 } };
    struct store *store;
    char sql[256];
    uint64_t id;

    unlink(path);
    assert_int_equal(store_open(&options, &store, NULL), 0);
    assert_int_equal(store_begin_coverage(store, &coverage, &id), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    snprintf(sql, sizeof(sql), "UPDATE coverage SET to_ns = 0, observer = %s", observer);
    change_span(sql);
}

#define LONG_NS (3600 * NS_PER_S)

static const struct end_row {
    const char *name, *observer;
    uint64_t alive_ago_ns, beat_ago_ns; /* before it is asked for */
    bool no_beat;
    bool ended, unclean; /* ended: when it was alive for the last time */
    bool missing_from_beat; /* unclean: what is missing is so from there on; else from the end */
} end_rows[] = {
    { "it observes", LIVING, 0, 0 },
    { "it lives, and has much to read: no more is claimed", LIVING, LONG_NS, 0, .ended = true },
    { "it lives, and its disk hangs", LIVING, LONG_NS, LONG_NS, .ended = true },
    { "killed as it had read all", DEAD, 0, 0, .ended = true, .unclean = true, .missing_from_beat = true },
    { "killed while it had much to read", DEAD, LONG_NS, 0, .ended = true, .unclean = true, .missing_from_beat = true },
    { "written by a version without the second time", DEAD, LONG_NS, 0, .no_beat = true, .ended = true, .unclean = true },
    { "elsewhere, it writes", ELSEWHERE, 0, 0 },
    { "elsewhere, it writes and has much to read", ELSEWHERE, LONG_NS, 0, .ended = true },
    { "elsewhere, silent for long", ELSEWHERE, LONG_NS, LONG_NS, .ended = true, .unclean = true },
};

/* The times are set last: a machine may take seconds for the store. */
static void the_end_of_a_span(void **state)
{
    const struct end_row *row = *state;
    struct found f;
    uint64_t now, alive_ns, beat_ns, to_ns;

    leave_span(row->observer);
    now = clock_ns(CLOCK_REALTIME);
    alive_ns = now - row->alive_ago_ns;
    beat_ns = row->no_beat ? 0 : now - row->beat_ago_ns;
    set_times(alive_ns, beat_ns);
    f = read_span();
    to_ns = row->ended ? alive_ns : 0;
    assert_int_equal(f.spans, 1);
    assert_int_equal(f.coverage.to_ns, to_ns);
    assert_int_equal(f.coverage.unclean, row->unclean);
    assert_int_equal(f.gaps, row->unclean);
    if (!row->unclean)
        return;
    assert_int_equal(f.gap.from_ns, to_ns);
    to_ns = (row->missing_from_beat ? beat_ns : to_ns) + STORE_ALIVE_NS;
    now = clock_ns(CLOCK_REALTIME);
    assert_in_range(f.gap.to_ns, to_ns, strcmp(row->observer, DEAD) == 0 ? MAX(to_ns, MIN(now, to_ns + STORE_UNWRITTEN_NS)) : to_ns);
}

static const struct down_row {
    const char *name;
    bool same_boot;
    unsigned next, missing; /* s after its last sign of life: another one began (0: none did); what is missing ends */
} down_rows[] = {
    { "its machine lives: it would have written more", true, 300, 2 },
    { "its machine went down: the last signs may be gone", false, 0, 62 },
    { "and another began much later", false, 300, 62 },
    { "and another began: what it wrote is there, so all before it is", false, 20, 20 },
    { "and another began at once", false, 1, 2 },
};

/* A commit does not wait for the disk. */
static void a_machine_that_went_down(void **state)
{
    const struct down_row *row = *state;
    const uint64_t beat_ns = clock_ns(CLOCK_REALTIME) - LONG_NS;
    char boot[40] = "", observer[80], sql[192];
    struct found f;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%39s", boot), 1);
    fclose(file);
    snprintf(observer, sizeof(observer), "'%s 1 2 3'", boot);
    leave_span(row->same_boot ? observer : DEAD);
    set_times(beat_ns, beat_ns);
    snprintf(sql, sizeof(sql), "INSERT INTO coverage (sensors, from_ns, to_ns, alive_ns, watch) VALUES (1, %llu, %llu, 0, x'2f64')",
             (unsigned long long)(beat_ns + row->next * NS_PER_S), (unsigned long long)(beat_ns + LONG_NS));
    if (row->next)
        change_span(sql);
    f = read_span();
    assert_int_equal(f.gaps, 1);
    assert_int_equal(f.gap.from_ns, beat_ns);
    assert_int_equal(f.gap.to_ns, beat_ns + row->missing * NS_PER_S);
}

/* What it still needs is not removed below a writer that reads for long. */
static void whoever_reads_for_long_is_somebody(void **state)
{
    const struct store_retention retention = { .age_ns = 24 * 3600 * NS_PER_S };
    struct store_pruned pruned;
    uint64_t now;

    (void)state;
    leave_span(ELSEWHERE);
    now = clock_ns(CLOCK_REALTIME);
    set_times(now - LONG_NS, now);
    assert_int_equal(store_prune(path, &retention, false, &pruned, NULL), 0);
    assert_true(pruned.others);
    set_times(now - LONG_NS, now - 60 * NS_PER_S);
    assert_int_equal(store_prune(path, &retention, false, &pruned, NULL), 0);
    assert_false(pruned.others);
}

static int64_t last_seen(void)
{
    sqlite3_stmt *s;
    sqlite3 *db;
    int64_t seen;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT max(alive_ns, beat_ns) FROM coverage", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    seen = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return seen;
}

/* It began by a clock that was set back since: it is what watches now, and what is lost now is of what it watches. */
static void by_a_clock_that_was_set_back(void **state)
{
    const uint64_t now = clock_ns(CLOCK_REALTIME), wrong = now + 24 * 3600 * NS_PER_S;
    struct coverage coverage = { .sensors = SENSOR_BPF, .from_ns = wrong, .watch = { "/d", 2 } };
    struct coverage_place place = { .kind = SELECTOR_NONE, .permissions = PERMISSION_WRITE, .from_ns = wrong, .path = { "/d", 2 } };
    struct gap gap = { .reason = LOST_RING_FULL, .count = 3, .from_ns = wrong, .to_ns = now, .sensor = SENSOR_BPF };
    struct store_query asked = { .path = { "/d/f", 4 }, .until_ns = now + 3600 * NS_PER_S };
    struct store_options options = { .path = path };
    struct found f = { 0 };
    struct store *store;
    uint64_t id;

    (void)state;
    unlink(path);
    assert_int_equal(store_open(&options, &store, NULL), 0);
    assert_int_equal(store_begin_coverage(store, &coverage, &id), 0);
    assert_int_equal(store_add_coverage_place(store, id, &place), 0);
    store_seen(store, now);
    assert_int_equal(store_add_gap(store, &gap), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(store_each_coverage(store, &asked, keep_coverage, &f, NULL), 0);
    assert_int_equal(store_each_gap(store, &asked, keep_gap, &f, NULL), 0);
    assert_int_equal(f.spans, 1);
    assert_true(f.coverage.from_ns >= now && f.coverage.from_ns <= clock_ns(CLOCK_REALTIME));
    assert_int_equal(f.coverage.to_ns, 0);
    assert_int_equal(f.gaps, 1);
    assert_int_equal(f.gap.from_ns, now);
    assert_int_equal(f.gap.to_ns, wrong);
    assert_true(last_seen() <= (int64_t)clock_ns(CLOCK_REALTIME)); /* whoever were killed now has seen no time that did not come */
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_reads_for_long_is_somebody),
        cmocka_unit_test(by_a_clock_that_was_set_back),
    };
    int failed;

    snprintf(dir, sizeof(dir), "%s/culprit-life.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* no disk is waited for */
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    failed = RUN_ROWS(end_rows, the_end_of_a_span) + RUN_ROWS(down_rows, a_machine_that_went_down) + cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rmdir(dir) < 0 ? 1 : failed;
}
