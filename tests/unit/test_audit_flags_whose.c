/* SPDX-License-Identifier: MIT */
/* Whose of several calls changed which file's flags, by the facts alone. */
#include "sensor/audit/flags_whose.h"
#include "test.h"

#include <string.h>

#include "util/clock.h"

enum { A = 100, B = 200, MAX = 8 };

/* Milliseconds after some moment. */
#define AT_MS(ms) (1000 + (uint64_t)(ms))
#define AT_NS(ms) ((int64_t)(AT_MS(ms) * NS_PER_MS))

struct scene {
    struct flags_call calls[MAX];
    struct flags_change changes[MAX];
    size_t calls_n, changes_n;
    uint64_t number;
};

/* All these processes have ended. Its record is read long after. */
static struct flags_call *call(struct scene *s, uint64_t ms, pid_t pid)
{
    struct flags_call *c = &s->calls[s->calls_n++];

    *c = (struct flags_call){ .time_ms = AT_MS(ms), .serial = s->calls_n, .read_ns = AT_NS(5000), .pid = pid, .number = ++s->number };
    return c;
}

/* Found by looking, now. */
static struct flags_change *change(struct scene *s, uint64_t ms)
{
    struct flags_change *c = &s->changes[s->changes_n++];

    *c = (struct flags_change){ .ctime_ns = AT_NS(ms), .is_of_flags = true, .found = ++s->number };
    return c;
}

/* All files had been looked at when its record had been read. */
static void looked(struct scene *s, struct flags_call *c)
{
    c->looked = s->number;
}

static void decide(struct scene *s)
{
    struct flags_change *changes[MAX];

    for (size_t i = 0; i < s->changes_n; i++)
        changes[i] = &s->changes[i];
    audit_flags_whose(changes, s->changes_n, s->calls, s->calls_n);
}

static pid_t whose(const struct flags_change *c)
{
    return c->by ? c->by->pid : 0;
}

/* Two files, changed by A and by B in one tick, both looked at after that. */
static void two_in_one_tick_are_nobodys(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g;

    (void)state;
    call(&s, 0, A);
    call(&s, 0, B);
    f = change(&s, 0);
    g = change(&s, 0);
    decide(&s);
    assert_int_equal(whose(f), 0);
    assert_int_equal(whose(g), 0);
}

static void two_in_different_ticks_are_named(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g;

    (void)state;
    call(&s, 0, A);
    call(&s, 4, B);
    g = change(&s, 4); /* found first */
    f = change(&s, 0);
    decide(&s);
    assert_int_equal(whose(f), A); /* B's came after it */
    assert_int_equal(whose(g), B); /* A's changed the other one */
}

/* In one tick, too, where each was looked for as soon as its record had come. */
static void two_looks_distinguish_them(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g;
    struct flags_call *a, *b;

    (void)state;
    a = call(&s, 0, A);
    f = change(&s, 0);
    looked(&s, a);
    b = call(&s, 0, B);
    g = change(&s, 0);
    looked(&s, b);
    decide(&s);
    assert_int_equal(whose(f), A);
    assert_int_equal(whose(g), B);
    assert_ptr_equal(f->by, a);
    assert_ptr_equal(g->by, b);
}

/* One of them was made elsewhere. */
static void one_file_of_two_calls_is_nobodys(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f;

    (void)state;
    call(&s, 0, A);
    call(&s, 50, B);
    f = change(&s, 50);
    decide(&s);
    assert_int_equal(whose(f), 0); /* whoever calls can be kept waiting */
}

static void of_one_process_it_is_that_process(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g;

    (void)state;
    call(&s, 0, A);
    call(&s, 0, A);
    f = change(&s, 0);
    g = change(&s, 0);
    decide(&s);
    assert_int_equal(whose(f), A);
    assert_int_equal(whose(g), A);
    assert_ptr_not_equal(f->by, g->by); /* the identities of two events */
}

/* Two of a process's calls changed one of its files each, or one of them the file of the other process. */
static void a_process_with_one_call_more_leaves_it_open(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g;
    struct flags_call *first;

    (void)state;
    first = call(&s, 0, A);
    call(&s, 0, A);
    f = change(&s, 0);
    call(&s, 4, B);
    g = change(&s, 4);
    decide(&s);
    assert_int_equal(whose(f), A);
    assert_int_equal(whose(g), 0);
    assert_int_equal(first->use, FLAGS_CALL_TAKEN);
}

static void a_process_whose_calls_are_all_used_leaves_the_other(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g, *h;

    (void)state;
    call(&s, 0, A);
    call(&s, 0, A);
    f = change(&s, 0);
    g = change(&s, 0);
    call(&s, 4, B);
    h = change(&s, 4);
    decide(&s);
    assert_int_equal(whose(f), A);
    assert_int_equal(whose(g), A);
    assert_int_equal(whose(h), B);
}

/* The one that has one call gets it, whichever was found first. */
static void what_has_one_call_comes_first(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g;

    (void)state;
    call(&s, 0, A);
    call(&s, 4, A);
    f = change(&s, 4);
    g = change(&s, 0);
    decide(&s);
    assert_int_equal(whose(f), A);
    assert_int_equal(whose(g), A);
}

