/* SPDX-License-Identifier: MIT */
#include "cli/ctl_text.h"

#include <inttypes.h>
#include <time.h>

#include "cli/ctl_alerts.h"
#include "control/call.h"
#include "daemon/counts.h"
#include "store/query.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/parse.h"

#define COLUMN "  %-10s"
#define WHEN_SIZE 64

static void add(struct sbuf *out, struct bytes text)
{
    escape_terminal(out, text);
}

/* "Sat 28 Nov 14:03:19" */
static const char *when(uint64_t time_ns, char ret[WHEN_SIZE])
{
    time_t s = (time_t)(time_ns / NS_PER_S);
    struct tm tm;

    if (!localtime_r(&s, &tm) || !strftime(ret, WHEN_SIZE, "%a %e %b %H:%M:%S", &tm))
        ret[0] = '\0';
    return ret;
}

static const char *when_of(const struct json_t *of, const char *name, char ret[WHEN_SIZE])
{
    struct bytes text = control_text(of, name);
    uint64_t time_ns;

    ret[0] = '\0';
    if (text.len && parse_time(text.data, clock_ns(CLOCK_REALTIME), &time_ns, NULL) == 0)
        (void)when(time_ns, ret);
    return ret;
}

static void add_size(struct sbuf *out, uint64_t bytes)
{
    if (bytes < 10000)
        sbuf_addf(out, "%" PRIu64 " B", bytes);
    else if (bytes < 10000000)
        sbuf_addf(out, "%" PRIu64 " kB", bytes / 1000);
    else
        sbuf_addf(out, "%" PRIu64 " MB", bytes / 1000000);
}

static void write_watched(const struct json_t *s, struct sbuf *out)
{
    uint64_t unarmed = control_number(s, "unarmed"), transient = control_number(s, "transient");

    sbuf_addf(out, COLUMN "%" PRIu64 " of the configuration", "targets", control_number(s, "targets"));
    if (unarmed)
        sbuf_addf(out, ", %" PRIu64 " cannot be watched (culprit ctl watches)", unarmed);
    if (transient)
        sbuf_addf(out, ", %" PRIu64 " beside it", transient);
    sbuf_add_char(out, '\n');
}

static void write_events(const struct json_t *s, struct sbuf *out)
{
    const struct json_t *lost = control_object(s, "lost");
    bool any = false;
    char text[WHEN_SIZE];

    sbuf_addf(out, COLUMN "%" PRIu64 " since the start", "events", control_number(s, "events"));
    if (when_of(s, "newest", text)[0])
        sbuf_addf(out, ", the last at %s, recorded after %" PRIu64 " ms", text, control_number(s, "lag_ms"));
    sbuf_add_char(out, '\n');
    for (unsigned i = LOST_NONE + 1; i < LOST_COUNT; i++) {
        const char *place = status_lost_name((enum lost)i);
        uint64_t count = control_number(lost, place);

        if (!count)
            continue;
        if (!any)
            sbuf_addf(out, COLUMN, "lost");
        sbuf_addf(out, "%s%" PRIu64 " (%s)", any ? ", " : "", count, place);
        any = true;
    }
    sbuf_add_str(out, any ? "\n" : "  lost      nothing\n");
}

static void write_store(const struct json_t *s, const struct store_summary *summary, struct sbuf *out)
{
    const struct json_t *store = control_object(s, "store");
    uint64_t missing = control_number(store, "missing");
    struct bytes error = control_text(store, "error");
    char text[WHEN_SIZE];

    sbuf_addf(out, COLUMN, "store");
    add(out, control_text(store, "path"));
    if (summary) {
        sbuf_addf(out, ", %" PRIu64 " events, ", summary->events);
        add_size(out, summary->bytes);
        if (summary->first_ns)
            sbuf_addf(out, ", since %s", when(summary->first_ns, text));
    }
    if (error.len) {
        sbuf_add_str(out, ": cannot be written: ");
        add(out, error);
    } else if (!control_flag(store, "recording")) {
        sbuf_add_str(out, ": is not open yet");
    }
    if (missing)
        sbuf_addf(out, "; %" PRIu64 " events are not in it", missing);
    sbuf_add_char(out, '\n');
}

static void write_copies(const struct json_t *copies, struct sbuf *out)
{
    uint64_t left = control_number(copies, "too_large") + control_number(copies, "busy") + control_number(copies, "unreadable"),
             lost = control_number(copies, "lost"), held = control_number(copies, "held");
    struct bytes why = control_text(copies, "why");

    if (!copies)
        return;
    sbuf_addf(out, COLUMN, "copies");
    add_size(out, control_number(copies, "bytes"));
    sbuf_add_str(out, " of ");
    add_size(out, control_number(copies, "limit"));
    sbuf_addf(out, ", of %" PRIu64 " files and folders", control_number(copies, "files"));
    if (held)
        sbuf_addf(out, ", %" PRIu64 " of them copied when they change", held);
    if (left)
        sbuf_addf(out, "; %" PRIu64 " too large, open for writing or not readable", left);
    if (lost)
        sbuf_addf(out, "; %" PRIu64 " could not be copied when they changed", lost);
    if (why.len) {
        sbuf_add_str(out, "; NONE ARE KEPT NOW: ");
        add(out, why);
    }
    sbuf_add_char(out, '\n');
}

