/* SPDX-License-Identifier: MIT */
/* Prometheus' text format. A thousand series at most: what would be more goes into those of the watch "other". */
#include <inttypes.h>
#include <sys/resource.h>

#include "daemon/status.h"
#include "event/operation.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/memory.h"
#include "watch/listing.h"
#include "watch/plan.h"

#define BLIND_MAX 200 /* watches that have a series of their own */

/* A backslash, a quote and a newline are escaped; what is no UTF-8, or could act on a terminal, is shown by its number. */
static void write_label(struct sbuf *out, const char *name, struct bytes value)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    escape_terminal(&shown, value);
    sbuf_addf(out, "%s=\"", name);
    for (size_t i = 0; i < shown.len; i++) {
        if (shown.data[i] == '\\' || shown.data[i] == '"')
            sbuf_add_char(out, '\\');
        sbuf_add_char(out, shown.data[i]);
    }
    sbuf_add_char(out, '"');
}

static void head(struct sbuf *out, const char *name, const char *type, const char *help)
{
    sbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(struct sbuf *out, const char *name, const char *type, const char *help, double value)
{
    head(out, name, type, help);
    sbuf_addf(out, "%s %.15g\n", name, value);
}

static void write_events(const struct status *s, struct sbuf *out)
{
    head(out, "culprit_events_total", "counter", "Changes that were recorded.");
    for (const struct status_series *x = s->series; x; x = x->hh.next) {
        sbuf_add_str(out, "culprit_events_total{");
        write_label(out, "watch", (struct bytes){ x->key + 2, x->len });
        sbuf_addf(out, ",operation=\"%s\",outcome=\"%s\"} %" PRIu64 "\n", operation_info(x->operation)->name,
                  x->failed ? "failure" : "success", x->count);
    }
}

static void write_lost(const struct status *s, struct sbuf *out)
{
    head(out, "culprit_events_lost_total", "counter", "Events that were lost, by where; once for each time where it is not known how many.");
    for (unsigned i = 1; i < LOST_COUNT; i++)
        sbuf_addf(out, "culprit_events_lost_total{place=\"%s\"} %" PRIu64 "\n", status_lost_name((enum lost)i), s->lost[i]);
}

static void write_lag(const struct status *s, struct sbuf *out)
{
    uint64_t sum = 0;

    head(out, "culprit_event_lag_seconds", "histogram", "From the kernel's moment of a change to its record.");
    for (unsigned i = 0; i < STATUS_LAG_BUCKETS; i++) {
        sum += s->lag_count[i];
        sbuf_addf(out, "culprit_event_lag_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                  (double)status_lag_limits_ns[i] / (double)NS_PER_S, sum);
    }
    sum += s->lag_count[STATUS_LAG_BUCKETS];
    sbuf_addf(out, "culprit_event_lag_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
    sbuf_addf(out, "culprit_event_lag_seconds_sum %.9g\n", (double)s->lag_sum_ns / (double)NS_PER_S);
    sbuf_addf(out, "culprit_event_lag_seconds_count %" PRIu64 "\n", sum);
}

static void write_by_watch(const struct alert_counts_by_watch *counts, bool expected, struct sbuf *out)
{
    for (const struct alert_series *x = counts->series; x; x = x->hh.next) {
        if (x->expected != expected)
            continue;
        sbuf_addf(out, "%s{", expected ? "culprit_events_expected_total" : "culprit_alerts_total");
        write_label(out, "watch", (struct bytes){ x->key + ALERT_SERIES_WATCH, x->len });
        sbuf_addf(out, ",%s=\"%s\"} %" PRIu64 "\n", expected ? "reason" : "severity",
                  expected ? expected_row((enum expected)x->which)->name : severity_name((enum severity)x->which), x->count);
    }
}

static void write_alerts(const struct alerts *alerts, struct sbuf *out)
{
    struct alerts_counts counts;

    alerts_look(alerts, &counts);
    head(out, "culprit_alerts_total", "counter", "Alerts that began, by the severity of their first message.");
    write_by_watch(alerts_by_watch(alerts), false, out);
    head(out, "culprit_events_expected_total", "counter", "Changes that are no alert, by what explains them.");
    write_by_watch(alerts_by_watch(alerts), true, out);
    number(out, "culprit_events_alerted_total", "counter", "Changes that belong to alerts.", (double)counts.reported);
    number(out, "culprit_events_silenced_total", "counter", "Changes that somebody silenced.", (double)counts.silenced);
    number(out, "culprit_silences", "gauge", "Silences in force.", alerts_silences(alerts)->count);
    number(out, "culprit_alerts_open", "gauge", "Alerts that are not over.", counts.open);
}

struct blind_finding {
    const struct target *target;
    bool armed;
};

static void on_listing(void *data, const struct watch_listing *l)
{
    struct blind_finding *f = data;

    f->armed |= l->objects > 0 && plan_same_place(l->target, f->target) && bytes_path_covers(l->target->path, f->target->path);
}

static bool is_blind(const struct status_view *v, const struct target *target)
{
    struct blind_finding f = { .target = target };

    pipeline_each_watch(v->pipeline, on_listing, &f);
    return !f.armed;
}

static void write_blind_series(struct sbuf *out, struct bytes text, bool blind)
{
    sbuf_add_str(out, "culprit_watch_blind{");
    write_label(out, "watch", text);
    sbuf_addf(out, "} %d\n", blind);
}

static void write_blind(const struct status_view *v, struct sbuf *out)
{
    const struct arming_set *set = &v->arming->set;
    unsigned others = 0;

    head(out, "culprit_watch_blind", "gauge", "1: nothing of the watch is watched now.");
    for (size_t i = 0; i < set->count; i++) {
        bool blind = is_blind(v, &set->targets[i]), again = false;

        /* of two watches of one target the text is one label */
        for (size_t k = 0; k < i && i < BLIND_MAX; k++)
            again |= bytes_equal(set->asks[i].text, set->asks[k].text);
        if (i >= BLIND_MAX) {
            others += blind;
            continue;
        }
        if (again)
            continue;
        write_blind_series(out, set->asks[i].text, blind);
    }
    for (size_t i = 0; i < set->unarmed_count; i++) { /* what could not be armed is no ask any more */
        if (set->count + i < BLIND_MAX)
            write_blind_series(out, set->unarmed[i].text, true);
        else
            others++;
    }
    sbuf_addf(out, "culprit_watch_blind{watch=\"" STATUS_OTHER "\"} %u\n", others);
}

static void on_silent(void *data, const char *name)
{
    (void)name;
    ++*(unsigned *)data;
}

void status_write_metrics(const struct status_view *v, struct sbuf *out)
{
    const struct status *s = v->status;
    struct pipeline_condition now;
    struct rusage usage = { 0 };
    unsigned silent = 0;

    pipeline_look(v->pipeline, &now);
    (void)getrusage(RUSAGE_SELF, &usage);
    pipeline_each_silent_engine(v->pipeline, on_silent, &silent);
    head(out, "culprit_build_info", "gauge", "The program.");
    sbuf_add_str(out, "culprit_build_info{version=\"" CULPRIT_VERSION "\"} 1\n");
    write_events(s, out);
    write_lost(s, out);
    write_lag(s, out);
    write_blind(v, out);
    if (v->alerts)
        write_alerts(v->alerts, out);
    if (v->sinks)
        alert_sinks_write_metrics(v->sinks, head, out);
    number(out, "culprit_engines_silent", "gauge", "Container engines that do not answer.", silent);
    number(out, "culprit_store_recording", "gauge", "1: the store can be written.",
           now.has_store && now.store.recording && !now.store.error);
    number(out, "culprit_store_bytes", "gauge", "The store's file and SQLite's log of it.", (double)now.store.bytes);
    number(out, "culprit_store_faulty", "gauge", "1: a part of the store is damaged and cannot be kept small.", now.store.fault[0] != '\0');
    number(out, "culprit_store_missing_events", "gauge", "Events that are not in the store.", (double)now.store.missing);
    if (now.keeps_copies) {
        number(out, "culprit_copies_bytes", "gauge", "Kept copies on disk.", (double)now.copies.bytes);
        number(out, "culprit_copies_kept", "gauge", "0: nothing is kept now.", !now.copies.error);
    }
    number(out, "culprit_config_last_reload_successful", "gauge", "0: the last reload found mistakes.", !s->broken);
    number(out, "culprit_config_last_reload_success_timestamp_seconds", "gauge", "When the configuration in force was read.",
           (double)(s->reloaded_ns / NS_PER_MS) / 1000);
    number(out, "culprit_heartbeats_total", "counter", "Proofs that the daemon sees what it should.", (double)s->heartbeats);
    number(out, "culprit_heartbeats_wrong_total", "counter", "Those that failed.", (double)s->heartbeats_wrong);
    number(out, "culprit_clients", "gauge", "Connections to the control socket.", v->clients);
    number(out, "culprit_viewers", "gauge", "Of them, those that get events.", v->viewers);
    number(out, "process_resident_memory_bytes", "gauge", "Memory.", (double)memory_resident());
    number(out, "process_start_time_seconds", "gauge", "When the daemon began.", (double)(s->since_ns / NS_PER_MS) / 1000);
    number(out, "process_cpu_seconds_total", "counter", "Processor time.",
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}
