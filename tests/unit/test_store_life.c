/* SPDX-License-Identifier: MIT */
/* How far a span of observation reaches whose observer has not said that it ended, and what is missing of it. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

/* A span that nobody ended, as it was written last. */
static void leave_span(const char *observer, uint64_t alive_ns, uint64_t beat_ns)
{
    struct store_options options = { .path = path };
    struct coverage coverage = { .sensors = 1, .from_ns = 5, .watch = { "/d", 2 } };
    struct store *store;
    char sql[256];
    uint64_t id;
    sqlite3 *db;

    unlink(path);
    assert_int_equal(store_open(&options, &store, NULL), 0);
    assert_int_equal(store_begin_coverage(store, &coverage, &id), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    snprintf(sql, sizeof(sql), "UPDATE coverage SET to_ns = 0, alive_ns = %llu, beat_ns = %llu, observer = %s",
             (unsigned long long)alive_ns, (unsigned long long)beat_ns, observer);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void the_end_of_a_span(void **state)
{
    const uint64_t now = clock_ns(CLOCK_REALTIME), long_ago = now - 3600 * NS_PER_S;
    const struct {
        const char *what, *observer;
        uint64_t alive_ns, beat_ns, to_ns;
        bool unclean;
        uint64_t missing_to_ns; /* from to_ns on */
    } rows[] = {
        { "it observes", LIVING, now, now, 0, false, 0 },
        { "it lives, and has much to read: no more is claimed", LIVING, long_ago, now, long_ago, false, 0 },
        { "it lives, and its disk hangs", LIVING, long_ago, long_ago, long_ago, false, 0 },
        { "killed as it had read all", DEAD, now, now, now, true, now + STORE_ALIVE_NS },
        { "killed while it had much to read", DEAD, long_ago, now, long_ago, true, now + STORE_ALIVE_NS },
        { "written by a version without the second time", DEAD, long_ago, 0, long_ago, true, long_ago + STORE_ALIVE_NS },
        { "elsewhere, it writes", ELSEWHERE, now, now, 0, false, 0 },
        { "elsewhere, it writes and has much to read", ELSEWHERE, long_ago, now, long_ago, false, 0 },
        { "elsewhere, silent for long", ELSEWHERE, long_ago, long_ago, long_ago, true, long_ago + STORE_ALIVE_NS },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct found f;

        leave_span(rows[i].observer, rows[i].alive_ns, rows[i].beat_ns);
        f = read_span();
        if (f.spans != 1 || f.coverage.to_ns != rows[i].to_ns || f.coverage.unclean != rows[i].unclean)
            fail_msg("%s: %u spans, to %llu, unclean %d", rows[i].what, f.spans, (unsigned long long)f.coverage.to_ns, f.coverage.unclean);
        if (f.gaps != rows[i].unclean || (f.gaps && (f.gap.from_ns != rows[i].to_ns || f.gap.to_ns != rows[i].missing_to_ns)))
            fail_msg("%s: %u gaps, to %llu", rows[i].what, f.gaps, (unsigned long long)f.gap.to_ns);
    }
}

/* What it still needs is not removed below a writer that reads for long. */
static void whoever_reads_for_long_is_somebody(void **state)
{
    const struct store_retention retention = { .age_ns = 24 * 3600 * NS_PER_S };
    const uint64_t now = clock_ns(CLOCK_REALTIME);
    struct store_pruned pruned;

    (void)state;
    leave_span(ELSEWHERE, now - 3600 * NS_PER_S, now);
    assert_int_equal(store_prune(path, &retention, false, &pruned, NULL), 0);
    assert_true(pruned.others);
    leave_span(ELSEWHERE, now - 3600 * NS_PER_S, now - 60 * NS_PER_S);
    assert_int_equal(store_prune(path, &retention, false, &pruned, NULL), 0);
    assert_false(pruned.others);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/culprit-life.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    return 0;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_span),
        cmocka_unit_test(whoever_reads_for_long_is_somebody),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
