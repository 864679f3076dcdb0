/* SPDX-License-Identifier: MIT */
/* Messages to sinks: as bytes, and as the bodies that webhooks, mail and Kubernetes get. */
#include "test.h"
#include "sink_message.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>

#include "sink/container_line.h"
#include "sink/kubernetes_event.h"
#include "sink/mail_message.h"
#include "sink/syslog_message.h"
#include "sink/webhook_format.h"

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
    assert_true(again.container_pid == 77 && again.container_log && bytes_equal(again.pod_namespace, m.pod_namespace) &&
                bytes_equal(again.pod_name, m.pod_name) && bytes_equal(again.pod_uid, m.pod_uid));
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

/* As the version before has left it in a spool. */
static void is_read_of_the_version_before(void **state)
{
    struct sink_message m = message(), again;
    struct sbuf out = SBUF_INIT, before = SBUF_INIT;

    (void)state;
    m.pod_namespace = m.pod_name = m.pod_uid = BYTES_NULL;
    sink_message_write(&m, &out);
    assert_memory_equal(out.data + 16, "2lac", 4); /* little endian */
    out.data[16] = '1';
    sbuf_add(&before, out.data, 88);
    sbuf_add(&before, out.data + 88 + 20, out.len - 88 - 20);
    assert_int_equal(sink_message_read(sbuf_bytes(&before), &again), 0);
    assert_true(bytes_equal(again.line, m.line) && !again.container_pid && !again.container_log && !again.pod_name.len);
    sbuf_done(&out);
    sbuf_done(&before);
}

