/* SPDX-License-Identifier: MIT */
/* A matter as a sentence and as JSON: what somebody needs who cannot reach the host any more. */
#include "alert/matter.h"

#include "event/ecs.h"
#include "event/ecs_parts.h"
#include "util/clock.h"
#include "util/json_writer.h"

#define PAGE_COLUMNS 120
#define PAGE_MAX (16 * 1024) /* bytes of the page for people */
#define FILE_MAX 4096        /* bytes of a path where room is short: whoever makes a file may give it 16 kB of what is six times as long in JSON */
#define FILE_MIN 256

/* The same page as `who` prints. */
static void add_page(struct matter *m, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf page = SBUF_INIT;
    struct bytes text;

    if (!m->case_)
        return;
    case_write_text(m->case_, false, PAGE_COLUMNS, &page);
    text = sbuf_bytes(&page);
    if (text.len > PAGE_MAX) {
        json_bool(out, JSON_KEY("page_cut"), true);
        for (text.len = PAGE_MAX; text.len && text.data[text.len - 1] != '\n'; text.len--)
            ;
    }
    json_bytes(out, JSON_KEY("page"), text);
}

static void add_rows(const struct matter *m, struct sbuf *out)
{
    size_t at = json_open(out, JSON_OBJECT("kinds"));

    for (unsigned i = 0; severity_row(i); i++)
        if (m->rows[i]) {
            json_key_of(out, severity_row(i)->name);
            sbuf_add_decimal(out, m->rows[i]);
        }
    json_close_filled(out, at);
}

static void add_acts(const struct matter *m, struct sbuf *out)
{
    struct bytes rest = sbuf_bytes(&m->acts);

    if (!rest.len)
        return;
    (void)json_open(out, JSON_ARRAY("response"));
    while (rest.len)
        json_element(out, bytes_next_field(&rest, '\n'));
    json_close_array(out);
}

/* For people: the last one; all of them are in the line. */
static void say_act(const struct matter *m, struct sbuf *sentence)
{
    struct bytes rest = sbuf_bytes(&m->acts), last = BYTES_NULL;

    while (rest.len)
        last = bytes_next_field(&rest, '\n');
    if (!last.len)
        return;
    sbuf_add_str(sentence, " Response: ");
    sbuf_add_bytes(sentence, last);
    sbuf_add_char(sentence, '.');
}

/* brief: bytes of a path, and neither page nor event; 0: all of it. */
static void add_alert(struct matter *m, enum alert_state state, const struct matter_surroundings *with, size_t brief, struct sbuf *out)
{
    size_t max = brief ? brief : SIZE_MAX;

    (void)json_open(out, JSON_OBJECT("alert"));
    json_string(out, JSON_KEY("id"), bytes_of(m->id));
    json_string(out, JSON_KEY("state"), bytes_of(alert_state_name(state)));
    json_string(out, JSON_KEY("severity"), bytes_of(severity_name(m->severity)));
    json_flag(out, JSON_KEY("silenced"), m->silenced);
    json_number(out, JSON_KEY("message"), m->emitted + 1);
    json_number(out, JSON_KEY("events"), m->events);
    ecs_add_time(out, JSON_KEY("first"), m->first_ns);
    ecs_add_time(out, JSON_KEY("last"), MAX(m->last_ns, m->first_ns));
    json_bytes(out, JSON_KEY("first_file"), bytes_cut(m->first_file, max));
    json_bytes(out, JSON_KEY("last_file"), bytes_cut(sbuf_bytes(&m->last_file), max));
    json_flag(out, JSON_KEY("cut"), brief != 0);
    add_acts(m, out);
    add_rows(m, out);
    facts_write_json(&m->facts, out);
    json_bytes(out, JSON_KEY("sensors"), with->sensors);
    json_bytes(out, JSON_KEY("not_seen"), with->not_seen);
    if (!brief)
        add_page(m, out);
    if (!brief && m->first_event.len) {
        json_key(out, JSON_KEY("first_event"));
        sbuf_add_bytes(out, m->first_event);
    }
    json_string(out, JSON_KEY("version"), bytes_of(CULPRIT_VERSION));
    json_close(out);
}