/* Each of two files may have been changed by the call after the one that it is given: so the first call is open, too. */
static void what_is_open_passes_on(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g, *h;
    struct flags_call *first, *second;

    (void)state;
    first = call(&s, 0, A);
    second = call(&s, 50, A);
    call(&s, 150, A);
    call(&s, 95, B)->read_ns = AT_NS(120);
    f = change(&s, 90);  /* by the first or the second */
    g = change(&s, 150); /* by the second or the third */
    looked(&s, second);
    h = change(&s, 100); /* by the first, or by B */
    decide(&s);
    assert_int_equal(whose(f), A);
    assert_int_equal(whose(g), A);
    assert_int_equal(first->use, FLAGS_CALL_TAKEN);
    assert_int_equal(whose(h), 0);
}

/* The record of the call comes when the file has been found, after that of another one. */
static void a_late_call_counts(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f, *g;
    struct flags_call *a;

    (void)state;
    a = call(&s, 0, A);
    f = change(&s, 0);
    g = change(&s, 4);
    looked(&s, a);
    call(&s, 4, B);
    decide(&s);
    assert_int_equal(whose(f), A);
    assert_int_equal(whose(g), B);
}

static void a_late_call_of_the_same_tick_makes_it_nobodys(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f;
    struct flags_call *a;

    (void)state;
    a = call(&s, 0, A);
    f = change(&s, 0);
    looked(&s, a);
    call(&s, 0, B);
    decide(&s);
    assert_int_equal(whose(f), 0);
}

/* What was certain when it was reported stays so. */
static void a_used_call_is_nobody_elses(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f;

    (void)state;
    call(&s, 0, A)->use = FLAGS_CALL_USED;
    call(&s, 0, B);
    f = change(&s, 0);
    decide(&s);
    assert_int_equal(whose(f), B);
}

static void a_taken_call_may_be_another_ones(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f;

    (void)state;
    call(&s, 0, A)->use = FLAGS_CALL_TAKEN;
    call(&s, 0, B);
    f = change(&s, 0);
    decide(&s);
    assert_int_equal(whose(f), 0);
}

/* One call is that of one file, whoever did the other. */
static void one_call_is_of_one_file(void **state)
{
    struct scene s = { 0 };

    (void)state;
    call(&s, 0, A);
    change(&s, 0);
    change(&s, 0);
    decide(&s);
    assert_int_equal((s.changes[0].by != NULL) + (s.changes[1].by != NULL), 1);
}

static void times_say_which_calls_it_may_be(void **state)
{
    struct scene s = { 0 };
    struct flags_call *a = call(&s, 0, A);
    struct flags_change *f = change(&s, 0);

    (void)state;
    assert_true(audit_flags_may_be_by(f, a));
    f->ctime_ns = AT_NS(0) - 1; /* before the call began */
    assert_false(audit_flags_may_be_by(f, a));
    f->ctime_ns = AT_NS(101) - 1;
    assert_true(audit_flags_may_be_by(f, a));
    f->ctime_ns = AT_NS(101);
    assert_false(audit_flags_may_be_by(f, a));
    f->is_of_flags = false; /* the flags were changed before, perhaps */
    assert_true(audit_flags_may_be_by(f, a));
    f->ctime_ns = AT_NS(0) - 1;
    assert_false(audit_flags_may_be_by(f, a));
    f->ctime_ns = AT_NS(50);
    a->read_ns = AT_NS(50) - 1; /* it had ended */
    assert_true(audit_flags_may_be_by(f, a));
    f->is_of_flags = true;
    assert_false(audit_flags_may_be_by(f, a));
    f->ctime_ns = -1;
    assert_false(audit_flags_may_be_by(f, a));
}

/* Its mode was changed after its flags: at the time of another process's call. */
static void a_file_that_was_changed_since_may_be_an_earlier_calls(void **state)
{
    struct scene s = { 0 };
    struct flags_change *f;

    (void)state;
    call(&s, 0, A);
    call(&s, 150, B);
    f = change(&s, 150);
    f->is_of_flags = false;
    decide(&s);
    assert_int_equal(whose(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_in_one_tick_are_nobodys),
        cmocka_unit_test(two_in_different_ticks_are_named),
        cmocka_unit_test(two_looks_distinguish_them),
        cmocka_unit_test(one_file_of_two_calls_is_nobodys),
        cmocka_unit_test(of_one_process_it_is_that_process),
        cmocka_unit_test(a_process_with_one_call_more_leaves_it_open),
        cmocka_unit_test(a_process_whose_calls_are_all_used_leaves_the_other),
        cmocka_unit_test(what_has_one_call_comes_first),
        cmocka_unit_test(what_is_open_passes_on),
        cmocka_unit_test(a_late_call_counts),
        cmocka_unit_test(a_late_call_of_the_same_tick_makes_it_nobodys),
        cmocka_unit_test(a_used_call_is_nobody_elses),
        cmocka_unit_test(a_taken_call_may_be_another_ones),
        cmocka_unit_test(one_call_is_of_one_file),
        cmocka_unit_test(times_say_which_calls_it_may_be),
        cmocka_unit_test(a_file_that_was_changed_since_may_be_an_earlier_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
