/* SPDX-License-Identifier: MIT */
/* What alerts say beside what they are: a burst, what comes after each start, programs that were changed. */
#include "test.h"
#include "usual_play.h"

#include <stdio.h>

#include "alert/alerts.h"
#include "alert/facts.h"
#include "cause/habit.h"

/* ---- the same cause again ---- */

static void a_habit_has_no_moments(void **state)
{
    static const struct {
        enum run_kind kind;
        enum launcher_kind launcher;
        const char *name, *text, *other_name, *other_text;
        enum { SAME, ANOTHER, UNKNOWN } result;
        const char *interpreter, *other_interpreter, *file, *other_file;
    } rows[] = {
        { RUN_SCRIPT, LAUNCHER_CRON, "/opt/clean.sh", "", "/opt/clean.sh", "", SAME },
        { RUN_SCRIPT, LAUNCHER_CRON, "/opt/clean.sh", "", "/opt/clear.sh", "", ANOTHER },
        { RUN_SCRIPT, LAUNCHER_CRON, "/tmp/tmp.aBcD/x.sh", "", "/tmp/tmp.EfGh/x.sh", "", SAME },
        { RUN_SCRIPT, LAUNCHER_CRON, "/builds/17/x.sh", "", "/builds/18/x.sh", "", SAME },
        { RUN_TEXT, LAUNCHER_CRON, "sh", "rm /srv/20260101.log", "sh", "rm /srv/20260102.log", SAME },
        { RUN_TEXT, LAUNCHER_CRON, "sh", "rm /srv/x", "sh", "rm /srv/y", ANOTHER },
        { RUN_COMMAND, LAUNCHER_PERSON, "rm", "", "rm", "", SAME },
        { RUN_COMMAND, LAUNCHER_UNKNOWN, "rm", "", "rm", "", UNKNOWN }, /* a script that was not seen may have run it */
        { RUN_SCRIPT, LAUNCHER_UNKNOWN, "/opt/x.sh", "", "/opt/x.sh", "", SAME },
        { RUN_UNKNOWN, LAUNCHER_CRON, "", "", "", "", UNKNOWN },
        { RUN_TARGET, LAUNCHER_CRON, "all", "", "all", "", SAME, "make", "make", "fix.mk", "fix.mk" },
        { RUN_TARGET, LAUNCHER_CRON, "all", "", "all", "", ANOTHER, "make", "make", NULL, "fix.mk" },
        { RUN_TARGET, LAUNCHER_CRON, "", "", "", "", SAME, "make", "make" },
        { RUN_TARGET, LAUNCHER_CRON, "", "", "", "", ANOTHER, "make", "ninja" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct process *a = job(), *b = job();
        struct event *one = change(a, rows[i].name, BEGIN), *other = change(b, rows[i].other_name, BEGIN + DAY);
        struct fingerprint x, y;

        one->cause.run.kind = other->cause.run.kind = rows[i].kind;
        one->cause.launcher.kind = other->cause.launcher.kind = rows[i].launcher;
        one->cause.run.text = bytes_of(rows[i].text);
        other->cause.run.text = bytes_of(rows[i].other_text);
        one->cause.run.interpreter = bytes_of(rows[i].interpreter);
        other->cause.run.interpreter = bytes_of(rows[i].other_interpreter);
        one->cause.run.file = bytes_of(rows[i].file);
        other->cause.run.file = bytes_of(rows[i].other_file);
        x = cause_find_habit(one);
        y = cause_find_habit(other);
        if (rows[i].result == UNKNOWN)
            assert_true(!x.number && !y.number);
        else
            assert_true(x.number && y.number && fingerprint_equal(x, y) == (rows[i].result == SAME));
        event_free(one);
        event_free(other);
        process_unref(a);
        process_unref(b);
    }
}

/* ---- a burst ---- */

struct load {
    uint64_t at; /* from BEGIN */
    unsigned changes;
    uint64_t apart_ns;
};

static void a_burst_is_more_than_the_watch_ever_had(void **state)
{
    static const struct {
        struct load before[4];
        enum step_kind then; /* at 9 days */
        struct load now;
        uint64_t burst, busiest;
    } rows[] = {
        { { { 0 } }, END, { 10 * DAY, 50, 0 }, 50, 0 },
        { { { 0 } }, END, { 10 * DAY, 49, 0 }, 0, 0 },
        { { { 0 } }, END, { 6 * DAY, 500, 0 }, 0, 0 },                                  /* not learnt yet */
        { { { 5 * DAY, 100, 0 } }, END, { 10 * DAY, 300, 0 }, 0, 0 },                   /* not more than three times */
        { { { 5 * DAY, 100, 0 } }, END, { 10 * DAY, 301, 0 }, 301, 100 },
        { { { 5 * DAY, 100, 0 }, { 6 * DAY, 20, 0 } }, END, { 10 * DAY, 400, 0 }, 400, 100 },
        { { { 5 * DAY, 100, 0 } }, END, { 25 * DAY, 60, 0 }, 60, 0 },                   /* longer ago than 14 days */
        { { { 5 * DAY, 60, 20 * S } }, END, { 10 * DAY, 91, 0 }, 91, 30 },               /* ten minutes of twenty */
        { { { 0 } }, END, { 10 * DAY, 60, 20 * S }, 0, 0 },                             /* thirty in each ten minutes */
        { { { 0 } }, END, { 10 * DAY, 120, 10 * S }, 60, 0 },
        { { { 5 * DAY, 100, 0 } }, GAP, { 10 * DAY, 500, 0 }, 0, 0 },
        { { { 5 * DAY, 100, 0 } }, GAP, { 17 * DAY, 500, 0 }, 500, 100 },
        { { { 5 * DAY, 100, 0 } }, RESTART, { 10 * DAY, 500, 0 }, 0, 0 },
        { { { 5 * DAY, 100, 0 } }, RESTART, { 17 * DAY, 300, 0 }, 0, 0 },               /* before the restart counts too */
        { { { 9 * DAY - S, 100, 0 } }, RESTART, { 17 * DAY, 300, 0 }, 0, 0 },           /* its last minute as well */
        { { { 10 * DAY - 15 * MINUTE, 20, 0 } }, END, { 10 * DAY, 61, 0 }, 61, 20 },
        { { { 10 * DAY - 15 * MINUTE, 20, 0 } }, END, { 10 * DAY, 60, 0 }, 0, 0 },
        { { { 10 * DAY - S, 20, 0 } }, END, { 10 * DAY, 61, 0 }, 61, 20 },              /* others, just now */
        { { { 10 * DAY - S, 20, 0 } }, END, { 10 * DAY, 60, 0 }, 0, 0 },
    };
    struct process *actor = job();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct usual *u = usual_new();
        struct facts f = { 0 };
        struct usual_answer answer;
        struct event *e;

        usual_set_learning(u, USUAL_LEARNING_NS);
        watch(u, 2, BEGIN);
        for (unsigned k = 0; rows[i].before[k].changes; k++)
            for (unsigned n = 0; n < rows[i].before[k].changes; n++) {
                const struct load *l = &rows[i].before[k];

                happen(u, actor, &(struct step){ l->at + n * l->apart_ns, CHANGE, "/opt/a.sh" }, &answer);
            }
        if (rows[i].then == GAP)
            usual_interrupt(u, BEGIN + 9 * DAY);
        if (rows[i].then == RESTART) {
            u = restart(u, BEGIN + 9 * DAY);
            watch(u, 2, BEGIN + 9 * DAY);
        }
        for (unsigned n = 0; n < rows[i].now.changes; n++) {
            e = change(actor, "/opt/b.sh", BEGIN + rows[i].now.at + n * rows[i].now.apart_ns);
            usual_event(u, e, &answer);
            facts_add(&f, e, &answer);
            event_free(e);
        }
        if (f.burst != rows[i].burst || (f.burst && f.busiest != rows[i].busiest))
            fail_msg("row %zu: %llu changes, at most %llu before", i, (unsigned long long)f.burst, (unsigned long long)f.busiest);
        usual_free(u);
    }
    process_unref(actor);
}

