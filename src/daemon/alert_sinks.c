/* SPDX-License-Identifier: MIT */
#include "daemon/alert_sinks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/alert_sinks_state.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json_writer.h"

#define QUEUE_BYTES (4 * 1024 * 1024) /* for one sink, beside what its socket holds: it takes each message at once, as its disk does */
#define FAILING 3                     /* failures in a row: one alone is a moment's */
#define TEST_GRACE_NS (3 * NS_PER_S)  /* beyond what a delivery may take */
#define TEST_MAX_NS (20 * NS_PER_S)   /* whoever asked waits for thirty seconds */

/* ---- messages ---- */

/* False: not now. */
static bool send_one(const struct alert_sink *one, struct bytes message)
{
    return send(one->socket, message.data, message.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void put(struct alert_sink *one, struct bytes message)
{
    struct queued *q;

    if (!one->first && send_one(one, message))
        return;
    q = one->queued_bytes + message.len <= QUEUE_BYTES ? malloc(sizeof(*q) + message.len) : NULL;
    if (!q) {
        one->dropped++;
        return;
    }
    q->next = NULL;
    q->len = message.len;
    memcpy(q->data, message.data, message.len);
    if (one->first)
        one->last->next = q;
    else
        one->first = q;
    one->last = q;
    one->queued_bytes += message.len;
}

void alert_sinks_send(struct alert_sinks *s, const struct sink_message *m)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT;

    sink_message_write(m, &message);
    for (unsigned i = 0; i < s->count; i++) {
        const struct sink_settings *settings = &s->sinks[i].settings;

        if (m->severity < settings->severity || (settings->ops->wants && !settings->ops->wants(m)))
            continue;
        if (sbuf_error(&message) < 0)
            s->sinks[i].dropped++;
        else
            put(&s->sinks[i], sbuf_bytes(&message));
    }
}

static void flush(struct alert_sink *one)
{
    while (one->first && send_one(one, (struct bytes){ one->first->data, one->first->len })) {
        struct queued *q = one->first;

        one->first = q->next;
        one->queued_bytes -= q->len;
        free(q);
    }
}

static void take_report(struct alert_sink *one, struct sink_report report)
{
    report.text[sizeof(report.text) - 1] = '\0';
    if (report.run != one->report.run) {
        one->before.delivered += one->report.delivered;
        one->before.failures += one->report.failures;
        one->before.dropped += one->report.dropped;
        one->before.tests += one->report.tests;
        if (report.broken)
            report.waiting = one->report.waiting; /* what was there is there still, as far as is known */
    }
    one->report = report;
}

static void receive(struct alert_sink *one)
{
    struct sink_report report = { 0 };
    ssize_t n;

    while ((n = recv(one->socket, &report, sizeof(report), MSG_DONTWAIT)) == (ssize_t)sizeof(report))
        take_report(one, report);
    if (n != 0 || one->report.run == UINT32_MAX)
        return;
    report = (struct sink_report){ .failures = 1, .run = UINT32_MAX, .broken = 1 };
    snprintf(report.text, sizeof(report.text), "its process was ended, and is started with the daemon only");
    take_report(one, report);
}

struct sink_report alert_sink_counts(const struct alert_sink *one)
{
    struct sink_report r = one->report;

    r.delivered += one->before.delivered;
    r.failures += one->before.failures;
    r.dropped += one->before.dropped + one->dropped;
    r.tests += one->before.tests;
    return r;
}

bool alert_sink_is_failing(const struct alert_sink *one)
{
    return one->report.in_a_row >= FAILING || one->report.broken;
}

static void say(struct alert_sinks *s, struct alert_sink *one)
{
    const struct sink_report counts = alert_sink_counts(one);
    bool failing = alert_sink_is_failing(one);
    char text[LIMIT_ERR];

    if (counts.dropped > one->said_dropped) {
        snprintf(text, sizeof(text), "Sink %.80s has dropped %" PRIu64 " alerts, the oldest that waited, in all: %.150s", one->settings.name.data,
                 counts.dropped, counts.text);
        one->said_dropped = counts.dropped;
    } else if (counts.broken && !one->said_failing) {
        snprintf(text, sizeof(text), "Alerts do not get into sink %.80s: %.200s.", one->settings.name.data, counts.text);
    } else if (failing && !one->said_failing) {
        snprintf(text, sizeof(text), "Alerts do not get out of sink %.80s: %.150s; %" PRIu64 " wait.", one->settings.name.data, counts.text,
                 counts.waiting);
    } else {
        if (!failing && counts.delivered > one->said_delivered) /* not each time that a process of it lives for a moment */
            one->said_failing = false;
        return;
    }
    one->said_failing |= failing;
    one->said_delivered = counts.delivered;
    s->options.failing(s->options.data, one->settings.name.data, text);
}

/* ---- a test ---- */

static bool is_tried(const struct alert_sink *one, struct bytes name, const struct sink_message *m)
{
    if (one->settings.ops->wants && !one->settings.ops->wants(m))
        return false;
    return !name.len || bytes_equal(one->settings.name, name) ||
           (one->settings.ops->apart && bytes_starts_with(one->settings.name, name) && one->settings.name.data[name.len] == ':');
}

/* What cannot be asked fails without an answer. */
static void begin_test(struct alert_sink *one, struct bytes message, struct bytes over)
{
    const struct sink_report counts = alert_sink_counts(one);

    one->test.state = TEST_WAITS;
    one->test.failures = counts.failures;
    one->test.dropped = counts.dropped;
    one->test.tests = counts.tests;
    one->test.begun_ns = clock_ns(CLOCK_MONOTONIC);
    one->test.until_ns = one->test.begun_ns + MIN(one->settings.timeout_ns + TEST_GRACE_NS, TEST_MAX_NS);
    put(one, message);
    put(one, over);
}

int alert_sinks_test(struct alert_sinks *s, struct bytes name, const struct sink_message *m)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT, over = SBUF_INIT;
    struct sink_message resolved = *m;
    bool any = false, exists = false;

    for (unsigned i = 0; i < s->count; i++) {
        if (s->sinks[i].test.state == TEST_WAITS)
            return -EBUSY;
        any |= is_tried(&s->sinks[i], name, m);
        exists |= bytes_equal(s->sinks[i].settings.name, name);
    }
    if (!any)
        return exists ? -EOPNOTSUPP : -ENOENT;
    resolved.state = ALERT_RESOLVED;
    sink_message_write(m, &message);
    sink_message_write(&resolved, &over);
    if (sbuf_error(&message) < 0 || sbuf_error(&over) < 0)
        return -ENOMEM;
    for (unsigned i = 0; i < s->count; i++) {
        s->sinks[i].test.state = TEST_NONE; /* whoever asked before may have gone without his answer */
        if (is_tried(&s->sinks[i], name, m))
            begin_test(&s->sinks[i], sbuf_bytes(&message), sbuf_bytes(&over));
    }
    return 0;
}

