/* SPDX-License-Identifier: MIT */
/* Lines as events come: what is folded, what one line takes in; nothing is left out. */
#include "test.h"

#include <stdio.h>

#include "make.h"
#include "report/live.h"

#define T0 1795488335000000000ull

static struct live live;
static struct sbuf out;
static struct process *rm, *cp;
static const struct sentence_style style = { 0 };
static uint64_t now;

static int set_up(void **state)
{
    (void)state;
    live = (struct live){ 0 };
    out = SBUF_INIT;
    now = 1000 * NS_PER_S;
    rm = make_process(10, "/usr/bin/rm", NULL);
    cp = make_process(11, "/usr/bin/cp", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    live_done(&live);
    sbuf_done(&out);
    process_unref(rm);
    process_unref(cp);
    return 0;
}

static void add(enum operation op, const char *path, struct process *who, uint64_t ms, uint64_t bytes)
{
    struct event *e = make_event(op, path, who, NULL, T0 + ms * NS_PER_MS);

    e->bytes = bytes;
    e->bytes_known = bytes > 0;
    live_event(&live, e, &style, now, &out);
    event_free(e);
}

static unsigned line_count(void)
{
    unsigned n = 0;

    for (const char *at = sbuf_str(&out); (at = strchr(at, '\n')); at++)
        n++;
    return n;
}

static void says(const char *what)
{
    if (!strstr(sbuf_str(&out), what))
        fail_msg("not said: %s\nbut:\n%s", what, sbuf_str(&out));
}

static void flush(void)
{
    live_flush(&live, &style, now, &out);
}

/* ---- folding ---- */

static void a_run_is_folded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        add(OPERATION_UNLINK, "/srv/a", rm, i, 0);
    assert_int_equal(line_count(), 3);
    flush();
    says("\n                        … and 7 more like this, until 02:45:35.009\n");
    assert_int_equal(line_count(), 4);
}

static void two_that_take_turns_are_folded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        add(OPERATION_UNLINK, "/srv/a", rm, 2 * i, 0);
        add(OPERATION_CHMOD, "/srv/b", cp, 2 * i + 1, 0);
    }
    assert_int_equal(line_count(), 6);
    flush();
    assert_int_equal(line_count(), 8);
    says("… and 7 more unlink by rm[10], until");
    says("… and 7 more like this, until");
}

/* find -exec rm: a process a file */
static void processes_of_one_program_are_a_run(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct process *p = make_process(100 + i, "/usr/bin/rm", NULL);

        add(OPERATION_UNLINK, "/srv/a", p, (unsigned)i, 0);
        process_unref(p);
    }
    add(OPERATION_CHMOD, "/srv/a", cp, 10, 0);
    flush();
    says("… and 7 more unlink by rm, until");
}

static void after_a_pause_lines_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add(OPERATION_UNLINK, "/srv/a", rm, i, 0);
    add(OPERATION_UNLINK, "/srv/b", rm, 3000, 0);
    says("… and 2 more like this");
    says("/srv/b");
}

static void a_fold_is_said_each_second(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add(OPERATION_UNLINK, "/srv/a", rm, i, 0);
    live_idle(&live, &style, now + NS_PER_S / 2, &out);
    assert_int_equal(line_count(), 3);
    live_idle(&live, &style, now + NS_PER_S, &out);
    assert_int_equal(line_count(), 4);
}

/* ---- one line a file ---- */

static void created_and_filled(void **state)
{
    (void)state;
    add(OPERATION_CREATE, "/srv/a", cp, 0, 0);
    add(OPERATION_OPEN_WRITE, "/srv/a", cp, 0, 0);
    add(OPERATION_WRITE, "/srv/a", cp, 1, 1000);
    add(OPERATION_WRITE, "/srv/a", cp, 2, 500);
    assert_int_equal(line_count(), 0);
    live_idle(&live, &style, now + NS_PER_S / 10, &out);
    assert_int_equal(line_count(), 1);
    says("create      /srv/a  1.5 kB written");
}

static void two_at_once(void **state)
{
    (void)state;
    add(OPERATION_CREATE, "/srv/a", cp, 0, 0);
    add(OPERATION_CREATE, "/srv/b", rm, 0, 0);
    add(OPERATION_WRITE, "/srv/a", cp, 1, 1000);
    add(OPERATION_WRITE, "/srv/b", rm, 2, 500);
    flush();
    assert_int_equal(line_count(), 2);
    says("/srv/a  1.0 kB written");
    says("/srv/b  500 B written");
}

static void what_another_one_writes_is_a_line(void **state)
{
    (void)state;
    add(OPERATION_CREATE, "/srv/a", cp, 0, 0);
    add(OPERATION_WRITE, "/srv/a", rm, 1, 1000);
    flush();
    assert_int_equal(line_count(), 2);
}

static void what_came_between_is_a_line(void **state)
{
    (void)state;
    add(OPERATION_CREATE, "/srv/a", cp, 0, 0);
    add(OPERATION_CHMOD, "/srv/a", cp, 1, 0);
    add(OPERATION_WRITE, "/srv/a", cp, 2, 1000);
    flush();
    assert_int_equal(line_count(), 3);
}

static void a_doubt_is_a_line(void **state)
{
    struct event *e = make_event(OPERATION_WRITE, "/srv/a", cp, NULL, T0);

    (void)state;
    add(OPERATION_CREATE, "/srv/a", cp, 0, 0);
    e->note = bytes_of("still open");
    live_event(&live, e, &style, now, &out);
    event_free(e);
    flush();
    assert_int_equal(line_count(), 2);
    says("still open");
}

static void in_order_of_time(void **state)
{
    const char *a, *b;

    (void)state;
    add(OPERATION_CREATE, "/srv/a", cp, 0, 0);
    add(OPERATION_UNLINK, "/srv/b", rm, 1, 0);
    flush();
    a = strstr(sbuf_str(&out), "/srv/a");
    b = strstr(sbuf_str(&out), "/srv/b");
    assert_true(a && b && a < b);
}

/* A storm of new files: the lines, what they take in and what is folded are all of it. */
static void a_storm_is_bounded(void **state)
{
    char path[32];

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(path, sizeof(path), "/srv/%u", i);
        add(OPERATION_CREATE, path, cp, i / 100, 0);
        add(OPERATION_WRITE, path, cp, i / 100, 10);
    }
    flush();
    says("… and 9997 more like this, until"); /* what was written goes with them */
    assert_int_equal(line_count(), 3 + 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_folded),
        TEST(two_that_take_turns_are_folded),
        TEST(processes_of_one_program_are_a_run),
        TEST(after_a_pause_lines_again),
        TEST(a_fold_is_said_each_second),
        TEST(created_and_filled),
        TEST(two_at_once),
        TEST(what_another_one_writes_is_a_line),
        TEST(what_came_between_is_a_line),
        TEST(a_doubt_is_a_line),
        TEST(in_order_of_time),
        TEST(a_storm_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
