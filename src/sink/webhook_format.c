/* SPDX-License-Identifier: MIT */
/* A format is a function and a row. Sources: alertmanager's openapi v2, Slack's and Mattermost's incoming webhooks, Teams' workflows with an
 * Adaptive Card 1.4 (its TextRun knows no Markdown), the schema of OCSF 1.3, opentelemetry-proto's examples, PagerDuty's Events API v2. */
#include "sink/webhook_format.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sink/sink.h"
#include "util/json_writer.h"
#include "util/macro.h"

/* Alertmanager ends what is not repeated: after the longest pause between two messages of one matter (15 minutes) and then some. */
#define END_NS (25 * 60 * NS_PER_S)

/* "[high, goes on] host h: who deleted what" */
static void add_text(const struct sink_message *m, struct sbuf *out)
{
    sbuf_addf(out, "[%s%s] ", severity_name(m->severity), alert_state_words(m->state));
    if (m->host.len) {
        sbuf_add_bytes(out, m->host);
        sbuf_add_str(out, ": ");
    }
    sbuf_add_bytes(out, m->sentence);
}

/* A number as a text: protobuf's JSON has 64 bits so, and Alertmanager its annotations. */
static void add_decimal(struct sbuf *out, struct bytes key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    json_string(out, key, bytes_of(text));
}

static void write_ecs(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    (void)secret, (void)now_ns;
    sbuf_add_bytes(out, m->line);
}

/* What changes is an annotation: as a label it would be another alert, and one more notification, each time. */
static void write_alertmanager(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    (void)secret;
    sbuf_add_char(out, '[');
    json_open_element(out);
    (void)json_open(out, JSON_OBJECT("labels"));
    json_string(out, JSON_KEY("alertname"), bytes_of("culprit"));
    json_bytes(out, JSON_KEY("instance"), m->host);
    json_bytes(out, JSON_KEY("watch"), m->watch);
    json_bytes(out, JSON_KEY("container"), m->container_name);
    json_string(out, JSON_KEY("culprit"), bytes_of(m->id));
    json_close(out);
    (void)json_open(out, JSON_OBJECT("annotations"));
    json_string(out, JSON_KEY("summary"), m->sentence);
    json_string(out, JSON_KEY("severity"), bytes_of(severity_name(m->severity)));
    add_decimal(out, JSON_KEY("events"), m->events);
    json_close(out);
    json_second(out, JSON_KEY("startsAt"), m->first_ns);
    json_second(out, JSON_KEY("endsAt"), m->state == ALERT_RESOLVED ? now_ns : now_ns + END_NS);
    json_close(out);
    sbuf_add_char(out, ']');
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

/* What would call somebody or be a link: "@here", "http://x", "www.x", "[y](x)". A space without width parts it; a name with an @ inside stays. */
static bool parts_after(struct bytes text, size_t at)
{
    static const char www[] = "www.";
    char c = text.data[at], before = at ? text.data[at - 1] : ' ', after = at + 1 < text.len ? text.data[at + 1] : ' ';

    if (c == '@')
        return !is_word(before);
    if (c == ':')
        return after == '/' || (at >= 6 && strncasecmp(text.data + at - 6, "mailto", 6) == 0);
    if (c == '.')
        return at >= 3 && strncasecmp(text.data + at - 3, www, 3) == 0;
    return c == ']' && after == '(';
}

/* Characters that are Markdown are text by a backslash, for those that know it (markdown); Slack shows that one, and is asked for no Markdown. */
static void add_chat_text(const struct sink_message *m, bool markdown, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    add_text(m, &text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '&' || c == '<' || c == '>')
            sbuf_add_str(out, c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;");
        else if (markdown && strchr("\\`*_{}[]()#+-.!|~^$:", c))
            sbuf_addf(out, "\\%c", c);
        else
            sbuf_add_char(out, c);
        if (parts_after(sbuf_bytes(&text), i))
            sbuf_add_str(out, "\u200b");
    }
}

static void write_slack(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    (void)secret, (void)now_ns;
    add_chat_text(m, false, &text);
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("text"), sbuf_bytes(&text));
    json_bool(out, JSON_KEY("mrkdwn"), false);
    json_bool(out, JSON_KEY("link_names"), false);
    json_bool(out, JSON_KEY("unfurl_links"), false);
    json_close(out);
}

static void write_mattermost(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    (void)secret, (void)now_ns;
    add_chat_text(m, true, &text);
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("text"), sbuf_bytes(&text));
    json_close(out);
}

