/* SPDX-License-Identifier: MIT */
/* What is said where nothing was recorded: only what was watched all the time is called "nothing happened". */
#include "report/coverage.h"
#include "test.h"

#include "case.h"

#include "event/operation.h"

#define WA (PERMISSION_WRITE | PERMISSION_ATTR)
#define MINUTES (60 * NS_PER_S)

static void stored(struct bytes host_id)
{
    case_free(c);
    c = case_new(&(struct case_options){ .target = bytes_of("/x"), .command_status = -1, .stored = true,
                                         .host_id = host_id });
}

static void question(const char *target, uint64_t since_ns, uint64_t until_ns, const struct coverage *spans, size_t count)
{
    struct case_question q = { .target = bytes_of(target),
                               .sum = { .since_ns = since_ns, .until_ns = until_ns, .permissions = WA } };

    for (size_t i = 0; i < count; i++) {
        coverage_sum_add(&q.sum, &spans[i]);
        assert_int_equal(case_add_coverage(c, &spans[i]), 0);
    }
    if (!count)
        q.nearest = (struct coverage_nearest){ bytes_of("/y"), T0, 0 };
    assert_int_equal(case_add_question(c, &q), 0);
}

#define SPAN(from, to) { .sensors = SENSOR_AUDIT, .from_ns = T0 + (from)*MINUTES, .to_ns = T0 + (to)*MINUTES, \
                         .permissions = WA, .watch = { "/x", 2 } }

static const struct {
    struct coverage spans[3];
    size_t count;
    unsigned since, until; /* minutes after T0; 0: open */
    const char *extent, *says[3], *not;
} rows[] = {
    { .extent = "never", .says = { "/x was never watched; the nearest that was: /y, since ", ". What the host still knows: culprit clues /x" }, .not = "nothing happened" },
    { .spans = { SPAN(0, 30) }, .count = 1, .since = 10, .until = 20, .extent = "whole",
      .says = { "nothing happened to /x in 10 minutes, from ", " (audit; nothing lost)" } },
    { .spans = { SPAN(0, 15), SPAN(15, 30) }, .count = 2, .since = 10, .until = 20, .extent = "whole",
      .says = { "nothing happened to /x in 10 minutes" } },
    { .spans = { SPAN(0, 15) }, .count = 1, .since = 10, .until = 20, .extent = "at times",
      .says = { "nothing happened to /x while it was watched, from " }, .not = "in 10 minutes" },
    { .spans = { SPAN(0, 12), SPAN(14, 30) }, .count = 2, .since = 10, .until = 20, .extent = "at times",
      .says = { "while it was watched, from ", " in 2 spans, not for 2 minutes between them" }, .not = "in 10 minutes" },
    { .spans = { SPAN(0, 12), { .sensors = SENSOR_AUDIT, .from_ns = T0 + 12 * MINUTES + 532 * NS_PER_MS, .to_ns = T0 + 30 * MINUTES,
                                .permissions = WA, .watch = { "/x", 2 } } }, .count = 2, .since = 10, .until = 20,
      .extent = "at times", .says = { " in 2 spans, not for 532 ms between them" }, .not = "0 seconds" },
    { .spans = { SPAN(0, 10) }, .count = 1, .extent = "at times", .says = { "nothing happened to /x in 10 minutes, from " } },
    { .spans = { { .sensors = SENSOR_AUDIT, .from_ns = T0, .permissions = PERMISSION_WRITE } }, .count = 1, .since = 10,
      .extent = "partly",
      .says = { "nothing happened to /x as far as it was watched: not changes of permissions and owners, since " },
      .not = "in 10 minutes" },
    { .spans = { { .sensors = SENSOR_AUDIT, .from_ns = T0, .permissions = WA, .only = { "/x/a\0/x/b", 10 } } }, .count = 1,
      .since = 10, .extent = "partly", .says = { "nothing happened to /x as far as it was watched: only /x/a, /x/b, since " } },
    { .spans = { { .sensors = SENSOR_AUDIT_LOG, .from_ns = T0, .to_ns = T0 + 30 * MINUTES } }, .count = 1, .since = 10,
      .until = 20, .extent = "unknown",
      .says = { "nothing is recorded of /x; what the log's rules covered is not known (audit-log; nothing lost)" },
      .not = "nothing happened" },
};

static void how_far_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        json_t *all, *culprit;

        stored(BYTES_NULL);
        question("/x", rows[i].since ? T0 + rows[i].since * MINUTES : 0, rows[i].until ? T0 + rows[i].until * MINUTES : 0,
                 rows[i].spans, rows[i].count);
        for (size_t k = 0; k < 3 && rows[i].says[k]; k++)
            says(rows[i].says[k]);
        if (rows[i].not)
            says_not(rows[i].not);
        assert_false(case_answered(c));
        all = lines();
        culprit = json_object_get(json_array_get(all, 0), "culprit");
        assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(culprit, "watched"), 0), "extent")),
                            rows[i].extent);
        json_decref(all);
    }
}

static void time_is(json_t *time, const char *from, const char *to)
{
    assert_string_equal(json_string_value(json_object_get(time, "from")), from);
    if (to)
        assert_string_equal(json_string_value(json_object_get(time, "to")), to);
    else
        assert_null(json_object_get(time, "to"));
}