static void write_troubles(const struct json_t *s, struct sbuf *out)
{
    const struct json_t *configuration = control_object(s, "configuration"), *heartbeat = control_object(s, "heartbeat");
    size_t silent = control_array_size(s, "silent_engines");
    char text[WHEN_SIZE];

    if (silent) {
        sbuf_addf(out, COLUMN, "engines");
        for (size_t i = 0; i < silent; i++) {
            sbuf_add_str(out, i ? ", " : "");
            add(out, control_array_text(s, "silent_engines", i));
        }
        sbuf_addf(out, " %s not answer\n", silent == 1 ? "does" : "do");
    }
    sbuf_addf(out, COLUMN "in force since %s", "config", when_of(configuration, "since", text));
    if (control_flag(configuration, "broken")) {
        sbuf_add_str(out, "; a newer one is not: ");
        add(out, control_text(configuration, "why"));
    }
    sbuf_add_char(out, '\n');
    if (!heartbeat)
        return;
    sbuf_addf(out, COLUMN, "heartbeat");
    if (control_flag(heartbeat, "right"))
        sbuf_addf(out, "right at %s", when_of(heartbeat, "last", text));
    else {
        sbuf_addf(out, "WRONG at %s: ", when_of(heartbeat, "last", text));
        add(out, control_text(heartbeat, "why"));
    }
    sbuf_add_char(out, '\n');
}

void ctl_write_status(const struct json_t *s, const struct store_summary *store, struct sbuf *out)
{
    struct bytes not_seen = control_text(s, "not_seen");
    char text[WHEN_SIZE];

    sbuf_add_str(out, "culprit ");
    add(out, control_text(s, "version"));
    sbuf_addf(out, ", pid %" PRIu64 ", records since %s\n", control_number(s, "pid"), when_of(s, "since", text));
    sbuf_addf(out, COLUMN, "sensors");
    add(out, control_text(s, "sensors"));
    if (not_seen.len) {
        sbuf_add_str(out, "; not seen: ");
        add(out, not_seen);
    }
    sbuf_add_char(out, '\n');
    write_watched(s, out);
    write_events(s, out);
    ctl_write_alerts(control_object(s, "alerts"), out);
    write_store(s, store, out);
    write_copies(control_object(s, "copies"), out);
    write_troubles(s, out);
    sbuf_addf(out, COLUMN, "memory");
    add_size(out, control_number(s, "memory"));
    sbuf_add_str(out, ", ");
    add_size(out, control_number(s, "memory_peak"));
    sbuf_addf(out, " at its highest\n" COLUMN "%.1f s of processor time\n", "cost", (double)control_number(s, "cpu_ms") / 1000);
    if (control_number(s, "viewers"))
        sbuf_addf(out, COLUMN "%" PRIu64 "\n", "viewers", control_number(s, "viewers"));
}

void ctl_write_watches(const struct json_t *parameters, struct sbuf *out)
{
    for (size_t i = 0; i < control_array_size(parameters, "watches"); i++) {
        const struct json_t *w = control_array_object(parameters, "watches", i);
        struct bytes source = control_text(w, "source"), key = control_text(w, "key"), why = control_text(w, "why");

        sbuf_add_str(out, control_flag(w, "armed") ? "watched    " : "NOT        ");
        sbuf_addf(out, "%-5.*s", (int)MIN(control_text(w, "permissions").len, (size_t)4),
                  control_text(w, "permissions").len ? control_text(w, "permissions").data : "");
        add(out, control_text(w, "target"));
        if (key.len) {
            sbuf_add_str(out, "  key ");
            add(out, key);
        }
        if (bytes_equal_str(source, "label"))
            sbuf_add_str(out, "  by a container's label");
        else if (!bytes_equal_str(source, "configuration"))
            sbuf_addf(out, "  %s %" PRIu64 "x", bytes_equal_str(source, "added") ? "added" : "by viewers", control_number(w, "users"));
        if (why.len) {
            sbuf_add_str(out, "  (");
            add(out, why);
            sbuf_add_char(out, ')');
        }
        if (control_text(w, "guard").len) {
            sbuf_add_str(out, "  ");
            add(out, control_text(w, "guard"));
        }
        sbuf_add_char(out, '\n');
    }
}
