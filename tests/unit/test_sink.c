/* SPDX-License-Identifier: MIT */
/* Messages to sinks, their spool, the bodies of webhooks, when it is tried again. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/process.h"
#include "sink/spool.h"
#include "sink/syslog_message.h"
#include "sink/webhook_format.h"

#define NOW (1700000000ull * NS_PER_S)

static struct sink_message message(void)
{
    return (struct sink_message){ .state = ALERT_BEGINS,
                                  .severity = SEVERITY_HIGH,
                                  .events = 21,
                                  .first_ns = NOW,
                                  .id = "0123456789abcdef0123456789abcdef",
                                  .host = BYTES("h"),
                                  .watch = BYTES("web:/prd"),
                                  .container_id = BYTES("0123456789abcdef"),
                                  .container_name = BYTES("web"),
                                  .sentence = BYTES("rm <!here> & \"x\" deleted 21 files."),
                                  .line = BYTES("{\"a\":1}\n") };
}

static void is_read_as_it_was_written(void **state)
{
    struct sink_message m = message(), again;
    struct sbuf out = SBUF_INIT;

    (void)state;
    sink_message_write(&m, &out);
    assert_int_equal(sink_message_read(sbuf_bytes(&out), &again), 0);
    assert_int_equal(again.events, 21);
    assert_int_equal(again.severity, SEVERITY_HIGH);
    assert_string_equal(again.id, m.id);
    assert_true(bytes_equal(again.sentence, m.sentence) && bytes_equal(again.line, m.line) && bytes_equal(again.container_name, m.container_name));
    for (size_t len = 0; len < out.len; len++) /* cut anywhere it is none */
        assert_int_equal(sink_message_read((struct bytes){ out.data, len }, &again), -EBADMSG);
    for (size_t i = 0; i < out.len; i++) { /* and whatever a byte says, nothing outside is read */
        char *copy = malloc(out.len);

        memcpy(copy, out.data, out.len);
        copy[i] = (char)~copy[i];
        (void)sink_message_read((struct bytes){ copy, out.len }, &again);
        free(copy);
    }
    sbuf_done(&out);
}

/* ---- bodies ---- */

static json_t *body_of(const char *format, const struct sink_message *m, const char *secret)
{
    struct sbuf out = SBUF_INIT;
    json_t *body;

    webhook_body(bytes_of(format), m, bytes_of(secret), NOW + NS_PER_S, &out);
    body = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(body);
    sbuf_done(&out);
    return body;
}

static const char *text(const json_t *of, const char *name)
{
    return json_string_value(json_object_get(of, name)) ? json_string_value(json_object_get(of, name)) : "";
}

static void alertmanager(void **state)
{
    struct sink_message m = message();
    json_t *first = body_of("alertmanager", &m, NULL), *later;

    (void)state;
    m.events = 5000;
    m.severity = SEVERITY_CRITICAL;
    m.state = ALERT_GOES_ON;
    later = body_of("alertmanager", &m, NULL);
    /* what changes is no label, or it would be another alert */
    assert_true(json_equal(json_object_get(json_array_get(first, 0), "labels"), json_object_get(json_array_get(later, 0), "labels")));
    assert_string_equal(text(json_object_get(json_array_get(later, 0), "annotations"), "events"), "5000");
    assert_string_equal(text(json_array_get(later, 0), "startsAt"), "2023-11-14T22:13:20Z");
    assert_string_equal(text(json_array_get(later, 0), "endsAt"), "2023-11-14T22:38:21Z");
    json_decref(later);
    m.state = ALERT_RESOLVED;
    later = body_of("alertmanager", &m, NULL);
    assert_string_equal(text(json_array_get(later, 0), "endsAt"), "2023-11-14T22:13:21Z");
    json_decref(later);
    json_decref(first);
}

