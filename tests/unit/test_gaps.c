/* SPDX-License-Identifier: MIT */
/* Which gaps have to do with what is asked for: those that touch a time in which it was watched. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/operation.h"
#include "make.h"
#include "store/query.h"
#include "util/macro.h"

#define WA (PERMISSION_WRITE | PERMISSION_ATTR)
#define S (100 * NS_PER_S) /* so far apart that nothing is near by chance */

static char dir[64], path[96];
static struct store *store;

static int set_up(void **state)
{
    struct store_options options = { .path = path };

    (void)state;
    snprintf(dir, sizeof(dir), "%s/culprit-gaps.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* no disk is waited for */
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    return store_open(&options, &store, NULL);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    store_close(store);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* ---- what there is ---- */

static void watch_by(unsigned sensors, const char *place, uint64_t from_ns, uint64_t place_from_ns, uint64_t to_ns)
{
    struct coverage c = { .sensors = sensors, .from_ns = from_ns, .watch = bytes_of(place) };
    struct coverage_place p = { .path = bytes_of(place), .permissions = WA, .from_ns = place_from_ns };
    uint64_t id;

    assert_int_equal(store_begin_coverage(store, &c, &id), 0);
    assert_int_equal(store_add_coverage_place(store, id, &p), 0);
    if (to_ns)
        assert_int_equal(store_end_coverage(store, id, to_ns), 0);
    assert_int_equal(store_flush(store, NULL), 0);
}

static void watch(const char *place, uint64_t from_ns, uint64_t to_ns)
{
    watch_by(SENSOR_BPF, place, from_ns, from_ns, to_ns);
}

static void add_gap(enum lost reason, unsigned sensor, uint64_t from_ns, uint64_t to_ns)
{
    struct gap gap = { .reason = reason, .count = 1, .from_ns = from_ns, .to_ns = to_ns, .sensor = sensor };

    assert_int_equal(store_add_gap(store, &gap), 0);
    assert_int_equal(store_flush(store, NULL), 0);
}

static void add_event(const char *file, uint64_t time_ns)
{
    static uint8_t id;
    struct event *e = make_event(OPERATION_UNLINK, file, NULL, NULL, time_ns);

    e->id[0] = ++id;
    assert_int_equal(store_add_event(store, e), 0);
    assert_int_equal(store_flush(store, NULL), 0);
    event_free(e);
}

static void change(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- asking ---- */

/* When the gaps begin that are found, in S. */
struct found {
    char text[128];
};

static int on_gap(void *data, const struct gap *gap)
{
    struct found *f = data;
    size_t used = strlen(f->text);

    snprintf(f->text + used, sizeof(f->text) - used, "%s%llu", used ? " " : "", (unsigned long long)(gap->from_ns / S));
    return 0;
}

static struct found ask(struct store_query q)
{
    struct found f = { "" };
    struct err err = ERR_INIT;

    /* a busy machine may write the beginning before the end is added, and that it was alive then is of the real clock */
    change("UPDATE coverage SET alive_ns = min(alive_ns, to_ns), beat_ns = min(beat_ns, to_ns) WHERE to_ns != 0");
    if (store_each_gap(store, &q, on_gap, &f, &err) < 0)
        fail_msg("%s", err.text);
    return f;
}

static void expect(const char *place, const char *gaps)
{
    struct found f = ask((struct store_query){ .path = bytes_of(place) });

    if (strcmp(f.text, gaps) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", place, f.text, gaps);
}

/* ---- */

static void only_what_was_watched_then_is_incomplete(void **state)
{
    (void)state;
    watch("/a", 10 * S, 20 * S);
    watch("/a", 40 * S, 50 * S);
    watch("/b", 25 * S, 60 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 1 * S, 2 * S);   /* nobody watched */
    add_gap(LOST_RING_FULL, SENSOR_BPF, 12 * S, 13 * S); /* within */
    add_gap(LOST_HEARTBEAT, 0, 27 * S, 28 * S);          /* b alone */
    add_gap(LOST_RING_FULL, SENSOR_BPF, 49 * S, 52 * S); /* over the end of one */
    add_gap(LOST_RING_FULL, SENSOR_BPF, 61 * S, 62 * S); /* after all */
    expect("/a", "12 49");
    expect("/a/deep/er", "12 49");
    expect("/b", "27 49");
    expect("/", "12 27 49"); /* parts of it were watched */
    expect("/c", "");        /* never: that is what is said of it */
}

static void a_gap_at_the_ends_of_spans_is_theirs(void **state)
{
    (void)state;
    watch("/a", 10 * S, 20 * S);
    watch("/a", 30 * S, 40 * S);
    add_gap(LOST_WATCH_WINDOW, 0, 8 * S, 10 * S);  /* until the first begins */
    add_gap(LOST_WATCH_WINDOW, 0, 20 * S, 30 * S); /* from one to the next */
    add_gap(LOST_WATCH_WINDOW, 0, 15 * S, 35 * S); /* over both */
    add_gap(LOST_WATCH_WINDOW, 0, 21 * S, 29 * S); /* between */
    add_gap(LOST_UNREAD, SENSOR_BPF, 40 * S, 41 * S);
    expect("/a", "8 15 20 40");
}

/* What could not be written is gone with the file; the span of the new one begins when that is found. */
static void what_the_store_lost_is_before_its_first_span(void **state)
{
    (void)state;
    watch("/a", 20 * S, 30 * S);
    add_gap(LOST_STORE, 0, 10 * S, 20 * S - NS_PER_S);
    add_gap(LOST_STORE, 0, 11 * S, 12 * S); /* long before */
    add_gap(LOST_RING_FULL, SENSOR_BPF, 19 * S, 20 * S - NS_PER_S);
    expect("/a", "10");
}

/* A container's place is known some moments after it has begun. */
static void a_place_that_came_later_has_its_first_moments(void **state)
{
    (void)state;
    watch_by(SENSOR_FANOTIFY, "/layers/x", 10 * S, 30 * S, 50 * S);
    add_gap(LOST_WATCH_WINDOW, SENSOR_FANOTIFY, 29 * S, 30 * S - 2 * NS_PER_S);
    add_gap(LOST_WATCH_WINDOW, SENSOR_FANOTIFY, 15 * S, 16 * S);
    expect("/layers/x/f", "29");
}

/* What concerns one watch is none of another's; what is not known to be elsewhere is reported. */
static void one_watch_has_gaps_of_its_own(void **state)
{
    static const struct {
        const char *path, *container;
    } places[] = { { "/a/w", "" }, { "/b", "" }, { "/prd", "web" }, { "", "" } };
    struct store_query web = { .path = bytes_of("/prd/x"), .container = bytes_of("web"), .kind = SELECTOR_NAME };

    (void)state;
    watch("/", 1 * S, 90 * S);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        struct gap gap = { .reason = LOST_WATCH_WINDOW, .from_ns = (i + 10) * S, .to_ns = (i + 10) * S + 1, .sensor = SENSOR_BPF };

        snprintf(gap.path, sizeof(gap.path), "%s", places[i].path);
        snprintf(gap.container, sizeof(gap.container), "%s", places[i].container);
        assert_int_equal(store_add_gap(store, &gap), 0);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    expect("/a", "10 12 13");      /* what is below it */
    expect("/a/w/f", "10 12 13");  /* and above */
    expect("/a/wide", "12 13");    /* another name */
    expect("/b", "11 12 13");
    expect("/", "10 11 12 13");
    change("INSERT INTO coverage_place (coverage, kind, permissions, from_ns, selector, container_name, path) SELECT coverage, 1, permissions, "
           "from_ns, CAST('web' AS BLOB), CAST('web' AS BLOB), CAST('/' AS BLOB) FROM coverage_place");
    assert_string_equal(ask(web).text, "10 11 12 13");
    web.path = bytes_of("/var");
    assert_string_equal(ask(web).text, "10 11 13");
    web.host_path = bytes_of("/b/layer");
    assert_string_equal(ask(web).text, "11 13");
}

static void another_sensor_has_gaps_of_its_own(void **state)
{
    (void)state;
    watch_by(SENSOR_BPF | SENSOR_AUDIT, "/a", 10 * S, 10 * S, 20 * S);
    watch_by(SENSOR_FANOTIFY, "/b", 10 * S, 10 * S, 20 * S);
    add_gap(LOST_FANOTIFY_QUEUE, SENSOR_FANOTIFY, 11 * S, 12 * S);
    add_gap(LOST_AUDIT_KERNEL, SENSOR_AUDIT, 13 * S, 14 * S);
    add_gap(LOST_SENSOR, SENSOR_BPF, 15 * S, 16 * S);
    add_gap(LOST_PROCESS_EVENTS, 0, 17 * S, 18 * S);
    expect("/a", "13 15 17");
    expect("/b", "11 17");
}

static void who_observes_still_has_no_end(void **state)
{
    (void)state;
    watch("/a", 10 * S, 0);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 5 * S, 6 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 90 * S, 91 * S);
    expect("/a", "90");
}

/* It lived beyond what it had seen: the end, and what it said itself until then, are its own. Nobody else's. */
static void whoever_was_killed_has_lost_his_end(void **state)
{
    (void)state;
    watch("/a", 10 * S, 20 * S);
    watch("/b", 10 * S, 40 * S);
    change("UPDATE coverage SET to_ns = 0, alive_ns = 2000000000000, beat_ns = 2500000000000, observer = x'' WHERE row = 1");
    add_gap(LOST_RING_FULL, SENSOR_BPF, 24 * S, 25 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 30 * S, 31 * S);
    expect("/a", "24 20");
    expect("/b", "24 30");
}

static void the_whole_record_has_all_gaps(void **state)
{
    (void)state;
    watch("/a", 10 * S, 20 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 1 * S, 2 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 30 * S, 31 * S);
    assert_string_equal(ask((struct store_query){ .any_victim = true }).text, "1 30");
    assert_string_equal(ask((struct store_query){ .any_victim = true, .since_ns = 25 * S }).text, "30");
}

/* Something is recorded of it, and no span says by whom: all gaps of that time may be of it. */
static void what_is_known_although_nobody_watched_has_all_gaps(void **state)
{
    (void)state;
    watch("/a", 10 * S, 20 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 12 * S, 13 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 30 * S, 31 * S);
    add_event("/old/file", 11 * S);
    add_event("/a/file", 11 * S);
    expect("/old", "12 30");
    expect("/a", "12");
    expect("/old/other", "");
}

/* What its rules were about is not known. */
static void a_log_may_have_had_a_containers_files(void **state)
{
    struct container *web = make_container("0123456789abcdef", "web");
    struct coverage c = { .sensors = SENSOR_AUDIT_LOG, .from_ns = 10 * S, .watch = bytes_of("/") };
    struct coverage_place p = { .kind = SELECTOR_NAME, .selector = bytes_of("web"), .path = bytes_of("/prd"), .permissions = WA };
    uint64_t id;

    (void)state;
    assert_int_equal(store_begin_coverage(store, &c, &id), 0);
    assert_int_equal(store_end_coverage(store, id, 20 * S), 0);
    c.sensors = SENSOR_BPF;
    c.from_ns = p.from_ns = 30 * S;
    assert_int_equal(store_begin_coverage(store, &c, &id), 0);
    assert_int_equal(store_add_coverage_place(store, id, &p), 0);
    assert_int_equal(store_end_coverage(store, id, 40 * S), 0);
    add_gap(LOST_AUDIT_KERNEL, SENSOR_AUDIT_LOG, 12 * S, 13 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 15 * S, 16 * S);
    assert_string_equal(ask((struct store_query){ .container = bytes_of("web"), .path = bytes_of("/prd/x") }).text, "12");
    expect("/etc", "12");
    container_unref(web);
}

/* More spans than are held apart, each with a gap behind it: none of what was watched is left out. */
static void more_spans_than_are_held_leave_nothing_out(void **state)
{
    const unsigned spans = 1100;
    struct store_query q = { .path = bytes_of("/a"), .since_ns = 2 * spans * S - S };

    (void)state;
    for (unsigned i = 1; i <= spans; i++) {
        struct coverage c = { .sensors = SENSOR_BPF, .from_ns = 2 * i * S, .watch = bytes_of("/a") };
        uint64_t id;

        assert_int_equal(store_begin_coverage(store, &c, &id), 0);
        assert_int_equal(store_end_coverage(store, id, (2 * i + 1) * S), 0);
    }
    add_gap(LOST_RING_FULL, SENSOR_BPF, 1 * S, 1 * S);
    add_gap(LOST_RING_FULL, SENSOR_BPF, 2 * spans * S, 2 * spans * S + 1);
    assert_string_equal(ask(q).text, "2200");
    q.since_ns = 0;
    assert_string_equal(ask(q).text, "2200");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_was_watched_then_is_incomplete),
        TEST(a_gap_at_the_ends_of_spans_is_theirs),
        TEST(what_the_store_lost_is_before_its_first_span),
        TEST(a_place_that_came_later_has_its_first_moments),
        TEST(one_watch_has_gaps_of_its_own),
        TEST(another_sensor_has_gaps_of_its_own),
        TEST(who_observes_still_has_no_end),
        TEST(whoever_was_killed_has_lost_his_end),
        TEST(the_whole_record_has_all_gaps),
        TEST(what_is_known_although_nobody_watched_has_all_gaps),
        TEST(a_log_may_have_had_a_containers_files),
        TEST(more_spans_than_are_held_leave_nothing_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
