/* SPDX-License-Identifier: MIT */
/* What is usual at a watch: which causes are new there, what is kept of them, also over a restart. */
#include "test.h"
#include "usual_play.h"

#include <stdio.h>

static void nothing_is_new_that_may_have_been_there(void **state)
{
    static const struct step rows[][8] = {
        { { 0, WATCHED }, { 8 * DAY, CHANGE, "/opt/a.sh", 8 } },                      /* learnt */
        { { 0, WATCHED }, { 6 * DAY, CHANGE, "/opt/a.sh", 0 } },                      /* not yet */
        { { 0, WATCHED }, { DAY, CHANGE, "/opt/a.sh", 0 }, { 9 * DAY, CHANGE, "/opt/a.sh", 0 }, { 9 * DAY, CHANGE, "/opt/b.sh", 9 } },
        { { 0, WATCHED }, { 40 * DAY, CHANGE, "/opt/a.sh", 30 } },                    /* more is not said */
        { { 0, WATCHED }, { 8 * DAY, CHANGE, "/opt/a.sh", 8 }, { 8 * DAY + S, CHANGE, "/opt/a.sh", 8 }, /* it still is, a moment later */
          { 8 * DAY + 16 * MINUTE, CHANGE, "/opt/a.sh", 0 } },
        { { 0, WATCHED }, { DAY, CHANGE, "/opt/a.sh", 0 }, { 32 * DAY, CHANGE, "/opt/a.sh", 30 } }, /* forgotten after 30 days */
        { { 0, WATCHED }, { 10 * DAY, GAP }, { 11 * DAY, CHANGE, "/opt/a.sh", 0 }, { 18 * DAY, CHANGE, "/opt/b.sh", 8 } },
        { { 0, WATCHED }, { 10 * DAY, DOUBT }, { 11 * DAY, CHANGE, "/opt/a.sh", 0 }, { 18 * DAY, CHANGE, "/opt/b.sh", 8 } },
        { { 0, WATCHED }, { 10 * DAY, SET_CLOCK }, { 11 * DAY, CHANGE, "/opt/a.sh", 0 }, { 18 * DAY, CHANGE, "/opt/b.sh", 8 } },
        { { 0, WATCHED }, { DAY, CLOCK }, { 9 * DAY, CHANGE, "/opt/a.sh", 0 } }, /* it was set just now: nobody has looked at it since */
        { { 0, WATCHED }, { 10 * DAY, RESTART }, { 10 * DAY, WATCHED }, { 11 * DAY, CHANGE, "/opt/a.sh", 0 }, { 18 * DAY, CHANGE, "/opt/b.sh", 8 } },
        /* what was seen before the restart is not new after it */
        { { 0, WATCHED }, { 9 * DAY, CHANGE, "/opt/a.sh", 9 }, { 10 * DAY, RESTART }, { 10 * DAY, WATCHED }, { 20 * DAY, CHANGE, "/opt/a.sh", 0 } },
        { { 0, WATCHED }, { DAY, GONE }, { 9 * DAY, CHANGE, "/opt/a.sh", 0 } },
        { { 0, WATCHED }, { DAY, GONE }, { 2 * DAY, WATCHED }, { 8 * DAY, CHANGE, "/opt/a.sh", 0 }, { 10 * DAY, CHANGE, "/opt/b.sh", 8 } },
        { { 0, WATCHED }, { 2 * DAY, OTHER_PERMISSIONS }, { 8 * DAY, CHANGE, "/opt/a.sh", 0 }, { 10 * DAY, CHANGE, "/opt/b.sh", 8 } },
        { { 0, WATCHED }, { 2 * DAY, WATCHED }, { 8 * DAY, CHANGE, "/opt/a.sh", 8 } }, /* it only was looked at again */
        { { 9 * DAY, CHANGE, "/opt/a.sh", 0 } },                                      /* never watched */
    };
    struct process *actor = job();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct usual *u = usual_new();
        struct usual_answer answer;
        uint64_t set_ns = 0; /* since then it is looked at */

        usual_set_learning(u, USUAL_LEARNING_NS);
        for (const struct step *s = rows[i]; s < rows[i] + ARRAY_SIZE(rows[i]) && s->what; s++) {
            uint64_t now = BEGIN + s->at;

            if (s->what == WATCHED || s->what == GONE || s->what == OTHER_PERMISSIONS)
                watch(u, s->what == WATCHED ? 2 : s->what == GONE ? 0 : 10, now);
            else if (s->what == GAP)
                usual_interrupt(u, now);
            else if (s->what == RESTART)
                u = restart(u, now);
            if (s->what == SET_CLOCK) {
                usual_clock(u, now - DAY, 100 * S);
                usual_clock(u, now, 101 * S);
                set_ns = now;
            } else if (s->what == CLOCK) {
                usual_clock(u, now, 101 * S);
            } else if (set_ns) {
                usual_clock(u, now, 101 * S + now - set_ns);
            }
            if (s->what != CHANGE && s->what != DOUBT)
                continue;
            happen(u, actor, s, &answer);
            if (s->what != CHANGE)
                continue;
            if (!s->new_days && answer.new_since_ns)
                fail_msg("row %zu, %s: is said to be new", i, s->script);
            if (s->new_days && (!answer.new_since_ns || (answer.first_ns - answer.new_since_ns) / DAY != s->new_days))
                fail_msg("row %zu, %s: not seen for %llu days", i, s->script,
                         (unsigned long long)(answer.new_since_ns ? (answer.first_ns - answer.new_since_ns) / DAY : 0));
        }
        usual_free(u);
    }
    process_unref(actor);
}