static void others(void **state)
{
    struct sink_message m = message();
    json_t *body = body_of("slack", &m, "s");

    (void)state;
    assert_string_equal(text(body, "text"), "[high] h: rm &lt;!here&gt; &amp; \"x\" deleted 21 files."); /* nobody is called */
    json_decref(body);
    body = body_of("teams", &m, NULL);
    assert_string_equal(text(json_object_get(json_array_get(json_object_get(body, "attachments"), 0), "content"), "type"), "AdaptiveCard");
    json_decref(body);
    m.state = ALERT_RESOLVED;
    body = body_of("pagerduty", &m, "key");
    assert_string_equal(text(body, "routing_key"), "key");
    assert_string_equal(text(body, "event_action"), "resolve");
    assert_string_equal(text(body, "dedup_key"), m.id);
    assert_string_equal(text(json_object_get(body, "payload"), "severity"), "error");
    json_decref(body);
    body = body_of("", &m, NULL);
    assert_int_equal(json_integer_value(json_object_get(body, "a")), 1);
    json_decref(body);
    assert_false(webhook_secret_is_header(BYTES("pagerduty")));
    assert_true(webhook_secret_is_header(BYTES("slack")));
    for (unsigned i = 0; sink_format(i); i++) {
        body = body_of(sink_format(i), &m, "s");
        json_decref(body);
    }
}

static void for_collectors(void **state)
{
    static const struct {
        enum alert_state state;
        int activity, status;
    } rows[] = { { ALERT_BEGINS, 1, 1 }, { ALERT_GOES_ON, 2, 2 }, { ALERT_RESOLVED, 3, 4 } };
    struct sink_message m = message();
    json_t *body, *record;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        m.state = rows[i].state;
        body = body_of("ocsf", &m, NULL);
        assert_int_equal(json_integer_value(json_object_get(body, "class_uid")), 2004);
        assert_int_equal(json_integer_value(json_object_get(body, "activity_id")), rows[i].activity);
        assert_int_equal(json_integer_value(json_object_get(body, "type_uid")), 200400 + rows[i].activity);
        assert_int_equal(json_integer_value(json_object_get(body, "status_id")), rows[i].status);
        assert_int_equal(json_integer_value(json_object_get(body, "severity_id")), 4);
        assert_int_equal(json_integer_value(json_object_get(body, "time")), (NOW + NS_PER_S) / NS_PER_MS);
        assert_int_equal(json_integer_value(json_object_get(body, "count")), 21);
        assert_string_equal(text(json_object_get(body, "finding_info"), "uid"), m.id);
        assert_string_equal(text(json_object_get(body, "device"), "hostname"), "h");
        assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(body, "unmapped"), "ecs"), "a")), 1);
        json_decref(body);
    }
    body = body_of("otlp", &m, NULL);
    record = json_array_get(json_object_get(body, "resourceLogs"), 0);
    assert_string_equal(text(json_object_get(json_array_get(json_object_get(json_object_get(record, "resource"), "attributes"), 2), "value"),
                             "stringValue"), "h");
    record = json_array_get(json_object_get(json_array_get(json_object_get(record, "scopeLogs"), 0), "logRecords"), 0);
    assert_string_equal(text(record, "timeUnixNano"), "1700000000000000000"); /* a text */
    assert_string_equal(text(record, "observedTimeUnixNano"), "1700000001000000000");
    assert_int_equal(json_integer_value(json_object_get(record, "severityNumber")), 17);
    assert_string_equal(text(json_object_get(record, "body"), "stringValue"), "rm <!here> & \"x\" deleted 21 files.");
    json_decref(body);
}

static void syslog(void **state)
{
    struct sink_message m = message();
    struct sbuf out = SBUF_INIT;

    (void)state;
    m.host = BYTES("h x\x01");
    m.state = ALERT_GOES_ON;
    sink_syslog_message(&m, NOW, &out);
    assert_string_equal(sbuf_str(&out), "127 <107>1 2023-11-14T22:13:20Z hx culprit - alert - [high, goes on] rm <!here> & \"x\" deleted 21 files. "
                                        "(alert 01234567, 21 events)");
    assert_int_equal(out.len, 4 + 127);
    sbuf_clear(&out);
    m = message();
    m.host = BYTES_NULL;
    m.test = true;
    m.severity = SEVERITY_LOW;
    sink_syslog_message(&m, NOW, &out);
    assert_non_null(strstr(sbuf_str(&out), "<110>1 2023-11-14T22:13:20Z - culprit - test - [low] "));
    sbuf_done(&out);
}

