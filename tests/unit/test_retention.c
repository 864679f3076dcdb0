/* SPDX-License-Identifier: MIT */
/* What is too old goes, as rows and as blocks, with all that only it referred to; nothing else does. */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make.h"
#include "store/maintain.h"
#include "store/query.h"
#include "store_place.h"
#include "util/clock.h"

#define HOUR (3600 * NS_PER_S)
#define DAY (24 * HOUR)
#define STORM 700 /* a block, and a rest that is one too */

static uint64_t ids;

static int set_up(void **state)
{
    (void)state;
    make_store_place("store", "culprit.db");
    ids = 0;
    return 0;
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

static struct store *open_store(const struct store_retention *retention)
{
    return open_store_with((struct store_options){ .retention = retention });
}

static void add(struct store *store, const char *file, const char *watch, struct process *p, struct container *victim,
                uint64_t time_ns, unsigned sensors)
{
    struct event *e = make_event(OPERATION_UNLINK, file, p, victim, time_ns);

    ids++;
    memcpy(e->id, &ids, sizeof(ids));
    e->sensors = sensors;
    event_set(e, &e->watch_text, bytes_of(watch));
    assert_int_equal(store_add_event(store, e), 0);
    event_free(e);
}

/* Some single events, and a storm, by processes of their own below the same launcher. */
static void add_part(struct store *store, const char *in, const char *watch, struct process *launcher, uint64_t time_ns)
{
    struct process *p = make_process(100 + (pid_t)(ids % 1000), "/bin/rm", process_ref(launcher));
    struct container *c = make_container(in, "web");
    struct lifecycle_event life = { .container = c, .time_ns = time_ns, .kind = LIFECYCLE_START };
    struct gap gap = { .reason = LOST_STORE, .count = 1, .from_ns = time_ns, .to_ns = time_ns + 1 };
    char file[96];

    for (unsigned i = 0; i < 5; i++) {
        snprintf(file, sizeof(file), "%s/rows/f%u", in, i);
        add(store, file, watch, p, c, time_ns + i, SENSOR_AUDIT);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    for (unsigned i = 0; i < STORM; i++) {
        snprintf(file, sizeof(file), "%s/storm/f%u", in, i % 100);
        add(store, file, watch, p, c, time_ns + 100 + i, SENSOR_BPF);
    }
    assert_int_equal(store_add_life(store, &life), 0);
    assert_int_equal(store_add_gap(store, &gap), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    process_unref(p);
    container_unref(c);
}
#define PART (5 + STORM)

static uint64_t count(struct store *store, const char *file, uint64_t since_ns)
{
    struct store_query q = { .path = bytes_of(file), .any_victim = true, .since_ns = since_ns };
    struct err err = ERR_INIT;
    uint64_t n = store_count_events(store, &q, &err);

    assert_string_equal(err.text, "");
    return n;
}

static int add_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned n)
{
    assert_true(n > 0);
    assert_non_null(samples[0]->actor.process);
    assert_non_null(samples[0]->actor.process->parent);
    *(uint64_t *)data += rollup->count;
    return 0;
}

static uint64_t counted(struct store *store, const char *file)
{
    struct store_query q = { .path = bytes_of(file), .any_victim = true };
    uint64_t n = 0;

    assert_int_equal(store_each_rollup(store, &q, 1, add_rollup, &n, NULL), 0);
    return n;
}

struct removals {
    unsigned all, watches;
    uint64_t before_ns;
};

static int on_removal(void *data, const struct store_removal *removal)
{
    struct removals *r = data;

    if (bytes_known(removal->watch))
        r->watches++;
    else
        r->all++;
    r->before_ns = removal->before_ns;
    return 0;
}

static struct removals removals(struct store *store, const char *file, uint64_t since_ns)
{
    struct store_query q = { .path = bytes_of(file), .since_ns = since_ns };
    struct removals r = { 0 };

    assert_int_equal(store_each_removal(store, &q, on_removal, &r, NULL), 0);
    return r;
}

/* ---- by age ---- */

static void what_is_too_old_goes(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY };
    struct process *init = make_process(1, "/sbin/init", NULL), *other = make_process(2, "/sbin/other", NULL);
    struct process *again = make_process(3, "/bin/again", process_ref(other));
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct store *store = open_store(NULL);
    struct coverage past = { .sensors = SENSOR_BPF, .from_ns = now - 60 * DAY, .to_ns = now - 50 * DAY, .watch = { "/", 1 } };
    struct coverage present = { .sensors = SENSOR_BPF, .from_ns = now - 50 * DAY, .to_ns = now - DAY, .watch = { "/", 1 } };
    struct coverage_place place = { .path = bytes_of("/"), .from_ns = past.from_ns };
    struct removals r;
    uint64_t id;

    (void)state;
    assert_int_equal(store_begin_coverage(store, &past, &id), 0);
    assert_int_equal(store_add_coverage_place(store, id, &place), 0);
    assert_int_equal(store_end_coverage(store, id, past.to_ns), 0);
    assert_int_equal(store_begin_coverage(store, &present, &id), 0);
    assert_int_equal(store_end_coverage(store, id, present.to_ns), 0);
    add_part(store, "/old", "/", init, now - 40 * DAY);
    add_part(store, "/older", "/", other, now - 41 * DAY);
    add_part(store, "/new", "/", init, now - 20 * DAY);
    store_close(store);
    assert_int_equal(number("SELECT count(*) FROM process"), 5);

    store = open_store(&retention);
    wait_for("SELECT count(*) FROM process", 2); /* the last thing but the containers */
    wait_for("SELECT count(*) FROM container", 1);
    assert_int_equal(number("SELECT (SELECT sum(count) FROM block) + (SELECT count(*) FROM event)"), PART);
    assert_true(number("SELECT sum(count) FROM block") > 0);
    assert_int_equal(number("SELECT sum(count) FROM rollup WHERE place = 0"), PART);
    assert_int_equal(number("SELECT count(*) FROM block_place WHERE block NOT IN (SELECT row FROM block)"), 0);
    assert_int_equal(number("SELECT count(*) FROM directory WHERE hex(path) NOT LIKE '2F6E6577%'"), 0);
    assert_int_equal(number("SELECT count(*) FROM life"), 1);
    assert_int_equal(number("SELECT count(*) FROM gap"), 1);
    assert_int_equal(number("SELECT count(*) FROM coverage"), 1);
    assert_int_equal(number("SELECT count(*) FROM coverage_place"), 0);
    assert_int_equal(count(store, "/", 0), PART);
    assert_int_equal(counted(store, "/"), PART);
    r = removals(store, "/", 0);
    assert_int_equal(r.all, 1);
    assert_int_equal(r.watches, 0);
    assert_true(r.before_ns <= now - 30 * DAY + HOUR && r.before_ns > now - 31 * DAY);
    assert_int_equal(removals(store, "/", now - DAY).all, 0); /* nothing of that is missing */

    add(store, "/old/again", "/", again, NULL, now, SENSOR_AUDIT); /* a directory and a launcher that are gone */
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(count(store, "/old", 0), 1);
    assert_int_equal(counted(store, "/old"), 1);
    store_close(store);
    process_unref(again);
    process_unref(other);
    process_unref(init);
}

/* Who goes on is known also where all that he did before was removed. */
static void who_goes_on_stays(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY };
    struct process *init = make_process(1, "/sbin/init", NULL), *lasting = make_process(7, "/sbin/lasting", process_ref(init));
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct store *store = open_store(&retention);

    (void)state;
    add(store, "/d/old", "/", lasting, NULL, now - 40 * DAY, SENSOR_AUDIT);
    add(store, "/d/new", "/", init, NULL, now, SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    wait_for("SELECT count(*) FROM event", 1);
    wait_for("SELECT count(*) FROM rollup", 1);
    for (unsigned i = 0; i < 20; i++) { /* while the rest of that round is made */
        add(store, "/d/later", "/", lasting, NULL, now + i, SENSOR_AUDIT);
        assert_int_equal(store_flush(store, NULL), 0);
        usleep(50 * 1000);
    }
    assert_int_equal(count(store, "/d", 0), 21);
    assert_int_equal(counted(store, "/d/later"), 20);
    store_close(store);
    process_unref(lasting);
    process_unref(init);
}

/* Hours of one day become one row of it, whatever is removed of others. */
static void what_stays_is_counted_by_day(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY, .compact_ns = HOUR };
    struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(2, "/bin/p", process_ref(init));
    uint64_t now = clock_ns(CLOCK_REALTIME), day = now / DAY * DAY - 10 * DAY;
    struct store *store = open_store(NULL);

    (void)state;
    for (unsigned i = 0; i < 24; i++)
        add(store, "/d/f", "/", p, NULL, day + i * HOUR, SENSOR_AUDIT);
    add(store, "/d/f", "/", p, NULL, now, SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(number("SELECT count(*) FROM rollup"), 25);
    store_close(store);
    store = open_store(&retention);
    wait_for("SELECT count(*) FROM rollup", 1); /* that of this hour */
    assert_true(number("SELECT count(*) = 1 AND sum(length(data)) < 100 FROM daily WHERE directory = 0") == 1);
    assert_int_equal(counted(store, "/d"), 25);
    store_close(store);
    process_unref(p);
    process_unref(init);
}

/* ---- of one watch ---- */

static void a_watch_is_kept_for_less(void **state)
{
    const struct store_watch_retention watches[] = { { bytes_of("/short"), 5 * DAY }, { bytes_of("/never"), DAY } };
    const struct store_retention retention = { .age_ns = 30 * DAY, .watches = watches, .watch_count = 2 };
    struct process *init = make_process(1, "/sbin/init", NULL);
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct store *store = open_store(NULL);
    char old[256];

    (void)state;
    add_part(store, "/short", "/short", init, now - 10 * DAY);
    add_part(store, "/long", "/long", init, now - 10 * DAY);
    add_part(store, "/short", "/short", init, now - 2 * DAY);
    store_close(store);
    store = open_store(&retention);
    snprintf(old, sizeof(old), "SELECT count(*) FROM event JOIN directory d ON d.row = directory WHERE time_ns < %llu AND hex(path) LIKE "
             "hex('/short') || '%%'", (unsigned long long)(now - 5 * DAY));
    wait_for(old, 0);
    wait_for("SELECT sum(count) FROM rollup WHERE place = 0", 2 * PART);
    assert_int_equal(count(store, "/short", 0), PART);
    assert_int_equal(counted(store, "/short"), PART);
    assert_int_equal(counted(store, "/long"), PART);
    assert_int_equal(counted(store, "/"), 2 * PART);
    assert_int_equal(removals(store, "/short", 0).watches, 1);
    assert_int_equal(removals(store, "/short/rows", 0).watches, 1);
    assert_int_equal(removals(store, "/long", 0).watches, 0);
    assert_int_equal(removals(store, "/short", now - DAY).watches, 0);
    store_close(store);
    process_unref(init);
}

/* Every second event of a block is of a watch that is kept for less: what is left of the block is written anew, and says what it said. */
static void a_watch_shares_blocks(void **state)
{
    const struct store_watch_retention watches[] = { { bytes_of("/short"), 5 * DAY } };
    const struct store_retention retention = { .age_ns = 30 * DAY, .watches = watches, .watch_count = 1 };
    const char *all = "SELECT (SELECT sum(count) FROM block) + (SELECT count(*) FROM event)";
    struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(5, "/bin/p", process_ref(init));
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct store *store = open_store(NULL);
    unsigned named = 0;
    char file[64];

    (void)state;
    for (unsigned part = 0; part < 2; part++) { /* 10 days ago, and yesterday */
        for (unsigned i = 0; i < STORM; i++) {
            snprintf(file, sizeof(file), "%s/d%u/f%u", i % 2 ? "/short" : "/long", i % 20, i);
            add(store, file, i % 2 ? "/short" : "/long", p, NULL, now - (part ? 1 : 10) * DAY + i, SENSOR_BPF);
        }
        assert_int_equal(store_flush(store, NULL), 0);
    }
    store_close(store);
    assert_true(number("SELECT sum(count) FROM block") > STORM);
    store = open_store(&retention);
    wait_for(all, STORM + STORM / 2);
    wait_for("SELECT count(*) FROM watch WHERE row > 0 AND floor_ns > 0 AND swept_ns >= floor_ns", 1);
    assert_int_equal(number("SELECT count(*) FROM block_place WHERE block NOT IN (SELECT row FROM block)"), 0);
    assert_int_equal(count(store, "/short", 0), STORM / 2);
    assert_int_equal(counted(store, "/short"), STORM / 2);
    assert_int_equal(count(store, "/long", 0), STORM);
    assert_int_equal(counted(store, "/long"), STORM);
    for (unsigned i = 0; i < STORM; i += 2) {
        snprintf(file, sizeof(file), "/long/d%u/f%u", i % 20, i);
        named += count(store, file, 0) == 2 && counted(store, file) == 2;
    }
    assert_int_equal(named, STORM / 2);
    store_close(store);
    process_unref(p);
    process_unref(init);
}

/* What comes then gets numbers of its own, though the last ones are in no block any more. */
static void a_watch_leaves_the_newest_block(void **state)
{
    const struct store_watch_retention watches[] = { { bytes_of("/short"), 5 * DAY } };
    const struct store_retention retention = { .age_ns = 30 * DAY, .watches = watches, .watch_count = 1 };
    struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(5, "/bin/p", process_ref(init));
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct store *store = open_store(NULL);
    int64_t last;
    char sql[128];

    (void)state;
    for (unsigned i = 0; i < STORM; i++)
        add(store, i % 2 ? "/short/f" : "/long/f", i % 2 ? "/short" : "/long", p, NULL, now - 10 * DAY + i, SENSOR_BPF);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    last = number("SELECT max((SELECT max(row + count - 1) FROM block), (SELECT ifnull(max(row), 0) FROM event))");
    store = open_store(&retention);
    wait_for("SELECT count(*) FROM watch WHERE row > 0 AND floor_ns > 0 AND swept_ns >= floor_ns", 1);
    for (unsigned i = 0; i < STORM; i++)
        add(store, "/new/f", "/new", p, NULL, now + i, SENSOR_BPF);
    assert_int_equal(store_flush(store, NULL), 0);
    snprintf(sql, sizeof(sql), "SELECT min(row) FROM block WHERE first_ns >= %llu", (unsigned long long)now);
    assert_true(number(sql) > last);
    assert_int_equal(counted(store, "/new/f"), STORM);
    assert_int_equal(counted(store, "/long/f"), STORM / 2);
    store_close(store);
    process_unref(p);
    process_unref(init);
}

/* ---- by size ---- */

/* One block of 25 days: of a transaction, which a busy machine may cut anywhere. */
static void add_quiet_weeks(struct store *store, struct process *p, uint64_t now)
{
    const char *longest = "SELECT coalesce(max(last_ns - first_ns), 0) FROM block";

    for (unsigned tries = 0; tries < 100 && number(longest) <= (int64_t)(20 * DAY); tries++) {
        for (unsigned i = 0; i < STORM; i++)
            add(store, "/quiet/f", "/", p, NULL, now - 40 * DAY + i * HOUR, SENSOR_BPF);
        assert_int_equal(store_flush(store, NULL), 0);
    }
    assert_true(number(longest) > (int64_t)(20 * DAY));
}

/* Also a block of quiet weeks, which is older and younger than half of what is too much; not all that is older than what a clock that was
 * ahead has dated. */
static void what_is_too_much_goes(void **state)
{
    const struct store_retention retention = { .size = 1024 * 1024 };
    struct process *init = make_process(1, "/sbin/init", NULL), *child = make_process(5, "/bin/p", process_ref(init));
    uint64_t now = clock_ns(CLOCK_REALTIME), last = 0;
    struct store *store = open_store(NULL);
    struct stat before, after;
    char in[32];

    (void)state;
    add_quiet_weeks(store, init, now);
    add(store, "/ahead/f", "/", child, NULL, now + 730 * DAY, SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    for (unsigned i = 0; i < 150; i++) {
        snprintf(in, sizeof(in), "/part%u", i);
        add_part(store, in, "/", init, now - (150 - i) * HOUR);
    }
    store_close(store);
    assert_int_equal(stat(path, &before), 0);
    assert_true(before.st_size > 2 * 1024 * 1024);
    store = open_store(&retention);
    wait_for("SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count) <= 256", 1);
    wait_for("SELECT freelist_count <= 512 FROM pragma_freelist_count", 1);
    assert_int_equal(count(store, "/part149", 0), PART);
    assert_int_equal(count(store, "/ahead", 0), 1);
    assert_int_equal(count(store, "/part0", 0) + count(store, "/quiet", 0), 0);
    assert_int_equal(counted(store, "/"), count(store, "/", 0));
    last = removals(store, "/", 0).before_ns;
    assert_true(last > now - 150 * HOUR && last < now);
    store_close(store);
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_size < 3 * 1024 * 1024 && after.st_size < before.st_size); /* some pages are kept free */
    process_unref(child);
    process_unref(init);
}

/* ---- beside somebody who records ---- */

static void pruned_beside_a_writer(void **state)
{
    const struct store_retention retention = { .age_ns = 30 * DAY };
    struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(5, "/bin/p", process_ref(init));
    struct coverage coverage = { .sensors = SENSOR_BPF, .from_ns = clock_ns(CLOCK_REALTIME), .watch = { "/", 1 } };
    uint64_t now = coverage.from_ns, id;
    struct store *store = open_store(NULL);
    struct store_pruned pruned;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_begin_coverage(store, &coverage, &id), 0);
    add(store, "/old/f", "/", p, NULL, now - 40 * DAY, SENSOR_AUDIT);
    add_part(store, "/old", "/", init, now - 40 * DAY);
    add_part(store, "/new", "/", init, now - DAY);
    assert_int_equal(store_prune(path, &retention, true, &pruned, &err), 0);
    assert_int_equal(pruned.events, 2 * PART + 1);
    assert_int_equal(pruned.events_left, PART);
    assert_int_equal(count(store, "/", 0), 2 * PART + 1); /* nothing was done */
    assert_int_equal(store_prune(path, &retention, false, &pruned, &err), 0);
    assert_int_equal(pruned.events_left, PART);
    assert_true(pruned.others);
    assert_int_equal(number("SELECT (SELECT sum(count) FROM block) + (SELECT count(*) FROM event)"), PART);
    add(store, "/old/f", "/", p, NULL, now, SENSOR_AUDIT); /* what the writer remembers is there */
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(count(store, "/old", 0), 1);
    assert_int_equal(counted(store, "/"), PART + 1);
    assert_int_equal(store_end_coverage(store, id, now + 1), 0);
    store_close(store);
    assert_int_equal(store_prune("/nonexistent/culprit.db", &retention, false, &pruned, &err), -ENOENT);
    process_unref(p);
    process_unref(init);
}

