/* SPDX-License-Identifier: MIT */
/* Judging where memory runs out: each allocation fails once, one after the other, and from some on all do. Nothing crashes, and each event is
 * counted. */
#include "test.h"

#include <stdlib.h>

#include "alert/alerts.h"
#include "failing_memory.h"
#include "make.h"

#define CAUSES 300 /* more than are kept apart */

static void on_alert(void *data, const struct alert *alert)
{
    *(uint64_t *)data += alert->events;
}

static void judge(struct event *const *events, long at, bool all)
{
    uint64_t said = 0;
    const struct alerts_options options = { .data = &said, .emit = on_alert };
    struct alerts_counts counts;
    struct alerts *a = NULL;

    assert_int_equal(alerts_new(&options, &a), 0);
    fail_from(at, all);
    for (unsigned i = 0; i < CAUSES; i++)
        alerts_event(a, events[i], 1000 * NS_PER_S);
    alerts_own(a, "sink-x", SEVERITY_HIGH, "Alerts do not get out of sink x.", 1000 * NS_PER_S);
    alerts_tick(a, 1002 * NS_PER_S);
    fail_no_more();
    alerts_tick(a, 1003 * NS_PER_S);
    alerts_look(a, &counts);
    assert_int_equal(counts.seen, CAUSES);
    assert_int_equal(counts.reported, CAUSES);
    if (!failed)
        assert_int_equal(said, CAUSES + 1);
    else if (!all)
        assert_true(said >= CAUSES - 1); /* what could not be said is tried again */
    alerts_free(a);
}

static void each_allocation_fails(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    struct event *events[CAUSES];
    long at = 1;

    (void)state;
    for (unsigned i = 0; i < CAUSES; i++) {
        events[i] = make_event(OPERATION_UNLINK, "/srv/a", actor, NULL, 1700000000000000000ull + i);
        events[i]->cause.key = (struct fingerprint){ i + 1, i + 1 };
    }
    do
        judge(events, at, false);
    while (failed && (at += at < 200 ? 1 : 37));
    for (long from = 1; from < at; from += 211)
        judge(events, from, true);
    judge(events, 1, true);
    for (unsigned i = 0; i < CAUSES; i++)
        event_free(events[i]);
    process_unref(actor);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_allocation_fails) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