/* Names of files are whoever made them's. */
static void names_are_no_markup(void **state)
{
    static const struct {
        const char *name, *slack, *mattermost;
    } rows[] = {
        { "/a/@here", "/a/@\u200bhere", "/a/@\u200bhere" },
        { "getty@tty1", "getty@tty1", "getty@tty1" },
        { "@all", "@\u200ball", "@\u200ball" },
        { "<!channel>", "&lt;!channel&gt;", "&lt;\\!channel&gt;" },
        { "<http://x|y>", "&lt;http:\u200b//x|y&gt;", "&lt;http\\:\u200b//x\\|y&gt;" },
        { "HTTPS://x", "HTTPS:\u200b//x", "HTTPS\\:\u200b//x" },
        { "www.x", "www.\u200bx", "www\\.\u200bx" },
        { "mailto:a", "mailto:\u200ba", "mailto\\:\u200ba" },
        { "[y](x)", "[y]\u200b(x)", "\\[y\\]\u200b\\(x\\)" },
        { "*_`~", "*_`~", "\\*\\_\\`\\~" },
        { "a\\x1b", "a\\x1b", "a\\\\x1b" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sink_message m = message();
        json_t *body, *run;

        m.host = BYTES_NULL;
        m.sentence = bytes_of(rows[i].name);
        body = body_of("slack", &m, NULL);
        assert_string_equal(text(body, "text") + strlen("[high] "), rows[i].slack);
        assert_true(json_is_false(json_object_get(body, "mrkdwn")));
        json_decref(body);
        body = body_of("mattermost", &m, NULL);
        assert_string_equal(text(body, "text") + strlen("\\[high\\] "), rows[i].mattermost);
        json_decref(body);
        body = body_of("teams", &m, NULL);
        run = json_object_get(json_array_get(json_object_get(body, "attachments"), 0), "content");
        run = json_array_get(json_object_get(run, "body"), 0);
        assert_string_equal(text(run, "type"), "RichTextBlock");
        run = json_array_get(json_object_get(run, "inlines"), 0);
        assert_string_equal(text(run, "type"), "TextRun"); /* which has no Markdown */
        assert_string_equal(text(run, "text") + strlen("[high] "), rows[i].name);
        json_decref(body);
    }
}

/* ---- the spool ---- */

static char directory[] = "/tmp/culprit-sink.XXXXXX";

static void put(struct sink_spool *s, unsigned number)
{
    struct sink_message m = message();
    struct sbuf out = SBUF_INIT;

    m.events = number;
    sink_message_write(&m, &out);
    assert_int_equal(sink_spool_put(s, sbuf_bytes(&out), NULL), 0);
    sbuf_done(&out);
}

static uint64_t oldest(struct sink_spool *s)
{
    struct sbuf out = SBUF_INIT;
    struct sink_message m = { 0 };
    int r = sink_spool_oldest(s, &out);

    if (r == 0)
        assert_int_equal(sink_message_read(sbuf_bytes(&out), &m), 0);
    sbuf_done(&out);
    return r == 0 ? m.events : 0;
}

static void a_spool_outlives_its_process(void **state)
{
    struct sink_spool s = SINK_SPOOL_INIT, again = SINK_SPOOL_INIT;
    char path[256];
    int fd;

    (void)state;
    assert_int_equal(sink_spool_open(&s, directory, NULL), 0);
    assert_int_equal(oldest(&s), 0);
    for (unsigned i = 1; i <= 5; i++)
        put(&s, i);
    assert_int_equal(oldest(&s), 1);
    sink_spool_remove_oldest(&s);
    sink_spool_close(&s);

    snprintf(path, sizeof(path), "%s/new", directory); /* half of one, as kill -9 leaves it */
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sink_spool_open(&again, directory, NULL), 0);
    assert_int_equal(again.count, 4);
    assert_int_equal(oldest(&again), 2);
    put(&again, 6);
    for (unsigned i = 2; i <= 6; i++) {
        assert_int_equal(oldest(&again), i); /* in order */
        sink_spool_remove_oldest(&again);
    }
    assert_int_equal(oldest(&again), 0);
    assert_int_equal(again.count, 0);
    assert_int_equal(again.bytes, 0);
    assert_int_equal(access(path, F_OK), -1);
    sink_spool_close(&again);
}

