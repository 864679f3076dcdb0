/* SPDX-License-Identifier: MIT */
/* Matters: one alert each, at its time, with exact counts, in bounded memory. */
#include "test.h"
#include "alert_play.h"

#include <sys/stat.h>

#include "util/limits.h"

static void one_matter_is_one_alert(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    uint64_t now = 1000 * S;
    struct alerts_counts counts;
    struct heard h;
    struct alerts *a = begin(&h);

    (void)state;
    add(a, deletion(actor, "/srv/a", 1, 0), now);
    assert_int_equal(h.count, 0);
    alerts_tick(a, now + S + S / 10);
    assert_int_equal(h.count, 1); /* the first word, within two seconds */
    assert_int_equal(h.messages[0].state, ALERT_BEGINS);
    assert_int_equal(h.messages[0].events, 1);
    assert_int_equal(h.messages[0].severity, SEVERITY_MEDIUM);
    assert_string_equal(text_at(h.last, "culprit", "alert", "state"), "begins");
    assert_string_equal(text_at(h.last, "culprit", "alert", "severity"), "medium");
    assert_string_equal(text_at(h.last, "culprit", "alert", "first_file"), "/srv/a");
    assert_string_equal(text_at(h.last, "culprit", "alert", "sensors"), "fanotify");
    assert_string_equal(text_at(h.last, "culprit", "alert", "version"), CULPRIT_VERSION);
    assert_string_equal(text_at(h.last, "host", "name", NULL), "h");
    assert_non_null(strstr(text_at(h.last, "message", NULL, NULL), "/opt/clean.sh"));
    assert_non_null(strstr(text_at(h.last, "culprit", "alert", "page"), "/opt/clean.sh"));
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(json_object_get(json_object_get(h.last, "threat"), "technique"), "id"), 0)), "T1070.004");
    for (unsigned i = 1; i <= 10; i++)
        add(a, deletion(actor, "/srv/b", 1, i), now + 2 * S);
    alerts_tick(a, now + 299 * S);
    assert_int_equal(h.count, 1); /* not yet */
    alerts_tick(a, now + 302 * S);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.messages[1].state, ALERT_GOES_ON);
    assert_int_equal(h.messages[1].events, 11);
    assert_string_equal(text_at(h.last, "culprit", "alert", "last_file"), "/srv/b");
    alerts_tick(a, now + 700 * S);
    assert_int_equal(h.count, 2); /* nothing new */
    alerts_tick(a, now + 903 * S);
    assert_int_equal(h.count, 3);
    assert_int_equal(h.messages[2].state, ALERT_RESOLVED);
    assert_int_equal(h.messages[2].events, 11);
    assert_string_equal(h.messages[0].id, h.messages[2].id);
    alerts_look(a, &counts);
    assert_int_equal(counts.open, 0);
    assert_int_equal(counts.begun[SEVERITY_MEDIUM], 1);
    add(a, deletion(actor, "/srv/c", 1, 99), now + 2000 * S);
    alerts_tick(a, now + 2002 * S);
    assert_int_equal(h.count, 4); /* anew, and another one */
    assert_string_not_equal(h.messages[3].id, h.messages[0].id);
    end(a, &h);
    process_unref(actor);
}

static void on_reported(void *data, const struct event *event, const char *id)
{
    struct heard *h = data;

    (void)event;
    h->reported++;
    snprintf(h->reported_id, sizeof(h->reported_id), "%s", id);
}

/* Each event of an alert is known with its id, and what was done about it is in the next message, which comes at once. */
static void what_was_done_is_said(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    const struct expect_rules rules = { .rows = UINT64_C(1) << EXPECTED_PACKAGE };
    struct heard h = { 0 };
    struct alerts_options options = { .host = &host, .data = &h, .emit = on_alert, .reported = on_reported };
    uint64_t now = 1000 * S;
    const json_t *acts;
    struct alerts *a;

    (void)state;
    assert_int_equal(alerts_new(&options, &a), 0);
    alerts_set_rules(a, &rules);
    add(a, deletion(actor, "/srv/a", 1, 0), now);
    assert_int_equal(h.reported, 1);
    alerts_act(a, h.reported_id, "process 9, /usr/bin/rm: killed");
    alerts_tick(a, now + 2 * S);
    assert_int_equal(h.count, 1); /* in the first one */
    assert_string_equal(h.messages[0].id, h.reported_id);
    assert_non_null(strstr(text_at(h.last, "culprit", "alert", "id"), h.reported_id));
    acts = json_object_get(json_object_get(json_object_get(h.last, "culprit"), "alert"), "response");
    assert_int_equal(json_array_size(acts), 1);
    assert_string_equal(json_string_value(json_array_get(acts, 0)), "process 9, /usr/bin/rm: killed");
    alerts_tick(a, now + 4 * S);
    assert_int_equal(h.count, 1); /* nothing new */
    alerts_act(a, "0", "of none that there is");
    alerts_tick(a, now + 5 * S);
    assert_int_equal(h.count, 1);
    for (unsigned i = 0; i < 1000; i++)
        alerts_act(a, h.reported_id, "one more, which is bounded");
    alerts_tick(a, now + 6 * S);
    assert_int_equal(h.count, 2); /* at once */
    assert_int_equal(h.messages[1].state, ALERT_GOES_ON);
    acts = json_object_get(json_object_get(json_object_get(h.last, "culprit"), "alert"), "response");
    assert_true(json_array_size(acts) > 100 && json_array_size(acts) < 200);
    end(a, &h);
    process_unref(actor);
}

