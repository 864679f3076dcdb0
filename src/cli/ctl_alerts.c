/* SPDX-License-Identifier: MIT */
#include "cli/ctl_alerts.h"

#include <inttypes.h>

#include "alert/expect.h"
#include "control/call.h"
#include "util/escape.h"

#define COLUMN "  %-10s"
#define OPEN_MAX 10 /* lines */

static void add(struct sbuf *out, struct bytes text)
{
    escape_terminal(out, text);
}

static void write_expected(const struct json_t *expected, struct sbuf *out)
{
    bool any = false;

    for (unsigned i = EXPECTED_NONE + 1; i < EXPECTED_COUNT; i++) {
        const char *name = expected_row((enum expected)i)->name;
        uint64_t count = control_number(expected, name);

        if (!count)
            continue;
        if (!any)
            sbuf_addf(out, COLUMN, "expected");
        sbuf_addf(out, "%s%" PRIu64 " (%s)", any ? ", " : "", count, name);
        any = true;
    }
    if (any)
        sbuf_add_char(out, '\n');
}

static void write_sinks(const struct json_t *alerts, struct sbuf *out)
{
    for (size_t i = 0; i < control_array_size(alerts, "sinks"); i++) {
        const struct json_t *s = control_array_object(alerts, "sinks", i);

        sbuf_addf(out, COLUMN, "sink");
        add(out, control_text(s, "name"));
        sbuf_addf(out, ": %" PRIu64 " delivered", control_number(s, "delivered"));
        if (control_number(s, "waiting"))
            sbuf_addf(out, ", %" PRIu64 " wait", control_number(s, "waiting"));
        if (control_number(s, "dropped"))
            sbuf_addf(out, ", %" PRIu64 " DROPPED", control_number(s, "dropped"));
        if (control_text(s, "why").len) {
            sbuf_add_str(out, control_flag(s, "failing") ? "; FAILING: " : "; the last try failed: ");
            add(out, control_text(s, "why"));
        }
        sbuf_add_char(out, '\n');
    }
}

/* "3  /srv until 2026-11-29T13:00:00.000000000Z, 12 changes; by alice as root: migration" */
void ctl_write_silence(const struct json_t *s, struct sbuf *out)
{
    struct bytes target = control_text(s, "target"), until = control_text(s, "until");

    sbuf_addf(out, "%" PRIu64 "  ", control_number(s, "number"));
    add(out, target.len ? target : control_text(s, "what"));
    sbuf_add_str(out, " until ");
    add(out, (struct bytes){ until.data, MIN(until.len, (size_t)19) }); /* to the second */
    sbuf_addf(out, "Z, %" PRIu64 " change%s; by ", control_number(s, "events"), control_number(s, "events") == 1 ? "" : "s");
    add(out, control_text(s, "by"));
    sbuf_add_str(out, ": ");
    add(out, control_text(s, "reason"));
    sbuf_add_char(out, '\n');
}

void ctl_write_alerts(const struct json_t *alerts, struct sbuf *out)
{
    size_t open = control_array_size(alerts, "open");

    sbuf_addf(out, COLUMN, "alerts");
    if (!alerts) {
        sbuf_add_str(out, "off\n");
        return;
    }
    sbuf_addf(out, "%zu open; of %" PRIu64 " changes %" PRIu64 " belong to alerts\n", open, control_number(alerts, "seen"),
              control_number(alerts, "reported"));
    write_expected(control_object(alerts, "expected"), out);
    if (control_number(alerts, "silenced"))
        sbuf_addf(out, COLUMN "%" PRIu64 " changes\n", "silenced", control_number(alerts, "silenced"));
    for (size_t i = 0; i < control_array_size(alerts, "silences"); i++) {
        sbuf_addf(out, COLUMN, "silence");
        ctl_write_silence(control_array_object(alerts, "silences", i), out);
    }
    for (size_t i = 0; i < open && i < OPEN_MAX; i++) {
        const struct json_t *m = control_array_object(alerts, "open", i);

        sbuf_addf(out, "            %.8s ", control_text(m, "id").data ? control_text(m, "id").data : "");
        add(out, control_text(m, "severity"));
        sbuf_addf(out, ", %" PRIu64 " event%s", control_number(m, "events"), control_number(m, "events") == 1 ? "" : "s");
        sbuf_add_str(out, ", ");
        add(out, control_text(m, "watch"));
        if (control_text(m, "first_file").len) {
            sbuf_add_str(out, ", first ");
            add(out, control_text(m, "first_file"));
        }
        sbuf_add_char(out, '\n');
    }
    if (open > OPEN_MAX)
        sbuf_addf(out, "            and %zu more (--json has all)\n", open - OPEN_MAX);
    write_sinks(alerts, out);
}

void ctl_write_explanation(const struct json_t *e, struct sbuf *out)
{
    bool silenced = control_number(e, "silence") != 0;

    sbuf_add_str(out, control_flag(e, "alert") ? "an alert" : "no alert");
    sbuf_add_str(out, ": ");
    add(out, control_text(e, "why"));
    if (control_flag(e, "alert")) {
        sbuf_add_str(out, "; kind ");
        add(out, control_text(e, "kind"));
        sbuf_add_str(out, ", by itself ");
        add(out, control_text(e, "severity"));
        if (control_text(e, "matter").len) {
            sbuf_add_str(out, "; alert ");
            add(out, control_text(e, "matter"));
        } else {
            sbuf_add_str(out, "; that alert is over");
        }
        if (control_text(e, "said").len) {
            sbuf_add_str(out, "\nsaid with it: ");
            add(out, control_text(e, "said"));
        }
    } else if (silenced) {
        sbuf_addf(out, " (silence %" PRIu64, control_number(e, "silence"));
        if (control_text(e, "by").len) {
            sbuf_add_str(out, ", by ");
            add(out, control_text(e, "by"));
            sbuf_add_str(out, ": ");
            add(out, control_text(e, "reason"));
        }
        sbuf_add_char(out, ')');
    } else {
        sbuf_add_str(out, " (expected: ");
        add(out, control_text(e, "expected"));
        if (control_text(e, "block").len) {
            sbuf_add_str(out, ", ");
            add(out, control_text(e, "block"));
        }
        sbuf_add_char(out, ')');
    }
    sbuf_add_char(out, '\n');
}