static void a_spool_is_bounded(void **state)
{
    struct sink_spool s = SINK_SPOOL_INIT;

    (void)state;
    assert_int_equal(s.max_count, SINK_SPOOL_COUNT);
    s.max_count = 8; /* each is synchronised with the disk */
    assert_int_equal(sink_spool_open(&s, directory, NULL), 0);
    for (unsigned i = 1; i <= 8 + 3; i++)
        put(&s, i);
    assert_int_equal(s.count, 8);
    assert_int_equal(s.dropped, 3); /* the oldest, and that is known */
    assert_int_equal(oldest(&s), 4);
    while (s.count)
        sink_spool_remove_oldest(&s);
    sink_spool_close(&s);
}

static void what_is_no_message_is_dropped(void **state)
{
    struct sink_spool s = SINK_SPOOL_INIT;

    (void)state;
    assert_int_equal(sink_spool_open(&s, directory, NULL), 0);
    assert_int_equal(sink_spool_put(&s, BYTES("rubbish"), NULL), 0);
    put(&s, 9);
    assert_int_equal(oldest(&s), 9);
    assert_int_equal(s.dropped, 1);
    sink_spool_remove_oldest(&s);
    sink_spool_close(&s);
}

static void tries_later_and_later(void **state)
{
    (void)state;
    for (uint64_t chance = 0; chance < 1000; chance++) {
        assert_in_range(sink_retry_ns(1, chance * 7919 * NS_PER_MS), NS_PER_S * 3 / 4, NS_PER_S * 5 / 4);
        assert_in_range(sink_retry_ns(3, chance * 7919 * NS_PER_MS), NS_PER_S * 3, NS_PER_S * 5);
        assert_in_range(sink_retry_ns(1000000, chance * 7919 * NS_PER_MS), SINK_RETRY_MAX_NS / 4 * 3, SINK_RETRY_MAX_NS / 4 * 5);
    }
    assert_true(sink_retry_ns(5, 0) != sink_retry_ns(5, NS_PER_S)); /* many hosts do not come at once */
}

static void the_table_is_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; sink_ops(i); i++) {
        assert_true(sink_ops(i)->type[0] && sink_ops(i)->to_help[0] && sink_ops(i)->deliver);
        assert_true(sink_ops(i)->to_min <= sink_ops(i)->to_max && sink_ops(i)->to_max <= SINK_TO_MAX);
        assert_ptr_equal(sink_ops_by_type(bytes_of(sink_ops(i)->type)), sink_ops(i));
    }
    assert_null(sink_ops_by_type(BYTES("pigeon")));
}

/* ---- a file ---- */

static void a_file_is_rotated(void **state)
{
    char path[256], older[300];
    const struct bytes to = { path, (size_t)snprintf(path, sizeof(path), "%s/alerts.jsonl", directory) };
    struct sink_settings settings = { .ops = &sink_file, .to = &to, .to_count = 1, .size = 24 };
    struct sink_message m = message();
    struct stat st;

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(sink_file.deliver(&settings, &m, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 24); /* three lines each */
    for (int i = 1; i <= 6; i++) {
        snprintf(older, sizeof(older), "%s.%d", path, i);
        assert_int_equal(stat(older, &st), i <= 5 ? 0 : -1);
        (void)unlink(older);
    }
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* whoever may write there does not have us wait */
    assert_true(sink_file.deliver(&settings, &m, NULL) < 0);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_was_written), cmocka_unit_test(alertmanager),       cmocka_unit_test(others), cmocka_unit_test(names_are_no_markup), cmocka_unit_test(syslog), cmocka_unit_test(for_collectors),
        cmocka_unit_test(a_spool_outlives_its_process), cmocka_unit_test(a_spool_is_bounded), cmocka_unit_test(what_is_no_message_is_dropped),
        cmocka_unit_test(tries_later_and_later),     cmocka_unit_test(the_table_is_whole), cmocka_unit_test(a_file_is_rotated),
    };
    int failed;

    if (!mkdtemp(directory))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(directory);
    return failed;
}