static void graver_is_said_at_once(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    uint64_t now = 1000 * S;
    struct heard h;
    struct alerts *a = begin(&h);
    struct event *e;

    (void)state;
    add(a, deletion(actor, "/srv/a", 1, 0), now);
    alerts_tick(a, now + 2 * S);
    e = deletion(actor, "/srv/a", 1, 1);
    e->operation = OPERATION_CHOWN;
    add(a, e, now + 3 * S);
    alerts_tick(a, now + 4 * S);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.messages[1].severity, SEVERITY_HIGH);
    assert_int_equal(h.messages[1].state, ALERT_GOES_ON);
    end(a, &h);
    process_unref(actor);
}

static void change(struct alerts *a, struct process *actor, enum operation operation, const char *path, const char *previous, uint64_t inode,
                   uint64_t now_ns)
{
    struct event *e = deletion(actor, path, 1, 0);

    e->operation = operation;
    e->file = (struct file_state){ .known = FILE_MODE | (inode ? FILE_INODE : 0), .mode = S_IFREG | 0755, .inode = inode };
    if (previous)
        event_set(e, &e->previous_path, bytes_of(previous));
    add(a, e, now_ns);
}

/* What a program makes and removes again is nobody's loss, however much it is. */
static void temporary_files_are_not_grave(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/cc", NULL);
    uint64_t now = 1000 * S;
    struct heard h;
    struct alerts *a = begin(&h);
    char path[64];

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(path, sizeof(path), "/srv/conftest%u", i);
        change(a, actor, OPERATION_CREATE, path, NULL, i + 1, now);
        change(a, actor, OPERATION_CHOWN, path, NULL, i + 1, now);
        change(a, actor, OPERATION_WRITE, path, NULL, i + 1, now);
        change(a, actor, OPERATION_UNLINK, path, NULL, i + 1, now);
    }
    change(a, actor, OPERATION_MKDIR, "/srv/tree", NULL, 0, now);
    for (unsigned i = 0; i < 500; i++) { /* of a directory of its own all is its own */
        snprintf(path, sizeof(path), "/srv/tree/%u", i);
        change(a, actor, OPERATION_CREATE, path, NULL, 0, now);
    }
    for (unsigned i = 0; i < 500; i++) {
        snprintf(path, sizeof(path), "/srv/tree/%u", i);
        change(a, actor, OPERATION_UNLINK, path, NULL, 0, now);
    }
    alerts_tick(a, now + 2 * S);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.messages[0].severity, SEVERITY_MEDIUM);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(json_object_get(h.last, "culprit"), "alert"), "kinds"),
                                                        "temporary")), 2000);
    end(a, &h);
    process_unref(actor);
}

/* Whoever makes a file first does not remove another one unseen. */
static void what_is_not_its_own_is_grave(void **state)
{
    static const struct {
        enum operation operation;
        const char *path, *previous;
        uint64_t inode, after_s;
    } rows[][3] = {
        { { OPERATION_CREATE, "/srv/d", NULL, 1, 0 }, { OPERATION_UNLINK, "/srv/d", NULL, 2, 0 } }, /* another file */
        { { OPERATION_CREATE, "/srv/d", NULL, 1, 0 }, { OPERATION_UNLINK, "/srv/d", NULL, 1, 301 } }, /* not a moment ago */
        { { OPERATION_MKDIR, "/srv/d", NULL, 1, 0 }, { OPERATION_RENAME, "/srv/d/ls", "/bin/ls", 2, 0 }, { OPERATION_UNLINK, "/srv/d/ls", NULL, 2, 0 } },
        { { OPERATION_CREATE, "/srv/d", NULL, 1, 0 }, { OPERATION_RENAME, "/srv/d", "/bin/ls", 0, 0 }, { OPERATION_UNLINK, "/srv/d", NULL, 0, 0 } },
        { { OPERATION_LINK, "/srv/d", NULL, 1, 0 }, { OPERATION_UNLINK, "/srv/d", NULL, 1, 0 } },
        { { OPERATION_CREATE, "/srv/d", NULL, 1, 0 }, { OPERATION_UNLINK, "/srv/dd", NULL, 1, 0 } },
    };
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct heard h;
        struct alerts *a = begin(&h);

        for (unsigned k = 0; k < 3 && rows[i][k].path; k++)
            change(a, actor, rows[i][k].operation, rows[i][k].path, rows[i][k].previous, rows[i][k].inode, (1000 + rows[i][k].after_s) * S);
        alerts_tick(a, 1303 * S);
        assert_int_equal(h.messages[h.count - 1].severity, SEVERITY_HIGH);
        end(a, &h);
    }
    process_unref(actor);
}