static void what_gave_way_is_not_new(void **state)
{
    struct process *actor = job();
    struct usual *u = usual_new();
    struct usual_answer answer;
    struct step old = { DAY, CHANGE, "/opt/old.sh" };
    struct sbuf text = SBUF_INIT;
    size_t heap = 0;
    char name[32];

    (void)state;
    usual_set_learning(u, USUAL_LEARNING_NS);
    watch(u, 2, BEGIN);
    happen(u, actor, &old, &answer);
    for (unsigned i = 0; i < USUAL_CAUSES_MAX + 1000; i++) {
        uint64_t at = 2 * DAY + i * S;

        snprintf(name, sizeof(name), "/%c%c%c%c/x.sh", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676 % 26, 'a' + i / 17576);
        happen(u, actor, &(struct step){ at, CHANGE, name }, &answer);
        if (i == USUAL_CAUSES_MAX)
            heap = heap_in_use();
    }
    if (heap)
        assert_true(heap_in_use() < heap + 64 * 1024);
    old.at = 8 * DAY;
    happen(u, actor, &old, &answer);
    assert_int_equal(answer.new_since_ns, 0); /* it was there six days ago, which nobody knows any more */
    assert_int_equal(answer.seen_since_ns, 0);
    happen(u, actor, &(struct step){ 11 * DAY, CHANGE, "/opt/new.sh" }, &answer);
    assert_true(answer.new_since_ns >= BEGIN + 2 * DAY);
    usual_write(u, &text);
    assert_non_null(strstr(sbuf_str(&text), "\"lost\":true"));
    sbuf_done(&text);
    usual_free(u);
    u = usual_new();
    assert_true(usual_take_lost(u, bytes_of(WATCH))); /* nor after a restart */
    watch(u, 2, BEGIN + 12 * DAY);
    old.at = 13 * DAY;
    happen(u, actor, &old, &answer);
    assert_int_equal(answer.seen_since_ns, 0);
    usual_free(u);
    process_unref(actor);
}

static void when_it_was_seen_first_is_not_forgotten(void **state)
{
    struct process *actor = job();
    struct usual *u = usual_new();
    struct usual_answer answer;

    (void)state;
    usual_set_learning(u, USUAL_LEARNING_NS);
    watch(u, 2, BEGIN);
    happen(u, actor, &(struct step){ DAY, CHANGE }, &answer);
    assert_int_equal(answer.seen_since_ns, BEGIN + DAY);
    happen(u, actor, &(struct step){ 32 * DAY, CHANGE }, &answer);
    assert_int_equal(answer.first_ns, BEGIN + 32 * DAY); /* it is new again; what it did before it did all the same */
    assert_int_equal(answer.seen_since_ns, BEGIN + DAY);
    usual_clock(u, BEGIN + 32 * DAY, 100 * S);
    happen(u, actor, &(struct step){ 32 * DAY, CHANGE, "/opt/b.sh" }, &answer);
    usual_clock(u, BEGIN + 31 * DAY, 101 * S); /* set back: /opt/b.sh was seen before whatever is changed now, and not a day later */
    happen(u, actor, &(struct step){ 31 * DAY + S, CHANGE, "/opt/b.sh" }, &answer);
    assert_int_equal(answer.seen_since_ns, 0);
    happen(u, actor, &(struct step){ 31 * DAY + S, CHANGE, "/opt/c.sh" }, &answer);
    assert_int_equal(answer.seen_since_ns, BEGIN + 31 * DAY + S);
    usual_free(u);
    process_unref(actor);
}

/* A cause on disk of a watch that is not there would make the whole file one that cannot be read. */
static void a_watch_gives_way_with_its_causes(void **state)
{
    struct process *actor = job();
    struct usual *u = usual_new();
    struct usual_answer answer;
    struct sbuf text = SBUF_INIT;
    char other[32];

    (void)state;
    usual_set_learning(u, USUAL_LEARNING_NS);
    watch(u, 2, BEGIN);
    happen(u, actor, &(struct step){ DAY, CHANGE }, &answer);
    watch(u, 0, BEGIN + DAY);
    usual_begin_watches(u);
    for (unsigned i = 0; i < USUAL_WATCHES_MAX; i++) {
        snprintf(other, sizeof(other), "/other/%u", i);
        usual_add_watch(u, bytes_of(other), 2, BEGIN + DAY);
    }
    usual_end_watches(u);
    usual_write(u, &text);
    assert_non_null(strstr(sbuf_str(&text), "/other/255"));
    assert_null(strstr(sbuf_str(&text), "\"cause\""));
    usual_begin_watches(u);
    usual_end_watches(u);
    watch(u, 2, BEGIN + 2 * DAY);
    happen(u, actor, &(struct step){ 3 * DAY, CHANGE }, &answer);
    assert_int_equal(answer.seen_since_ns, 0); /* it was seen when it was watched first */
    sbuf_done(&text);
    usual_free(u);
    process_unref(actor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_new_that_may_have_been_there),
        cmocka_unit_test(what_gave_way_is_not_new),
        cmocka_unit_test(when_it_was_seen_first_is_not_forgotten),
        cmocka_unit_test(a_watch_gives_way_with_its_causes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