static void begin_plain(const struct matter *m, struct bytes sentence, struct sbuf *out)
{
    sbuf_add_char(out, '{');
    ecs_add_time(out, JSON_KEY("@timestamp"), m->first_ns);
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"alert\",\"category\":[\"file\"],\"type\":[\"info\"]"));
    json_string(out, JSON_KEY("action"), bytes_of(m->first_event.len ? "changes" : "culprit"));
    json_key(out, JSON_LITERAL(",\"module\":\"culprit\",\"dataset\":\"culprit.alert\"}"));
    json_string(out, JSON_KEY("message"), sentence);
    (void)json_open(out, JSON_OBJECT("culprit"));
    json_string(out, JSON_KEY("watch"), m->watch);
    if (m->victim)
        ecs_write_victim(out, VICTIM_CONTAINER, m->victim, BYTES_NULL);
}

static void end(const struct matter *m, const struct matter_surroundings *with, struct sbuf *out)
{
    json_close(out); /* culprit */
    ecs_write_host(out, with->host);
    if (m->techniques) {
        json_key(out, JSON_LITERAL(",\"threat\":{\"framework\":\"MITRE ATT&CK\",\"technique\":{\"id\":["));
        technique_write(out, m->techniques);
        sbuf_add_str(out, "]}}");
    }
    sbuf_add_str(out, "}\n");
}

/* Without the facts at its end. */
static void cut_sentence(struct sbuf *sentence, size_t facts, size_t max)
{
    sbuf_truncate(sentence, sentence->len - MIN(sentence->len, facts));
    if (sentence->len <= max)
        return;
    sbuf_truncate(sentence, bytes_cut(sbuf_bytes(sentence), max).len);
    sbuf_add_str(sentence, "…");
}

static void write_line(struct matter *m, enum alert_state state, const struct matter_surroundings *with, size_t brief, struct sbuf *sentence,
                       struct sbuf *out)
{
    static const char tail[] = "}}\n";
    _cleanup_sbuf_ struct sbuf facts = SBUF_INIT;
    bool verdict;

    sbuf_clear(out);
    sbuf_clear(sentence);
    facts_write_text(&m->facts, m->victim, &facts);
    verdict = m->case_ && case_write_alert(m->case_, sbuf_bytes(&facts), sentence, out) && bytes_ends_with(sbuf_bytes(out), bytes_of(tail));
    if (!sentence->len) {
        if (m->first_event.len && m->events > 1)
            sbuf_addf(sentence, "%llu changes, the first: ", (unsigned long long)m->events);
        sbuf_add_bytes(sentence, m->sentence);
        sbuf_add_str(sentence, facts.len && !bytes_ends_with(m->sentence, bytes_of(".")) ? "." : "");
        sbuf_add_bytes(sentence, sbuf_bytes(&facts));
    }
    if (verdict && !brief) {
        sbuf_truncate(out, out->len - strlen(tail));
    } else {
        cut_sentence(sentence, facts.len, MIN(brief ? brief : SIZE_MAX, (size_t)ALERT_SENTENCE_MAX - FACTS_MAX));
        sbuf_add_bytes(sentence, sbuf_bytes(&facts));
        sbuf_clear(out);
        begin_plain(m, sbuf_bytes(sentence), out);
    }
    say_act(m, sentence);
    add_alert(m, state, with, brief, out);
    end(m, with, out);
}

/* Who, what and how much always fit: whatever the names of the files are, there is an alert. */
void matter_write(struct matter *m, enum alert_state state, const struct matter_surroundings *with, struct sbuf *ret_sentence,
                  struct sbuf *ret_line)
{
    write_line(m, state, with, 0, ret_sentence, ret_line);
    for (size_t max = FILE_MAX; max >= FILE_MIN && (ret_line->len > ALERT_LINE_MAX || ret_sentence->len > ALERT_SENTENCE_MAX + 3); max /= 4)
        write_line(m, state, with, max, ret_sentence, ret_line);
}
