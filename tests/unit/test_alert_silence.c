/* SPDX-License-Identifier: MIT */
/* Alerts that are silenced: what for, how long, what is counted. */
#include "test.h"
#include "alert_play.h"

#include <errno.h>

static void what_is_expected_is_counted(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/dpkg", NULL);
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct alerts_counts counts;
    struct heard h;
    struct alerts *a = begin(&h);
    uint8_t id[16];
    struct event *e;

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        e = deletion(actor, "/usr/bin/x", 1, i);
        e->cause.launcher.kind = LAUNCHER_PACKAGE;
        memcpy(id, e->id, sizeof(id));
        add(a, e, 1000 * S);
    }
    add(a, deletion(actor, "/usr/bin/y", 2, 77), 1000 * S);
    alerts_tick(a, 1002 * S);
    alerts_look(a, &counts);
    assert_int_equal(h.count, 1);
    assert_int_equal(counts.expected[EXPECTED_PACKAGE], 20);
    assert_int_equal(counts.reported + counts.silenced + counts.expected[EXPECTED_PACKAGE], counts.seen);

    sbuf_add_char(&out, '{');
    assert_int_equal(alerts_explain(a, (struct bytes){ (const char *)id, 16 }, &out), 0);
    assert_non_null(strstr(sbuf_str(&out), "\"alert\":false"));
    assert_non_null(strstr(sbuf_str(&out), "\"expected\":\"package\""));
    sbuf_clear(&out);
    sbuf_add_char(&out, '{');
    e = deletion(actor, "/usr/bin/y", 2, 77);
    assert_int_equal(alerts_explain(a, (struct bytes){ (const char *)e->id, 16 }, &out), 0);
    assert_non_null(strstr(sbuf_str(&out), "\"alert\":true"));
    assert_non_null(strstr(sbuf_str(&out), h.messages[0].id));
    e->id[0] = 0xee;
    assert_int_equal(alerts_explain(a, (struct bytes){ (const char *)e->id, 16 }, &out), -ENOENT);
    assert_int_equal(alerts_explain(a, (struct bytes){ (const char *)id, 4 }, &out), -EEXIST);
    event_free(e);
    end(a, &h);
    process_unref(actor);
}

/* ---- silence ---- */

static void what_is_silenced_is_counted(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    struct silence how = { .by = BYTES("alice as root"), .reason = BYTES("migration"), .from_ns = 1700000000000000000ull,
                           .until_ns = UINT64_MAX, .target = BYTES("/srv/data"), .path = BYTES("/srv/data") };
    const struct silence *silence;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct alerts_counts counts;
    uint64_t events;
    struct heard h;
    struct alerts *a = begin(&h);
    struct event *e;

    (void)state;
    assert_int_equal(alerts_silence(a, &how, 1000 * S, &silence), 0);
    assert_int_equal(silence->number, 1);
    alerts_tick(a, 1002 * S);
    assert_int_equal(h.count, 1); /* who silenced what is said */
    assert_non_null(strstr(text_at(h.last, "message", NULL, NULL), "/srv/data; by alice as root: migration"));
    for (unsigned i = 0; i < 7; i++)
        add(a, deletion(actor, "/srv/data/x", 1, i), 1003 * S);
    add(a, deletion(actor, "/srv/database", 1, 7), 1003 * S);
    e = deletion(actor, "/srv/data/moved", 1, 8); /* from elsewhere */
    e->operation = OPERATION_RENAME;
    event_set(e, &e->previous_path, bytes_of("/srv/y"));
    add(a, e, 1003 * S);
    alerts_look(a, &counts);
    assert_int_equal(counts.seen, 9);
    assert_int_equal(counts.silenced, 7);
    assert_int_equal(counts.reported, 2);
    e = deletion(actor, "/srv/data/x", 1, 3);
    sbuf_add_char(&out, '{');
    assert_int_equal(alerts_explain(a, (struct bytes){ (const char *)e->id, 16 }, &out), 0);
    event_free(e);
    assert_non_null(strstr(sbuf_str(&out), "\"alert\":false"));
    assert_non_null(strstr(sbuf_str(&out), "\"silence\":1"));
    assert_non_null(strstr(sbuf_str(&out), "alice as root"));
    assert_int_equal(alerts_unsilence(a, 2, 1004 * S, &events), -ENOENT);
    assert_int_equal(alerts_unsilence(a, 1, 1004 * S, &events), 0);
    assert_int_equal(events, 7);
    add(a, deletion(actor, "/srv/data/x", 1, 20), 1005 * S);
    alerts_look(a, &counts);
    assert_int_equal(counts.silenced, 7);
    assert_int_equal(counts.reported, 3);
    end(a, &h);
    process_unref(actor);
}