static void write_teams(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    (void)secret, (void)now_ns;
    add_text(m, &text);
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("type"), bytes_of("message"));
    (void)json_open(out, JSON_ARRAY("attachments"));
    json_open_element(out);
    json_string(out, JSON_KEY("contentType"), bytes_of("application/vnd.microsoft.card.adaptive"));
    (void)json_open(out, JSON_OBJECT("content"));
    json_string(out, JSON_KEY("type"), bytes_of("AdaptiveCard"));
    json_string(out, JSON_KEY("version"), bytes_of("1.4"));
    (void)json_open(out, JSON_ARRAY("body"));
    json_open_element(out);
    json_string(out, JSON_KEY("type"), bytes_of("RichTextBlock")); /* a TextBlock is Markdown: links, and names that look otherwise */
    (void)json_open(out, JSON_ARRAY("inlines"));
    json_open_element(out);
    json_string(out, JSON_KEY("type"), bytes_of("TextRun"));
    json_string(out, JSON_KEY("text"), sbuf_bytes(&text));
    json_close(out);
    json_close_array(out);
    json_close(out);
    json_close_array(out);
    json_close(out);
    json_close(out);
    json_close_array(out);
    json_close(out);
}

/* The line without its newline is an object. */
static void add_line(const struct sink_message *m, struct bytes key, struct sbuf *out)
{
    struct bytes line = m->line;

    if (line.len && line.data[line.len - 1] == '\n')
        line.len--;
    if (!line.len)
        return;
    json_key(out, key);
    sbuf_add_bytes(out, line);
}

static void write_pagerduty(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    static const char *const severities[] = { "info", "info", "warning", "error", "critical" };

    (void)now_ns;
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("routing_key"), secret);
    json_string(out, JSON_KEY("event_action"), bytes_of(m->state == ALERT_RESOLVED ? "resolve" : "trigger"));
    json_string(out, JSON_KEY("dedup_key"), bytes_of(m->id));
    (void)json_open(out, JSON_OBJECT("payload"));
    json_string(out, JSON_KEY("summary"), bytes_cut(m->sentence, 1024)); /* their limit */
    json_string(out, JSON_KEY("source"), m->host.len ? m->host : bytes_of("culprit"));
    json_string(out, JSON_KEY("severity"), bytes_of(severities[m->severity]));
    json_bytes(out, JSON_KEY("component"), m->watch);
    add_line(m, JSON_KEY("custom_details"), out); /* their limit is 512 kB for all, an alert's a quarter of that */
    json_close(out);
    json_close(out);
}

/* OCSF 1.3: Detection Finding. */
static void write_ocsf(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    static const unsigned activities[ALERT_STATE_COUNT] = { 1, 2, 3 };        /* Create, Update, Close */
    static const unsigned statuses[ALERT_STATE_COUNT] = { 1, 2, 4 };          /* New, In Progress, Resolved */
    static const unsigned severities[SEVERITY_COUNT] = { 0, 2, 3, 4, 5 };     /* Low is 2 */

    (void)secret;
    sbuf_add_char(out, '{');
    json_number(out, JSON_KEY("activity_id"), activities[m->state]);
    json_number(out, JSON_KEY("category_uid"), 2);
    json_number(out, JSON_KEY("class_uid"), 2004);
    json_number(out, JSON_KEY("type_uid"), 200400 + activities[m->state]);
    json_number(out, JSON_KEY("severity_id"), severities[m->severity]);
    json_number(out, JSON_KEY("status_id"), statuses[m->state]);
    json_number(out, JSON_KEY("time"), now_ns / NS_PER_MS);
    json_number(out, JSON_KEY("start_time"), m->first_ns / NS_PER_MS);
    json_number(out, JSON_KEY("count"), m->events);
    json_string(out, JSON_KEY("message"), m->sentence);
    (void)json_open(out, JSON_OBJECT("finding_info"));
    json_string(out, JSON_KEY("uid"), bytes_of(m->id));
    json_string(out, JSON_KEY("title"), bytes_of(m->test ? "culprit: a test" : "culprit: files were changed unexpectedly"));
    json_string(out, JSON_KEY("desc"), m->sentence);
    json_number(out, JSON_KEY("first_seen_time"), m->first_ns / NS_PER_MS);
    json_close(out);
    json_key(out, JSON_LITERAL(",\"metadata\":{\"version\":\"1.3.0\",\"profiles\":[\"host\"],\"product\":{\"name\":\"culprit\","
                               "\"vendor_name\":\"culprit\",\"version\":\"" CULPRIT_VERSION "\"}}"));
    (void)json_open(out, JSON_OBJECT("device"));
    json_bytes(out, JSON_KEY("hostname"), m->host);
    json_number(out, JSON_KEY("type_id"), 0);
    json_close(out);
    (void)json_open(out, JSON_OBJECT("unmapped"));
    add_line(m, JSON_KEY("ecs"), out);
    json_close(out);
    sbuf_add_char(out, '}');
}