#define STORM 100000

static void a_storm_is_one_alert(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    uint64_t now = 1000 * S;
    struct alerts_counts counts;
    struct heard h;
    struct alerts *a = begin(&h);
    size_t half = 0;
    char path[64];

    (void)state;
    for (unsigned i = 0; i < STORM; i++) {
        snprintf(path, sizeof(path), "/srv/d%u/f%u", i % 100, i);
        add(a, deletion(actor, path, 1, i), now + i * (20 * S / STORM));
        if (i == STORM / 2)
            half = heap_in_use();
    }
    if (half)
        assert_true(heap_in_use() < half + 4 * 1024 * 1024); /* the second half needs nothing more */
    alerts_tick(a, now + 20 * S + ALERT_QUIET_NS + S);
    assert_int_equal(h.messages[0].state, ALERT_BEGINS);
    for (unsigned i = 1; i < h.count; i++)
        assert_string_equal(h.messages[i].id, h.messages[0].id);
    assert_true(h.count <= 3);
    assert_int_equal(h.messages[h.count - 1].state, ALERT_RESOLVED);
    assert_int_equal(h.messages[h.count - 1].events, STORM); /* exact */
    assert_int_equal(h.messages[h.count - 1].severity, SEVERITY_HIGH);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(h.last, "culprit"), "alert"), "events")), STORM);
    assert_true(h.longest <= ALERT_LINE_MAX);
    alerts_look(a, &counts);
    assert_int_equal(counts.reported, STORM);
    assert_int_equal(counts.seen, STORM);
    end(a, &h);
    process_unref(actor);
}

static void many_causes_are_bounded(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    uint64_t now = 1000 * S;
    struct alerts_counts counts;
    struct heard h;
    struct alerts *a = begin(&h);
    uint64_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        add(a, deletion(actor, "/srv/a", 1 + i % 1000, i), now);
    alerts_look(a, &counts);
    assert_true(counts.open <= 257);
    assert_int_equal(counts.reported, 5000);
    assert_true(counts.crowded > 0);
    alerts_tick(a, now + 2 * S);
    for (unsigned i = 0; i < h.count; i++)
        sum += h.messages[i].events;
    assert_int_equal(sum, 5000); /* each is in one alert */
    end(a, &h);
    process_unref(actor);
}

static void gaps_are_alerts(void **state)
{
    const struct gap full = { .reason = LOST_FANOTIFY_QUEUE, .count = 7, .text = "the queue was full" };
    const struct gap names = { .reason = LOST_PROCESS_EVENTS, .count = 7, .text = "names" };
    struct heard h;
    struct alerts *a = begin(&h);

    (void)state;
    alerts_gap(a, &full, 1000 * S);
    alerts_gap(a, &full, 1000 * S);
    alerts_gap(a, &names, 1000 * S);
    alerts_tick(a, 1002 * S);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.messages[0].severity, SEVERITY_HIGH);
    assert_int_equal(h.messages[0].events, 2);
    assert_non_null(strstr(text_at(h.last, "message", NULL, NULL), "lost 7 events: the queue was full"));
    end(a, &h);
}

