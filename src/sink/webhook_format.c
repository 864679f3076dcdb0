/* SPDX-License-Identifier: MIT */
/* A format is a function and a row. Sources: alertmanager's openapi v2, Slack's and Mattermost's incoming webhooks, Teams' workflows with an
 * Adaptive Card 1.4, PagerDuty's Events API v2. */
#include "sink/webhook_format.h"

#include <stdio.h>
#include <time.h>

#include "sink/sink.h"
#include "util/json_writer.h"
#include "util/macro.h"

/* Alertmanager ends what is not repeated: after the longest pause between two messages of one matter (15 minutes) and then some. */
#define END_NS (25 * 60 * NS_PER_S)

static const char *state_word(const struct sink_message *m)
{
    return m->state == SINK_RESOLVED ? ", over" : m->state == SINK_GOES_ON ? ", goes on" : "";
}

/* "[high, goes on] host h: who deleted what" */
static void add_text(const struct sink_message *m, struct sbuf *out)
{
    sbuf_addf(out, "[%s%s] ", sink_severity_name(m->severity), state_word(m));
    if (m->host.len) {
        sbuf_add_bytes(out, m->host);
        sbuf_add_str(out, ": ");
    }
    sbuf_add_bytes(out, m->sentence);
}

static void add_time(struct sbuf *out, struct bytes key, uint64_t time_ns)
{
    time_t s = (time_t)(time_ns / NS_PER_S);
    char text[40];
    struct tm tm;

    if (gmtime_r(&s, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
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
    char count[24];

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
    json_string(out, JSON_KEY("severity"), bytes_of(sink_severity_name(m->severity)));
    snprintf(count, sizeof(count), "%llu", (unsigned long long)m->events);
    json_string(out, JSON_KEY("events"), bytes_of(count));
    json_close(out);
    add_time(out, JSON_KEY("startsAt"), m->first_ns);
    add_time(out, JSON_KEY("endsAt"), m->state == SINK_RESOLVED ? now_ns : now_ns + END_NS);
    json_close(out);
    sbuf_add_char(out, ']');
}

static void write_slack(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, escaped = SBUF_INIT;

    (void)secret, (void)now_ns;
    add_text(m, &text);
    for (size_t i = 0; i < text.len; i++) /* what would be a link or a mention of somebody is text */
        switch (text.data[i]) {
        case '&':
            sbuf_add_str(&escaped, "&amp;");
            break;
        case '<':
            sbuf_add_str(&escaped, "&lt;");
            break;
        case '>':
            sbuf_add_str(&escaped, "&gt;");
            break;
        default:
            sbuf_add_char(&escaped, text.data[i]);
        }
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("text"), sbuf_bytes(&escaped));
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
    json_string(out, JSON_KEY("type"), bytes_of("TextBlock"));
    json_bool(out, JSON_KEY("wrap"), true);
    json_string(out, JSON_KEY("text"), sbuf_bytes(&text));
    json_close(out);
    json_close_array(out);
    json_close(out);
    json_close(out);
    json_close_array(out);
    json_close(out);
}

static void write_pagerduty(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out)
{
    static const char *const severities[] = { "info", "info", "warning", "error", "critical" };
    struct bytes line = m->line;

    (void)now_ns;
    if (line.len && line.data[line.len - 1] == '\n')
        line.len--;
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("routing_key"), secret);
    json_string(out, JSON_KEY("event_action"), bytes_of(m->state == SINK_RESOLVED ? "resolve" : "trigger"));
    json_string(out, JSON_KEY("dedup_key"), bytes_of(m->id));
    (void)json_open(out, JSON_OBJECT("payload"));
    json_string(out, JSON_KEY("summary"), (struct bytes){ m->sentence.data, MIN(m->sentence.len, (size_t)1024) }); /* their limit */
    json_string(out, JSON_KEY("source"), m->host.len ? m->host : bytes_of("culprit"));
    json_string(out, JSON_KEY("severity"), bytes_of(severities[m->severity]));
    json_bytes(out, JSON_KEY("component"), m->watch);
    if (line.len && line.len < 400 * 1024) { /* theirs is 512 kB for all */
        json_key(out, JSON_KEY("custom_details"));
        sbuf_add_bytes(out, line);
    }
    json_close(out);
    json_close(out);
}

static const struct webhook_format {
    const char *name;
    bool secret_in_body;
    void (*write)(const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out);
} formats[] = {
    { "ecs", false, write_ecs },     { "alertmanager", false, write_alertmanager }, { "slack", false, write_slack },
    { "teams", false, write_teams }, { "pagerduty", true, write_pagerduty },
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