static void a_line_of_a_container(void **state)
{
    struct sink_message m = message();
    struct sbuf out = SBUF_INIT;
    char *longer = malloc(9000);

    (void)state;
    assert_non_null(longer);
    m.sentence = BYTES("x deleted y.");
    sink_container_line(&m, &out);
    assert_string_equal(sbuf_str(&out), "culprit: [high] x deleted y. (alert 01234567, 21 events)\n");
    sbuf_clear(&out);
    memset(longer, 'x', 9000);
    m.sentence = (struct bytes){ longer, 9000 };
    sink_container_line(&m, &out);
    assert_int_equal(out.len, PIPE_BUF); /* never within another line */
    assert_non_null(strstr(sbuf_str(&out), "x… (alert 01234567, 21 events)\n"));
    sbuf_done(&out);
    free(longer);
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

static void a_url_keeps_its_secret(void **state)
{
    static const char *const rows[][2] = {
        { "https://hooks.slack.com/services/T0/B0/s3cret", "https://hooks.slack.com/..." },
        { "http://127.0.0.1:9093/", "http://127.0.0.1:9093" },
        { "http://127.0.0.1:9093", "http://127.0.0.1:9093" },
        { "https://ann:s3cret@[::1]:8443?token=s3cret", "https://[::1]:8443/..." },
        { "https://a@s3cret@h#s3cret", "https://h/..." },
        { "s3cret@h", "h" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sbuf out = SBUF_INIT;

        webhook_shown_url(rows[i][0], &out);
        assert_string_equal(sbuf_str(&out), rows[i][1]);
        sbuf_done(&out);
    }
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

/* ---- mail ---- */

/* Whatever names of files, hosts and watches are: a header has none of it as it is, and no line is longer than RFC 5322 asks for. */
static void mail(void **state)
{
    static const char nasty[] = "x\r\nBcc: all@h\n\n.\nQUIT\xff\xc3\xa4 \xe2\x80\xa6";
    const struct bytes to[] = { BYTES("ops@h"), BYTES("ann@h") };
    struct sink_message m = message();
    struct sbuf out = SBUF_INIT;
    struct bytes rest;
    bool headers = true;

    (void)state;
    m.host = m.watch = m.sentence = m.container_name = (struct bytes){ nasty, sizeof(nasty) - 1 };
    mail_write(&m, BYTES_NULL, to, ARRAY_SIZE(to), NOW, &out);
    assert_int_equal(sbuf_error(&out), 0);
    rest = sbuf_bytes(&out);
    while (rest.len) {
        struct bytes line = bytes_next_line(&rest);

        assert_true(line.len <= 78);
        headers &= line.len > 0;
        for (size_t k = 0; k < line.len; k++)
            assert_true(line.data[k] >= ' ' && line.data[k] < 0x7f);
        assert_true(!headers || line.data[0] == ' ' || bytes_char(line, ':'));
        assert_false(bytes_starts_with(line, BYTES("Bcc")) || bytes_starts_with(line, BYTES(".")));
    }
    assert_false(headers);
    assert_non_null(strstr(out.data, "From: culprit <culprit@xBccallh.QUIT>\nTo: ops@h,\n ann@h\nSubject: =?utf-8?B?"));
    assert_non_null(strstr(out.data, "\nDate: Tue, 14 Nov 2023 22:13:20 +0000\n"));
    assert_non_null(strstr(out.data, "\nReferences: <0123456789abcdef0123456789abcdef@"));
    sbuf_clear(&out);
    m = message();
    m.host = m.sentence = BYTES_NULL;
    m.test = true;
    mail_write(&m, BYTES("me@h"), to, 1, NOW, &out);
    assert_non_null(strstr(out.data, "From: culprit <me@h>\nTo: ops@h\n"));
    assert_non_null(strstr(out.data, "@localhost>\nReferences: "));
    assert_non_null(strstr(out.data, "\nX-Culprit-Test: yes\n"));
    sbuf_done(&out);
}

/* ---- Kubernetes ---- */

static void an_event_on_a_pod(void **state)
{
    struct sink_message m = message();
    struct sbuf out = SBUF_INIT;
    json_t *event, *pod;

    (void)state;
    m.events = UINT64_MAX;
    kubernetes_event(&m, NOW + NS_PER_S, &out);
    event = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(event);
    pod = json_object_get(event, "involvedObject");
    assert_string_equal(text(event, "kind"), "Event");
    assert_string_equal(text(json_object_get(event, "metadata"), "name"), "web-0.0123456789abcdef");
    assert_string_equal(text(json_object_get(event, "metadata"), "namespace"), "shop");
    assert_string_equal(text(pod, "kind"), "Pod");
    assert_string_equal(text(pod, "namespace"), "shop");
    assert_string_equal(text(pod, "name"), "web-0");
    assert_string_equal(text(pod, "uid"), "6d1f");
    assert_string_equal(text(event, "type"), "Warning");
    assert_string_equal(text(event, "firstTimestamp"), "2023-11-14T22:13:20Z");
    assert_string_equal(text(event, "lastTimestamp"), "2023-11-14T22:13:21Z");
    assert_int_equal(json_integer_value(json_object_get(event, "count")), INT32_MAX); /* it is of 32 bits there */
    assert_string_equal(text(event, "message"), "[high] rm <!here> & \"x\" deleted 21 files.");
    json_decref(event);
    sbuf_done(&out);
}

static void names_of_kubernetes(void **state)
{
    static const struct {
        const char *name;
        bool right;
    } rows[] = { { "web-0", true }, { "a", true }, { "a.b-c", true }, { "", false }, { "..", false }, { "a/../b", false }, { "a?b", false }, { "-a", false },
                 { "a-", false }, { "A", false }, { "a%2f", false }, { "a b", false }, { "a\n", false } };
    struct sink_message m = message();
    struct sbuf out = SBUF_INIT;
    char longer[254];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(kubernetes_is_name(bytes_of(rows[i].name)), rows[i].right);
    memset(longer, 'a', sizeof(longer));
    assert_false(kubernetes_is_name((struct bytes){ longer, 254 }));
    m.pod_name = (struct bytes){ longer, 253 };
    longer[235] = '.';
    kubernetes_event_name(&m, &out);
    assert_true(kubernetes_is_name(sbuf_bytes(&out)));
    sbuf_done(&out);
}

static void addresses(void **state)
{
    static const struct {
        const char *address;
        bool right;
    } rows[] = { { "root", true }, { "ann.b+c@mail.example", true }, { "o'brien@h", true }, { "", false }, { "-oQ/tmp", false }, { "a b", false },
                 { "a@b\n", false }, { "a,b", false }, { "<a@b>", false }, { "\xc3\xa4@h", false }, { "\"a\"@b", false }, { "a;b", false } };
    char longer[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(mail_check_address(bytes_of(rows[i].address), NULL), rows[i].right ? 0 : -EINVAL);
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(mail_check_address((struct bytes){ longer, 254 }, NULL), 0);
    assert_int_equal(mail_check_address((struct bytes){ longer, 255 }, NULL), -EINVAL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_was_written),
        cmocka_unit_test(is_read_of_the_version_before),
        cmocka_unit_test(a_line_of_a_container),
        cmocka_unit_test(mail),
        cmocka_unit_test(an_event_on_a_pod),
        cmocka_unit_test(names_of_kubernetes),
        cmocka_unit_test(addresses),
        cmocka_unit_test(alertmanager),
        cmocka_unit_test(others),
        cmocka_unit_test(a_url_keeps_its_secret),
        cmocka_unit_test(names_are_no_markup),
        cmocka_unit_test(syslog),
        cmocka_unit_test(for_collectors),
        cmocka_unit_test(the_table_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
