/* SPDX-License-Identifier: MIT */
/* What is said of sinks: as JSON and as series of metrics. */
#include <inttypes.h>

#include "daemon/alert_sinks.h"
#include "daemon/alert_sinks_state.h"
#include "util/json_writer.h"
#include "util/macro.h"

void alert_sinks_write_status(const struct alert_sinks *s, struct sbuf *out)
{
    json_open(out, JSON_ARRAY("sinks"));
    for (unsigned i = 0; i < s->count; i++) {
        const struct alert_sink *one = &s->sinks[i];
        const struct sink_report counts = alert_sink_counts(one);

        json_open_element(out);
        json_string(out, JSON_KEY("name"), one->settings.name);
        json_string(out, JSON_KEY("type"), bytes_of(one->settings.ops->type));
        json_bool(out, JSON_KEY("failing"), alert_sink_is_failing(one));
        json_number(out, JSON_KEY("delivered"), counts.delivered);
        json_number(out, JSON_KEY("failures"), counts.failures);
        json_number(out, JSON_KEY("waiting"), counts.waiting);
        json_number(out, JSON_KEY("dropped"), counts.dropped);
        json_bytes(out, JSON_KEY("why"), bytes_of(counts.text));
        json_close(out);
    }
    json_close_array(out);
}

static void write_series(const struct alert_sinks *s, const char *name, uint64_t (*value)(const struct alert_sink *one), struct sbuf *out)
{
    for (unsigned i = 0; i < s->count; i++)
        sbuf_addf(out, "%s{sink=\"%s\"} %" PRIu64 "\n", name, s->sinks[i].settings.name.data, value(&s->sinks[i]));
}

static uint64_t failing_of(const struct alert_sink *one)
{
    return alert_sink_is_failing(one);
}

static uint64_t failures_of(const struct alert_sink *one)
{
    return alert_sink_counts(one).failures;
}

static uint64_t waiting_of(const struct alert_sink *one)
{
    return alert_sink_counts(one).waiting;
}

static uint64_t dropped_of(const struct alert_sink *one)
{
    return alert_sink_counts(one).dropped;
}

void alert_sinks_write_metrics(const struct alert_sinks *s, void (*head)(struct sbuf *out, const char *name, const char *type, const char *help),
                               struct sbuf *out)
{
    static const struct {
        const char *name, *type, *help;
        uint64_t (*value)(const struct alert_sink *one);
    } rows[] = {
        { "culprit_sink_failing", "gauge", "1: alerts do not get to the sink now.", failing_of },
        { "culprit_sink_failures_total", "counter", "Deliveries of alerts that failed, and are tried again.", failures_of },
        { "culprit_sink_waiting", "gauge", "Alerts that wait for a sink.", waiting_of },
        { "culprit_sink_dropped_total", "counter", "Alerts that a sink never gets, since too many waited.", dropped_of },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        head(out, rows[i].name, rows[i].type, rows[i].help);
        write_series(s, rows[i].name, rows[i].value, out);
    }
}