static void attempts_are_no_changes(void **state)
{
    static const struct {
        enum operation operation;
        int error;
        bool is;
    } rows[] = { { OPERATION_UNLINK, 0, true }, { OPERATION_UNLINK, 13, false }, { OPERATION_UNLINK, -1, false }, { OPERATION_READ, 0, false },
                 { OPERATION_EXEC, 0, false }, { OPERATION_OPEN_WRITE, 0, false }, { OPERATION_CHMOD, 0, true }, { OPERATION_WRITE, 0, true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct event *e = make_event(rows[i].operation, "/srv/a", NULL, NULL, BEGIN);

        e->error = rows[i].error;
        assert_int_equal(minutes_is_change(e), rows[i].is);
        event_free(e);
    }
}

/* ---- after each start ---- */

static void each_start_means_each(void **state)
{
    static const struct {
        const char *story; /* s: a start; q: another one a second after it; a: two changes, a second after it; o: one that is not after a start; f: a start may be missed */
        bool is;
    } rows[] = {
        { "sasasasasa", true },   { "sasasasas", false },     { "sasasasa", false },      { "ssasasasasa", true }, { "sasassasasa", false },
        { "sasasasasao", false }, { "osasasasasa", true },    { "sasaosasasa", false },   { "sasafsasasa", false }, { "ssssssa", false },
        { "aaaaa", false },       { "sasasasasasasa", true }, { "sasasasasas", false },   { "sasasasaq", false },
    };
    struct process *actor = job();
    struct container *web = make_container("1234", "web");
    const struct fingerprint matter = { 1, 1 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct starts *s = starts_new();
        struct starts_fact fact;
        uint64_t now = BEGIN, start = BEGIN;

        for (const char *c = rows[i].story; *c; c++) {
            struct event *e = change(actor, "/opt/a.sh", now);

            e->victim = container_ref(web);
            now += 3600 * S;
            if (*c == 's' || *c == 'q') {
                struct lifecycle_event life = { .kind = LIFECYCLE_START, .time_ns = start = *c == 's' ? now : start + S, .container = web };

                starts_life(s, &life);
            } else if (*c == 'f') {
                starts_forget(s);
            }
            for (unsigned n = 0; n < 2 && (*c == 'a' || *c == 'o'); n++) {
                e->since_start_known = true;
                e->since_start_ns = *c == 'o' ? (int64_t)(now - start) : (int64_t)(S + n * S + S / 4);
                e->time_ns = *c == 'o' ? now : start + (uint64_t)e->since_start_ns + S / 5; /* the engine's times differ by a little */
                e->since_start_ns += (int64_t)(S / 5) - (int64_t)(S / 10);
                starts_event(s, e, matter);
            }
            event_free(e);
        }
        if (starts_each(s, web, matter, &fact) != rows[i].is)
            fail_msg("row %zu: %s", i, rows[i].story);
        if (rows[i].is)
            assert_true(fact.earliest_ns > (int64_t)S && fact.latest_ns < 2 * (int64_t)S);
        assert_false(starts_each(s, NULL, matter, &fact));
        starts_free(s);
    }
    container_unref(web);
    process_unref(actor);
}

/* ---- the program itself ---- */

static void what_was_changed_before_it_began(void **state)
{
    static const struct {
        enum operation operation;
        const char *changed, *victim, *script;
        uint64_t change_s, start_s, first_seen_s, event_s;
        bool is;
    } rows[] = {
        { OPERATION_WRITE, "/opt/a.sh", NULL, "/opt/a.sh", 100, 1000, 1001, 1001, true },
        { OPERATION_RENAME, "/opt/a.sh", NULL, "/opt/a.sh", 100, 1000, 1001, 1001, true },
        { OPERATION_CHMOD, "/opt/a.sh", NULL, "/opt/a.sh", 100, 1000, 1001, 1001, false },
        { OPERATION_UNLINK, "/opt/a.sh", NULL, "/opt/a.sh", 100, 1000, 1001, 1001, false },
        { OPERATION_WRITE, "/opt/b.sh", NULL, "/opt/a.sh", 100, 1000, 1001, 1001, false },     /* another one */
        { OPERATION_WRITE, "/opt/a.sh", "web", "/opt/a.sh", 100, 1000, 1001, 1001, false },    /* a container's */
        { OPERATION_WRITE, "/opt/a.sh", NULL, "/opt/a.sh", 1000, 100, 1001, 1001, false },     /* it ran already */
        { OPERATION_WRITE, "/opt/a.sh", NULL, "/opt/a.sh", 100, 1000, 50, 1001, false },       /* it did so before */
        { OPERATION_WRITE, "/opt/a.sh", NULL, "/opt/a.sh", 100, 1000, 0, 1001, false },        /* nobody knows whether it did */
        { OPERATION_WRITE, "/opt/a.sh", NULL, "a.sh", 100, 1000, 1001, 1001, false },          /* which one that is is not known */
        { OPERATION_WRITE, "/opt/a.sh", NULL, "/opt/a.sh", 100, 90000, 90001, 90001, false },  /* long ago */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct process *actor = job();
        struct container *victim = rows[i].victim ? make_container("1234", rows[i].victim) : NULL;
        struct event *changed = make_event(rows[i].operation, rows[i].changed, NULL, victim, BEGIN + rows[i].change_s * S);
        struct event *e = change(actor, rows[i].script, BEGIN + rows[i].event_s * S);
        struct usual_answer usual = { .seen_since_ns = rows[i].first_seen_s ? BEGIN + rows[i].first_seen_s * S : 0 };
        struct renewed r = { 0 };
        struct facts f = { 0 };

        actor->start_ns = 5000 * S + rows[i].start_s * S;
        e->boot_ns = 5000 * S + rows[i].event_s * S;
        assert_int_equal(renewed_find(&r, e), 0);
        renewed_add(&r, changed);
        facts_set_renewed(&f, e, &usual, renewed_program(e), renewed_find(&r, e), &(struct renewed_versions){ "", "" });
        if ((f.renewed_ns == BEGIN + rows[i].change_s * S) != rows[i].is)
            fail_msg("row %zu", i);
        renewed_done(&r);
        event_free(changed);
        event_free(e);
        container_unref(victim);
        process_unref(actor);
    }
}

/* Each row: 'c' the program's file is changed; a digit: an event of its process, whose package has that version. The last one is asked. */
static void versions_of_the_program(void **state)
{
    static const struct {
        const char *story, *before, *now;
        enum run_kind kind;
    } rows[] = {
        { "1c2", "1", "2", RUN_PROGRAM },
        { "1c22", "1", "2", RUN_PROGRAM },
        { "1c2", "1", "2", RUN_COMMAND },
        { "c2", "", "2", RUN_PROGRAM },  /* it was not seen before */
        { "1c1", "", "", RUN_PROGRAM }, /* no package's change, or dpkg has not written it down: what runs may be another version */
        { "12c2", "", "", RUN_PROGRAM }, /* the version is older than the change */
        { "1c2c2", "", "", RUN_PROGRAM },
        { "1c2c3", "2", "3", RUN_PROGRAM },
        { "1c0", "", "", RUN_PROGRAM }, /* nobody's, or not known */
        { "1c2", "", "", RUN_SCRIPT },  /* the interpreter's version */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct renewed r = { 0 };
        struct renewed_versions versions = { "", "" };
        uint64_t at = BEGIN;

        for (const char *c = rows[i].story; *c; c++) {
            struct process *actor = job();
            struct event *e = *c == 'c' ? make_event(OPERATION_RENAME, "/opt/x", NULL, NULL, at += S) : change(actor, "/opt/x", at += S);
            char version[2] = { *c == '0' ? '\0' : *c, '\0' };

            actor->executable = bytes_of("/opt/x");
            actor->owner.package_version = bytes_of(version);
            e->cause.run.kind = rows[i].kind;
            actor->start_ns = 5000 * S;
            e->boot_ns = 5000 * S + S / 2; /* a process of its own each time */
            if (!c[1])
                versions = renewed_versions(&r, e, renewed_find(&r, e));
            renewed_add(&r, e);
            event_free(e);
            process_unref(actor);
        }
        if (strcmp(versions.before, rows[i].before) != 0 || strcmp(versions.now, rows[i].now) != 0)
            fail_msg("row %zu (%s): \"%s\" to \"%s\"", i, rows[i].story, versions.before, versions.now);
        renewed_done(&r);
    }
}

static void versions_in_words(void **state)
{
    static const struct {
        struct renewed_versions versions;
        const char *says;
    } rows[] = {
        { { "1.0", "1.1" }, " (from version 1.0 to 1.1), " },
        { { "", "1.1" }, " (it is version 1.1 now), " },
        { { "", "" }, " itself was changed at " },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct facts f = { .program = "/opt/x", .renewed_ns = 1000 * S, .begun_ns = 2260 * S, .versions = rows[i].versions };
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT, json = SBUF_INIT;

        facts_write_text(&f, NULL, &text);
        assert_non_null(strstr(sbuf_str(&text), rows[i].says));
        assert_int_equal(strstr(sbuf_str(&text), "version") != NULL, i < 2);
        facts_write_json(&f, &json);
        assert_int_equal(strstr(sbuf_str(&json), "\"version_before\":\"1.0\"") != NULL, i == 0);
        assert_int_equal(strstr(sbuf_str(&json), "\"version\":\"1.1\"") != NULL, i < 2);
    }
}

/* ---- where it is said ---- */

struct heard {
    unsigned count;
    json_t *last;
    char sentence[4096];
};

static void on_alert(void *data, const struct alert *alert)
{
    struct heard *h = data;

    h->count++;
    json_decref(h->last);
    h->last = json_loadb(alert->line.data, alert->line.len - 1, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(h->last);
    snprintf(h->sentence, sizeof(h->sentence), "%.*s", (int)alert->sentence.len, alert->sentence.data);
}

static const json_t *fact(const struct heard *h, const char *name)
{
    return json_object_get(json_object_get(json_object_get(json_object_get(h->last, "culprit"), "alert"), "facts"), name);
}

static void facts_are_in_the_alert(void **state)
{
    struct process *actor = job();
    struct heard h = { 0 };
    struct alerts_options options = { .data = &h, .emit = on_alert };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct alerts *a;
    uint8_t id[16];

    (void)state;
    assert_int_equal(alerts_new(&options, &a), 0);
    usual_set_learning(alerts_usual(a), USUAL_LEARNING_NS);
    watch(alerts_usual(a), 2, BEGIN);
    for (unsigned i = 0; i < 300; i++) {
        struct event *e = change(actor, i ? "/opt/a.sh" : "/opt/b.sh", BEGIN + (i ? 9 * DAY : DAY));

        memcpy(id, e->id, sizeof(id));
        alerts_event(a, e, 1000 * S);
        event_free(e);
    }
    alerts_tick(a, 1002 * S);
    assert_int_equal(h.count, 2);
    assert_int_equal(json_integer_value(json_object_get(fact(&h, "burst"), "changes")), 299);
    assert_int_equal(json_integer_value(json_object_get(fact(&h, "burst"), "busiest")), 1);
    assert_string_equal(json_string_value(json_object_get(fact(&h, "new_cause"), "not_seen_since")), "2023-12-09T00:00:00.000000000Z");
    assert_non_null(strstr(h.sentence, " A burst: 299 changes in ten minutes; beside them this watch had at most 1 in any ten minutes of the 9 days before."));
    assert_non_null(strstr(h.sentence, " New at this watch: nothing of this cause was recorded in the 9 days before."));
    assert_string_equal(json_string_value(json_object_get(h.last, "message")), h.sentence);
    sbuf_add_char(&out, '{');
    assert_int_equal(alerts_explain(a, (struct bytes){ (const char *)id, 16 }, &out), 0);
    assert_non_null(strstr(sbuf_str(&out), "\"said\":\"A burst: 299 "));
    assert_non_null(strstr(sbuf_str(&out), "\"new_cause\":{"));
    json_decref(h.last);
    alerts_free(a);
    process_unref(actor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_habit_has_no_moments),
        cmocka_unit_test(a_burst_is_more_than_the_watch_ever_had),
        cmocka_unit_test(attempts_are_no_changes),
        cmocka_unit_test(each_start_means_each),
        cmocka_unit_test(what_was_changed_before_it_began),
        cmocka_unit_test(versions_of_the_program),
        cmocka_unit_test(versions_in_words),
        cmocka_unit_test(facts_are_in_the_alert),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