static void a_silence_ends_by_itself(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    struct silence how = { .number = 41, .by = BYTES("root"), .reason = BYTES("r"), .until_ns = 1700000000000000000ull + S, .target = BYTES("/srv"),
                           .path = BYTES("/srv"), .events = 5 };
    struct alerts_counts counts;
    struct heard h;
    struct alerts *a = begin(&h);

    (void)state;
    assert_int_equal(alerts_take_silence(a, &how), 0); /* as after a restart */
    assert_int_equal(alerts_silences(a)->count, 1);
    add(a, deletion(actor, "/srv/x", 1, 0), 1000 * S);
    alerts_end_silences(a, 1000 * S); /* it is long over */
    assert_int_equal(alerts_silences(a)->count, 0);
    add(a, deletion(actor, "/srv/x", 1, 1), 1000 * S);
    alerts_look(a, &counts);
    assert_int_equal(counts.silenced, 1); /* it happened before */
    assert_int_equal(counts.reported, 1);
    alerts_tick(a, 1002 * S);
    assert_int_equal(h.count, 2); /* the end, with what was silenced, and the alert */
    end(a, &h);
    process_unref(actor);
}

static void an_alert_is_silenced(void **state)
{
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    struct silence how = { .by = BYTES("root"), .reason = BYTES("r"), .until_ns = UINT64_MAX };
    const struct silence *silence;
    struct alerts_counts counts;
    struct heard h;
    struct alerts *a = begin(&h);
    char id[33];

    (void)state;
    add(a, deletion(actor, "/srv/x", 1, 0), 1000 * S);
    alerts_tick(a, 1002 * S);
    snprintf(id, sizeof(id), "%s", h.messages[0].id);
    assert_int_equal(alerts_silence_alert(a, BYTES("ffffffffffffffff0000"), &how, 1003 * S, &silence), -ENOENT);
    assert_int_equal(alerts_silence_alert(a, (struct bytes){ id, 8 }, &how, 1003 * S, &silence), 0);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.messages[1].state, ALERT_RESOLVED); /* at once, and it says why */
    assert_true(json_is_true(json_object_get(json_object_get(json_object_get(h.last, "culprit"), "alert"), "silenced")));
    assert_non_null(strstr(silence->what.data, "/opt/clean.sh"));
    add(a, deletion(actor, "/srv/y", 1, 1), 1004 * S);
    add(a, deletion(actor, "/srv/y", 2, 2), 1004 * S); /* another cause */
    alerts_look(a, &counts);
    assert_int_equal(counts.silenced, 1);
    assert_int_equal(counts.reported, 2);
    end(a, &h);
    process_unref(actor);
}

static void what_is_culprits_is_not_silenced(void **state)
{
    static const struct bytes own = { "/srv/culprit", 12 };
    struct process *actor = make_process(9, "/usr/bin/rm", NULL);
    struct silence how = { .by = BYTES("root"), .reason = BYTES("r"), .until_ns = UINT64_MAX, .target = BYTES("/srv"), .path = BYTES("/srv") };
    struct heard h = { 0 };
    struct alerts_options options = { .host = &host, .own = &own, .own_count = 1, .data = &h, .emit = on_alert };
    const struct silence *silence;
    struct alerts_counts counts;
    struct alerts *a;
    unsigned n = 0;

    (void)state;
    assert_int_equal(alerts_new(&options, &a), 0);
    while (alerts_silence(a, &how, 1000 * S, &silence) == 0)
        n++;
    assert_int_equal(n, SILENCES_MAX);
    add(a, deletion(actor, "/srv/culprit/culprit.db", 1, 0), 1000 * S);
    add(a, deletion(actor, "/srv/x", 1, 1), 1000 * S);
    alerts_own(a, "sink-x", SEVERITY_HIGH, "Alerts do not get out of sink x.", 1000 * S);
    alerts_look(a, &counts);
    assert_int_equal(counts.silenced, 1);
    assert_int_equal(counts.reported, 1);
    alerts_tick(a, 1002 * S);
    assert_int_equal(h.count, SILENCES_MAX + 2);
    for (unsigned i = 0; i < h.count; i++)
        if (alerts_silence_alert(a, bytes_of(h.messages[i].id), &how, 1003 * S, &silence) == -EPERM)
            n--;
    assert_int_equal(n, 0 - 1u); /* those of culprit itself */
    end(a, &h);
    process_unref(actor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_expected_is_counted),
        cmocka_unit_test(what_is_silenced_is_counted),
        cmocka_unit_test(a_silence_ends_by_itself),
        cmocka_unit_test(an_alert_is_silenced),
        cmocka_unit_test(what_is_culprits_is_not_silenced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
