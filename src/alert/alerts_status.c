/* SPDX-License-Identifier: MIT */
/* What is said of what is judged. */
#include <errno.h>
#include <stdio.h>

#include "alert/alerts.h"
#include "alert/alerts_state.h"
#include "event/ecs.h"
#include "event/ecs_parts.h"
#include "util/escape.h"
#include "util/json_writer.h"

const struct alert_counts_by_watch *alerts_by_watch(const struct alerts *a)
{
    return &a->by_watch;
}

void alerts_look(const struct alerts *a, struct alerts_counts *ret)
{
    *ret = a->counts;
}

static void write_matter(const struct alerts *a, const struct matter *m, struct sbuf *out)
{
    const struct facts facts = alerts_facts(a, m);

    json_open_element(out);
    json_string(out, JSON_KEY("id"), bytes_of(m->id));
    json_string(out, JSON_KEY("severity"), bytes_of(severity_name(m->severity)));
    json_bytes(out, JSON_KEY("watch"), m->watch);
    json_number(out, JSON_KEY("events"), m->events);
    json_number(out, JSON_KEY("messages"), m->emitted);
    ecs_add_time(out, JSON_KEY("first"), m->first_ns);
    json_bytes(out, JSON_KEY("first_file"), m->first_file);
    facts_write_json(&facts, out);
    json_close(out);
}

void alerts_write_silence(const struct silence *s, struct sbuf *out)
{
    char matter[FINGERPRINT_TEXT];

    json_open_element(out);
    json_number(out, JSON_KEY("number"), s->number);
    json_bytes(out, JSON_KEY("target"), s->target);
    json_bytes(out, JSON_KEY("what"), s->what);
    if (s->matter.number) {
        fingerprint_text(s->matter, matter);
        json_string(out, JSON_KEY("matter"), bytes_of(matter));
    }
    json_string(out, JSON_KEY("by"), s->by);
    json_string(out, JSON_KEY("reason"), s->reason);
    ecs_add_time(out, JSON_KEY("since"), s->from_ns);
    ecs_add_time(out, JSON_KEY("until"), s->until_ns);
    json_number(out, JSON_KEY("events"), s->events);
    json_close(out);
}

void alerts_write_status(const struct alerts *a, struct sbuf *out)
{
    json_number(out, JSON_KEY("seen"), a->counts.seen);
    json_number(out, JSON_KEY("reported"), a->counts.reported);
    json_number(out, JSON_KEY("silenced"), a->counts.silenced);
    json_number(out, JSON_KEY("messages"), a->counts.emitted);
    json_number(out, JSON_KEY("crowded"), a->counts.crowded);
    (void)json_open(out, JSON_OBJECT("expected"));
    for (unsigned i = EXPECTED_NONE + 1; i < EXPECTED_COUNT; i++)
        if (a->counts.expected[i]) {
            json_key_of(out, expected_row((enum expected)i)->name);
            sbuf_add_decimal(out, a->counts.expected[i]);
        }
    json_close(out);
    (void)json_open(out, JSON_ARRAY("silences"));
    for (unsigned i = 0; i < a->silences.count; i++)
        alerts_write_silence(&a->silences.rows[i].silence, out);
    json_close_array(out);
    (void)json_open(out, JSON_ARRAY("open"));
    for (const struct matter *m = a->matters; m; m = m->hh.next)
        write_matter(a, m, out);
    json_close_array(out);
}

static const struct matter *by_number(const struct alerts *a, uint64_t number)
{
    for (const struct matter *m = a->matters; m; m = m->hh.next)
        if (m->number == number)
            return m;
    return NULL;
}

static void explain_matter(const struct alerts *a, const struct matter *m, struct sbuf *out)
{
    const struct facts facts = alerts_facts(a, m);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    json_string(out, JSON_KEY("matter"), bytes_of(m->id));
    facts_write_text(&facts, m->victim, &text);
    if (text.len) /* without the space that it begins with */
        json_string(out, JSON_KEY("said"), (struct bytes){ text.data + 1, text.len - 1 });
    facts_write_json(&facts, out);
}

int alerts_explain(const struct alerts *a, struct bytes id, struct sbuf *out)
{
    struct decision d;
    int r = decisions_find(&a->decisions, id, &d);
    const struct matter *m;

    if (r < 0)
        return r;
    json_hex(out, JSON_KEY("event"), (struct bytes){ (const char *)d.event, sizeof(d.event) });
    json_bool(out, JSON_KEY("alert"), d.expected == EXPECTED_NONE && !d.silence);
    if (d.expected != EXPECTED_NONE) {
        json_string(out, JSON_KEY("expected"), bytes_of(expected_row((enum expected)d.expected)->name));
        json_string(out, JSON_KEY("why"), bytes_of(expected_row((enum expected)d.expected)->why));
        if (d.expected == EXPECTED_BLOCK && d.rules == a->rules_number && d.block < a->rules.block_count)
            json_string(out, JSON_KEY("block"), a->rules.blocks[d.block].name);
        return 0;
    }
    if (d.silence) {
        const struct silence *s = silences_by_number(&a->silences, d.silence);

        json_string(out, JSON_KEY("why"), bytes_of("it was silenced"));
        json_number(out, JSON_KEY("silence"), d.silence);
        json_bytes(out, JSON_KEY("by"), s ? s->by : BYTES_NULL);
        json_bytes(out, JSON_KEY("reason"), s ? s->reason : BYTES_NULL);
        return 0;
    }
    json_string(out, JSON_KEY("why"), bytes_of("no row of what is expected fits, and no expect block"));
    json_string(out, JSON_KEY("kind"), bytes_of(severity_row(d.row)->name));
    json_string(out, JSON_KEY("severity"), bytes_of(severity_name(severity_row(d.row)->severity)));
    m = by_number(a, d.matter);
    if (m)
        explain_matter(a, m, out);
    return 0;
}

void alerts_write_test(const struct alerts *a, const char *id, struct bytes by, uint64_t realtime_ns, struct sbuf *ret_sentence,
                       struct sbuf *ret_line)
{
    sbuf_add_str(ret_sentence, "A test of culprit's alerts, by ");
    if (a->redact.rules.users && !bytes_equal_str(by, "root"))
        sbuf_add_str(ret_sentence, REDACTED);
    else
        escape_terminal(ret_sentence, by);
    sbuf_add_str(ret_sentence, ": nothing happened.");
    sbuf_add_char(ret_line, '{');
    ecs_add_time(ret_line, JSON_KEY("@timestamp"), realtime_ns);
    ecs_write_version(ret_line);
    json_key(ret_line, JSON_LITERAL(",\"event\":{\"kind\":\"alert\",\"category\":[\"file\"],\"type\":[\"info\"],\"action\":\"test\",\"module\":\"culprit\",\"dataset\":\"culprit.alert\"}"));
    json_string(ret_line, JSON_KEY("message"), sbuf_bytes(ret_sentence));
    (void)json_open(ret_line, JSON_OBJECT("culprit"));
    (void)json_open(ret_line, JSON_OBJECT("alert"));
    json_string(ret_line, JSON_KEY("id"), bytes_of(id));
    json_bool(ret_line, JSON_KEY("test"), true);
    json_string(ret_line, JSON_KEY("severity"), bytes_of(severity_name(SEVERITY_LOW)));
    json_string(ret_line, JSON_KEY("version"), bytes_of(CULPRIT_VERSION));
    json_close(ret_line);
    json_close(ret_line);
    ecs_write_host(ret_line, a->options.host);
    sbuf_add_str(ret_line, "}\n");
}