/* Whoever asks for JSON has the bounds of what was not watched in between, also of two watches that overlap, beside a verdict too. */
static void times_have_their_bounds(void **state)
{
    const struct coverage spans[] = { SPAN(0, 2), SPAN(1, 3), { .sensors = SENSOR_AUDIT, .from_ns = T0 + 5 * MINUTES, .permissions = WA } };
    json_t *all, *watched, *times;

    (void)state;
    stored(BYTES_NULL);
    question("/x", 0, 0, spans, ARRAY_SIZE(spans));
    question("/z", 0, 0, NULL, 0);
    add(OPERATION_UNLINK, "/x/f", agent, 0, 0);
    all = lines();
    watched = json_object_get(json_object_get(json_array_get(all, json_array_size(all) - 1), "culprit"), "watched");
    times = json_object_get(json_array_get(watched, 0), "times");
    assert_int_equal(json_array_size(times), 2);
    time_is(json_array_get(times, 0), "2026-11-24T02:45:35.000000000Z", "2026-11-24T02:48:35.000000000Z");
    time_is(json_array_get(times, 1), "2026-11-24T02:50:35.000000000Z", NULL);
    assert_null(json_object_get(json_array_get(watched, 1), "times"));
    json_decref(all);
}

/* Each target has its answer; beside a verdict only those that nobody watched. */
static void each_target_has_its_answer(void **state)
{
    const struct coverage span[] = { SPAN(0, 10) };

    (void)state;
    stored(BYTES_NULL);
    question("/x", 0, 0, span, 1);
    question("/z", 0, 0, NULL, 0);
    says("culprit: nothing happened to /x in 10 minutes");
    says("culprit: /z was never watched; the nearest that was: /y");
    add(OPERATION_UNLINK, "/x/f", agent, 0, 0);
    says("VERDICT");
    says("besides   /z was never watched");
    says_not("nothing happened");
}

/* Spans of one watch are one line, however many; those of others are bounded. */
static void lines_are_joined_and_bounded(void **state)
{
    struct coverage span = SPAN(0, 10);
    char watch[32];

    (void)state;
    stored(BYTES_NULL);
    for (unsigned i = 0; i < 100; i++) {
        span.from_ns = T0 + i * 60 * MINUTES;
        span.to_ns = span.from_ns + 10 * MINUTES;
        assert_int_equal(case_add_coverage(c, &span), 0);
    }
    add(OPERATION_UNLINK, "/x/f", agent, 0, 0);
    says(" in 100 spans, not for 3 days between them");
    says_not("more spans");
    for (unsigned i = 0; i < 27; i++) {
        snprintf(watch, sizeof(watch), "/w%u", i);
        span.watch = bytes_of(watch);
        assert_int_equal(case_add_coverage(c, &span), 0);
    }
    says("and 12 more spans");
}

/* A daemon that watched more for a while: a watch by another text, of the same. */
static void what_another_watched_meanwhile_is_no_hole(void **state)
{
    struct coverage spans[] = { SPAN(0, 10), SPAN(10, 20), SPAN(20, 30) };

    (void)state;
    spans[1].watch = bytes_of("/x /y");
    stored(BYTES_NULL);
    question("/x", 0, 0, spans, ARRAY_SIZE(spans));
    add(OPERATION_UNLINK, "/x/f", agent, 0, 0);
    says_not("not for");
    stored(BYTES_NULL);
    spans[1].from_ns += MINUTES;
    question("/x", 0, 0, spans, ARRAY_SIZE(spans));
    add(OPERATION_UNLINK, "/x/f", agent, 0, 0);
    says(" in 2 spans, not for 10 minutes between them");
}

static void another_machine_is_named(void **state)
{
    struct coverage span = SPAN(0, 10);

    (void)state;
    span.host_id = bytes_of("m1");
    span.host_name = bytes_of("db1");
    stored(bytes_of("m2"));
    question("/x", 0, 0, &span, 1);
    says("; on another machine: db1)");
    add(OPERATION_UNLINK, "/x/f", agent, 0, 0);
    says(", on another machine: db1, nothing lost");
    stored(bytes_of("m1"));
    question("/x", 0, 0, &span, 1);
    says_not("another machine");
}

/* A folder above the target moved, and came back. */
static void what_is_above_is_reported_with_what_it_meant(void **state)
{
    struct event *e = make_event(OPERATION_RENAME, "/data/gone", agent, NULL, T0);

    (void)state;
    event_set(e, &e->previous_path, bytes_of("/data/mid"));
    event_carry(e, bytes_of("/data/mid/leaf/k"));
    assert_bytes(e->carried, "/data/mid/leaf/k");
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
    says(" moved /data/mid to /data/gone");
    says(": /data/mid/leaf/k went with it.\n");
    e = make_event(OPERATION_RENAME, "/data/mid", agent, NULL, T0 + NS_PER_S);
    event_set(e, &e->previous_path, bytes_of("/data/gone"));
    event_carry(e, bytes_of("/data/mid/leaf/k"));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
    says(" moved /data/mid to /data/gone (/data/mid/leaf/k went with it) and moved /data/gone to /data/mid (/data/mid/leaf/k came "
         "with it)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(how_far_is_said),
        TEST(times_have_their_bounds),
        TEST(each_target_has_its_answer),
        TEST(lines_are_joined_and_bounded),
        TEST(what_another_watched_meanwhile_is_no_hole),
        TEST(another_machine_is_named),
        TEST(what_is_above_is_reported_with_what_it_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
