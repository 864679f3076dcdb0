/* SPDX-License-Identifier: MIT */
/* Matters: one alert each, at its time, with exact counts, in bounded memory. */
#include "test.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "alert/alerts.h"
#include "make.h"
#include "util/limits.h"
#include "util/sbuf.h"

#define S NS_PER_S
#define MESSAGES_MAX 600

struct message {
    enum alert_state state;
    enum severity severity;
    uint64_t events;
    char id[33];
};

struct heard {
    struct message messages[MESSAGES_MAX];
    unsigned count;
    json_t *last; /* the newest line */
    size_t longest, longest_sentence;
};

static void on_alert(void *data, const struct alert *alert)
{
    struct heard *h = data;
    struct message *m = &h->messages[h->count++];

    assert_true(h->count < MESSAGES_MAX);
    *m = (struct message){ .state = alert->state, .severity = alert->severity, .events = alert->events };
    snprintf(m->id, sizeof(m->id), "%s", alert->id);
    assert_true(alert->sentence.len > 0);
    assert_int_equal(alert->line.data[alert->line.len - 1], '\n');
    h->longest = MAX(h->longest, alert->line.len);
    h->longest_sentence = MAX(h->longest_sentence, alert->sentence.len);
    json_decref(h->last);
    h->last = json_loadb(alert->line.data, alert->line.len - 1, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(h->last);
}

static const char *text_at(const json_t *of, const char *a, const char *b, const char *c)
{
    const json_t *v = json_object_get(of, a);

    if (b)
        v = json_object_get(v, b);
    if (c)
        v = json_object_get(v, c);
    return json_string_value(v) ? json_string_value(v) : "";
}

static const struct ecs_host host = { .name = { "h", 1 }, .id = { "0123", 4 }, .boot_id = { "b", 1 } };

static struct alerts *begin(struct heard *h)
{
    struct alerts_options options = { .host = &host, .data = h, .emit = on_alert };
    const struct expect_rules rules = { .rows = UINT64_C(1) << EXPECTED_PACKAGE };
    struct alerts *a;

    *h = (struct heard){ 0 };
    assert_int_equal(alerts_new(&options, &a), 0);
    alerts_set_rules(a, &rules);
    alerts_set_coverage(a, BYTES("fanotify"), BYTES("refused attempts"));
    return a;
}

static void end(struct alerts *a, struct heard *h)
{
    json_decref(h->last);
    alerts_free(a);
}

static struct event *deletion(struct process *actor, const char *path, uint64_t cause, unsigned number)
{
    struct event *e = make_event(OPERATION_UNLINK, path, actor, NULL, 1700000000000000000ull + number * 1000000ull);

    event_set(e, &e->watch_text, bytes_of("/srv"));
    e->cause.run = (struct cause_run){ .kind = RUN_SCRIPT, .name = bytes_of("/opt/clean.sh"), .process = process_ref(actor) };
    e->cause.launcher.kind = LAUNCHER_CRON;
    e->cause.key = (struct fingerprint){ cause, cause };
    memcpy(e->id, &cause, sizeof(cause));
    memcpy(e->id + 8, &number, sizeof(number));
    return e;
}

static void add(struct alerts *a, struct event *e, uint64_t now_ns)
{
    alerts_event(a, e, now_ns);
    event_free(e);
}

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
        cmocka_unit_test(one_matter_is_one_alert),     cmocka_unit_test(graver_is_said_at_once), cmocka_unit_test(temporary_files_are_not_grave),
        cmocka_unit_test(what_is_not_its_own_is_grave), cmocka_unit_test(a_storm_is_one_alert),
        cmocka_unit_test(many_causes_are_bounded),     cmocka_unit_test(what_is_expected_is_counted), cmocka_unit_test(gaps_are_alerts),
        cmocka_unit_test(what_is_silenced_is_counted), cmocka_unit_test(a_silence_ends_by_itself), cmocka_unit_test(an_alert_is_silenced),
        cmocka_unit_test(what_is_culprits_is_not_silenced),
        cmocka_unit_test(no_name_is_too_long_for_an_alert), cmocka_unit_test(the_end_says_what_was_not_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