/* What is removed by size is what is too much once the rest takes less room; and nothing is, where that is enough. */
static void pruned_is_compacted(void **state)
{
    struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(5, "/bin/p", process_ref(init));
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct store *store = open_store(NULL);
    struct store_retention retention = { .age_ns = 30 * DAY };
    struct store_pruned pruned;
    struct err err = ERR_INIT;

    (void)state;
    for (unsigned i = 0; i < 6000; i++) { /* rows: too few at a time for a block */
        char file[96];

        snprintf(file, sizeof(file), "/d/a-name-that-is-somewhat-longer/f%u", i % 50);
        add(store, file, "/", p, NULL, now - 20 * DAY + i * NS_PER_S, SENSOR_BPF);
        if (i % 60 == 59)
            assert_int_equal(store_flush(store, NULL), 0);
    }
    add(store, "/young/f", "/", p, NULL, now, SENSOR_BPF);
    add(store, "/again/f", "/", p, NULL, now - 20 * DAY, SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    assert_true(number("SELECT count(*) FROM event") > 5000);
    assert_int_equal(store_prune(path, &retention, true, &pruned, &err), 0); /* nothing is done */
    assert_true(number("SELECT count(*) FROM event") > 5000);
    retention.size = pruned.bytes * 3 / 4;
    assert_int_equal(store_prune(path, &retention, false, &pruned, &err), 0);
    assert_int_equal(pruned.events_left, 6002);
    assert_int_equal(pruned.events_left, pruned.events);
    assert_int_equal(number("SELECT count(*) FROM event"), 2);
    assert_true(pruned.bytes_left < retention.size);
    assert_int_equal(pruned.floor_ns, 0);
    store = open_store(NULL);
    assert_int_equal(count(store, "/d", 0), 6000);
    assert_int_equal(counted(store, "/"), 6002);
    store_close(store);
    process_unref(p);
    process_unref(init);
}

/* All that is older than now: who records goes on, and is known as one who does. */
static void all_of_it_pruned_beside_a_writer(void **state)
{
    const struct store_retention retention = { .age_ns = 1 };
    struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(5, "/bin/p", process_ref(init));
    struct coverage coverage = { .sensors = SENSOR_BPF, .from_ns = clock_ns(CLOCK_REALTIME), .watch = { "/", 1 } };
    struct store *store = open_store(NULL);
    struct store_pruned pruned;
    struct err err = ERR_INIT;
    uint64_t id;

    (void)state;
    assert_int_equal(store_begin_coverage(store, &coverage, &id), 0);
    add(store, "/d/f", "/", p, NULL, coverage.from_ns, SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(store_prune(path, &retention, false, &pruned, &err), 0);
    assert_int_equal(pruned.events_left, 0);
    assert_true(pruned.others);
    add(store, "/d/f", "/", p, NULL, clock_ns(CLOCK_REALTIME), SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(counted(store, "/d/f"), 1); /* with its actor, whose row is older */
    assert_int_equal(number("SELECT count(*) FROM coverage WHERE to_ns = 0"), 1);
    store_close(store);
    process_unref(p);
    process_unref(init);
}

/* Nothing is said to be removed where nothing was. */
static void a_young_record(void **state)
{
    const struct store_watch_retention watches[] = { { bytes_of("/d"), DAY } };
    const struct store_retention retention = { .age_ns = 30 * DAY, .watches = watches, .watch_count = 1, .compact_ns = HOUR };
    struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(5, "/bin/p", process_ref(init));
    uint64_t now = clock_ns(CLOCK_REALTIME), day = now / DAY * DAY - 10 * DAY;
    struct store *store = open_store(&retention);

    (void)state;
    add(store, "/e/f", "/e", p, NULL, day, SENSOR_AUDIT);
    add(store, "/e/f", "/e", p, NULL, day + HOUR, SENSOR_AUDIT);
    assert_int_equal(store_flush(store, NULL), 0);
    wait_for("SELECT count(*) FROM rollup", 0); /* a round was made, and they are in a day by now */
    assert_int_equal(removals(store, "/e", 0).all, 0);
    assert_int_equal(number("SELECT floor_ns FROM watch WHERE row = 0"), 0);
    store_close(store);
    process_unref(p);
    process_unref(init);
}

static void a_copy_beside_a_writer(void **state)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct store *store = open_store(NULL), *copy;
    struct store_options options = { .read_only = true };
    struct err err = ERR_INIT;
    uint64_t bytes = 0, now = clock_ns(CLOCK_REALTIME);
    char to[128], nowhere[128];
    struct stat st;

    (void)state;
    snprintf(to, sizeof(to), "%s/copy.db", dir);
    snprintf(nowhere, sizeof(nowhere), "%s/nowhere/copy.db", dir);
    options.path = to;
    add_part(store, "/a", "/", init, now);
    assert_int_equal(store_backup(path, to, false, &bytes, &err), 0);
    add_part(store, "/b", "/", init, now);
    assert_int_equal(stat(to, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, bytes);
    assert_int_equal(store_open(&options, &copy, &err), 0);
    assert_int_equal(count(copy, "/", 0), PART);
    assert_int_equal(counted(copy, "/a"), PART);
    store_close(copy);
    assert_int_equal(store_backup(path, to, false, &bytes, &err), -EEXIST);
    assert_int_equal(store_backup(path, to, true, &bytes, &err), 0);
    assert_int_equal(store_open(&options, &copy, &err), 0);
    assert_int_equal(count(copy, "/", 0), 2 * PART);
    store_close(copy);
    assert_true(store_backup(path, nowhere, false, &bytes, &err) < 0);
    store_close(store);
    snprintf(nowhere, sizeof(nowhere), "ls %s | grep -qv '^c[a-z]*.db$'", dir);
    assert_true(system(nowhere) != 0); /* nothing else is left */
    process_unref(init);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_too_old_goes),
        TEST(who_goes_on_stays),
        TEST(what_stays_is_counted_by_day),
        TEST(a_watch_is_kept_for_less),
        TEST(a_watch_shares_blocks),
        TEST(a_watch_leaves_the_newest_block),
        TEST(what_is_too_much_goes),
        TEST(pruned_beside_a_writer),
        TEST(all_of_it_pruned_beside_a_writer),
        TEST(pruned_is_compacted),
        TEST(a_young_record),
        TEST(a_copy_beside_a_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