/* A dockerd on a busy machine: no change is lost by that, and nobody is woken up. */
static void a_silent_engine_is_no_alert_at_once(void **state)
{
    struct gap begins = { .reason = LOST_ENGINE, .from_ns = 5 * S, .to_ns = 5 * S, .text = "docker: does not answer" };
    struct gap ends = { .reason = LOST_ENGINE, .from_ns = 5 * S, .to_ns = 35 * S, .text = "docker: does not answer" };
    struct heard h;
    struct alerts *a = begin(&h);

    (void)state;
    alerts_gap(a, &begins, 1000 * S);
    alerts_tick(a, 1030 * S);
    alerts_gap(a, &ends, 1030 * S);
    alerts_tick(a, 1100 * S);
    assert_int_equal(h.count, 0);
    alerts_gap(a, &begins, 2000 * S);
    alerts_tick(a, 2059 * S);
    assert_int_equal(h.count, 0);
    alerts_tick(a, 2060 * S);
    alerts_tick(a, 2070 * S);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.messages[0].severity, SEVERITY_LOW);
    assert_non_null(strstr(text_at(h.last, "message", NULL, NULL), "may not know every container: docker: does not answer"));
    ends.to_ns = 75 * S;
    alerts_gap(a, &ends, 2070 * S); /* said already */
    alerts_tick(a, 2080 * S);
    assert_int_equal(h.count, 1);
    end(a, &h);
}

/* Gaps of several places are one alert, which does not name the last of them alone. */
static void gaps_of_several_places(void **state)
{
    const struct gap first = { .reason = LOST_WATCH_WINDOW, .text = "something was mounted (/srv/a)" };
    const struct gap second = { .reason = LOST_WATCH_WINDOW, .text = "something was mounted (/srv/b)" };
    struct heard h;
    struct alerts *a = begin(&h);

    (void)state;
    alerts_gap(a, &first, 1000 * S);
    alerts_gap(a, &first, 1000 * S);
    alerts_tick(a, 1002 * S);
    assert_int_equal(h.count, 1);
    assert_non_null(strstr(text_at(h.last, "message", NULL, NULL), "may have missed events: something was mounted (/srv/a)"));
    alerts_gap(a, &second, 1003 * S);
    for (unsigned i = 0; i < 100; i++)
        alerts_gap(a, i % 2 ? &first : &second, 1003 * S);
    alerts_tick(a, 1303 * S);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.messages[1].events, 103);
    assert_non_null(strstr(text_at(h.last, "message", NULL, NULL), "may have missed events, more than once: "));
    end(a, &h);
}

/* Whoever removes files gives them their names. */
static void no_name_is_too_long_for_an_alert(void **state)
{
    static const char *const fillings[] = { "\x01", "\\", "\"", "\xff", "\xe2\x82\xac", "a" };
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    static char path[LIMIT_PATH];

    (void)state;
    for (size_t f = 0; f < ARRAY_SIZE(fillings); f++)
        for (unsigned with = 0; with < 2; with++) { /* one with a case, one without */
            size_t len = strlen(fillings[f]), at = 5;
            struct heard h;
            struct alerts *a = begin(&h);

            memcpy(path, "/srv/", 5);
            for (unsigned i = 0; at + len < sizeof(path); i++, at += len)
                memcpy(path + at, i % 100 == 99 && len == 1 ? "/" : fillings[f], len);
            path[at] = '\0';
            for (unsigned i = 0; !with && i < 30; i++)
                add(a, deletion(actor, "/srv/x", 100 + i, i), 1000 * S);
            add(a, deletion(actor, path, 1, 1000), 1000 * S);
            add(a, deletion(actor, path, 1, 1001), 1000 * S);
            alerts_tick(a, 1002 * S);
            assert_int_equal(h.count, with ? 1 : 31);
            assert_true(h.longest <= ALERT_LINE_MAX && h.longest_sentence <= ALERT_SENTENCE_MAX + 3);
            assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(h.last, "culprit"), "alert"), "events")), 2);
            assert_true(strncmp(text_at(h.last, "culprit", "alert", "first_file"), "/srv/", 5) == 0);
            end(a, &h);
        }
    process_unref(actor);
}

static void the_end_says_what_was_not_said(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    struct heard h;
    struct alerts *a = begin(&h);

    (void)state;
    add(a, deletion(actor, "/srv/a", 1, 0), 1000 * S);
    alerts_end(a, 1000 * S);
    assert_int_equal(h.count, 1);
    alerts_end(a, 1000 * S);
    assert_int_equal(h.count, 1);
    end(a, &h);
    process_unref(actor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_done_is_said),
        cmocka_unit_test(one_matter_is_one_alert),
        cmocka_unit_test(graver_is_said_at_once),
        cmocka_unit_test(temporary_files_are_not_grave),
        cmocka_unit_test(what_is_not_its_own_is_grave),
        cmocka_unit_test(a_storm_is_one_alert),
        cmocka_unit_test(many_causes_are_bounded),
        cmocka_unit_test(gaps_are_alerts),
        cmocka_unit_test(a_silent_engine_is_no_alert_at_once),
        cmocka_unit_test(gaps_of_several_places),
        cmocka_unit_test(no_name_is_too_long_for_an_alert),
        cmocka_unit_test(the_end_says_what_was_not_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