static void look_at_test(struct alert_sink *one)
{
    struct sink_report counts;
    uint64_t now;

    if (one->test.state != TEST_WAITS)
        return;
    counts = alert_sink_counts(one);
    now = clock_ns(CLOCK_MONOTONIC);
    if (counts.tests >= one->test.tests + 2)
        one->test.state = TEST_ARRIVED;
    else if (counts.failures > one->test.failures || counts.dropped > one->test.dropped || counts.broken || now >= one->test.until_ns)
        one->test.state = TEST_FAILED;
    one->test.took_ns = now - one->test.begun_ns;
}

bool alert_sinks_test_is_over(const struct alert_sinks *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->sinks[i].test.state == TEST_WAITS)
            return false;
    return true;
}

void alert_sinks_end_test(struct alert_sinks *s, struct sbuf *out)
{
    json_open(out, JSON_ARRAY("sinks"));
    for (unsigned i = 0; i < s->count; i++) {
        struct alert_sink *one = &s->sinks[i];
        const struct sink_report counts = alert_sink_counts(one);
        bool arrived = one->test.state == TEST_ARRIVED;

        if (one->test.state == TEST_NONE)
            continue;
        json_open_element(out);
        json_string(out, JSON_KEY("name"), one->settings.name);
        json_string(out, JSON_KEY("type"), bytes_of(one->settings.ops->type));
        json_bool(out, JSON_KEY("arrived"), arrived);
        json_number(out, JSON_KEY("ms"), one->test.took_ns / NS_PER_MS);
        if (!arrived) {
            json_string(out, JSON_KEY("why"), bytes_of(counts.text[0] ? counts.text : "no answer in time"));
            json_number(out, JSON_KEY("waiting"), counts.waiting);
        }
        json_close(out);
        one->test.state = TEST_NONE;
    }
    json_close_array(out);
}

void alert_sinks_idle(struct alert_sinks *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        flush(&s->sinks[i]);
        receive(&s->sinks[i]);
        say(s, &s->sinks[i]);
        look_at_test(&s->sinks[i]);
    }
}

bool alert_sinks_has_journal(const struct alert_sinks *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->sinks[i].settings.ops == &sink_journal)
            return true;
    return false;
}