static void add_attribute(struct sbuf *out, const char *key, struct bytes value)
{
    if (!value.len)
        return;
    json_open_element(out);
    json_string(out, JSON_KEY("key"), bytes_of(key));
    (void)json_open(out, JSON_OBJECT("value"));
    json_string(out, JSON_KEY("stringValue"), value);
    json_close(out);
    json_close(out);
}

static void add_record(const struct sink_message *m, uint64_t now_ns, struct sbuf *out)
{
    static const unsigned severities[SEVERITY_COUNT] = { 0, 9, 13, 17, 21 }; /* INFO, WARN, ERROR, FATAL */
    char events[24];

    json_open_element(out);
    add_decimal(out, JSON_KEY("timeUnixNano"), m->first_ns);
    add_decimal(out, JSON_KEY("observedTimeUnixNano"), now_ns);
    json_number(out, JSON_KEY("severityNumber"), severities[m->severity]);
    json_string(out, JSON_KEY("severityText"), bytes_of(severity_name(m->severity)));
    (void)json_open(out, JSON_OBJECT("body"));
    json_string(out, JSON_KEY("stringValue"), m->sentence);
    json_close(out);
    (void)json_open(out, JSON_ARRAY("attributes"));
    add_attribute(out, "event.name", bytes_of(m->test ? "culprit.test" : "culprit.alert"));
    add_attribute(out, "culprit.alert.id", bytes_of(m->id));
    add_attribute(out, "culprit.alert.state", bytes_of(alert_state_name(m->state)));
    snprintf(events, sizeof(events), "%llu", (unsigned long long)m->events);
    add_attribute(out, "culprit.alert.events", bytes_of(events));
    add_attribute(out, "culprit.watch", m->watch);
    add_attribute(out, "container.id", m->container_id);
    add_attribute(out, "container.name", m->container_name);
    json_close_array(out);
    json_close(out);
}

/* OTLP/HTTP: ExportLogsServiceRequest as protobuf's JSON; to .../v1/logs. */
static void write_otlp(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    (void)secret;
    sbuf_add_char(out, '{');
    (void)json_open(out, JSON_ARRAY("resourceLogs"));
    json_open_element(out);
    (void)json_open(out, JSON_OBJECT("resource"));
    (void)json_open(out, JSON_ARRAY("attributes"));
    add_attribute(out, "service.name", bytes_of("culprit"));
    add_attribute(out, "service.version", bytes_of(CULPRIT_VERSION));
    add_attribute(out, "host.name", m->host);
    json_close_array(out);
    json_close(out);
    (void)json_open(out, JSON_ARRAY("scopeLogs"));
    json_open_element(out);
    (void)json_open(out, JSON_OBJECT("scope"));
    json_string(out, JSON_KEY("name"), bytes_of("culprit.alert"));
    json_close(out);
    (void)json_open(out, JSON_ARRAY("logRecords"));
    add_record(m, now_ns, out);
    json_close_array(out);
    json_close(out);
    json_close_array(out);
    json_close(out);
    json_close_array(out);
    json_close(out);
}

static const struct webhook_format {
    const char *name;
    bool secret_in_body;
    void (*write)(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out);
} formats[] = {
    { "ecs", false, write_ecs },     { "alertmanager", false, write_alertmanager }, { "slack", false, write_slack },
    { "mattermost", false, write_mattermost }, { "teams", false, write_teams }, { "pagerduty", true, write_pagerduty },
    { "ocsf", false, write_ocsf },   { "otlp", false, write_otlp },
};

static const struct webhook_format *find(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (bytes_equal_str(name, formats[i].name))
            return &formats[i];
    return &formats[0];
}

const char *sink_format(unsigned index)
{
    return index < ARRAY_SIZE(formats) ? formats[index].name : NULL;
}

void webhook_body(struct bytes format, const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    find(format)->write(m, secret, now_ns, out);
}

bool webhook_secret_is_header(struct bytes format)
{
    return !find(format)->secret_in_body;
}

void webhook_shown_url(const char *url, struct sbuf *out)
{
    const char *host = strstr(url, "://"), *end, *at;

    host = host ? host + 3 : url;
    end = host + strcspn(host, "/?#");
    at = memrchr(host, '@', (size_t)(end - host));
    sbuf_add(out, url, (size_t)(host - url));
    if (at)
        host = at + 1;
    sbuf_add(out, host, (size_t)(end - host));
    if (end[0] && end[1])
        sbuf_add_str(out, "/...");
}
