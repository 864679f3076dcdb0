/* SPDX-License-Identifier: MIT */
#include "clues/page_sources.h"

#include <string.h>

#include "clues/page_parts.h"
#include "clues/source.h"
#include "util/escape.h"

static void put_source(const struct clue_page *p, struct sbuf *out, unsigned source)
{
    const struct clue_report *r = clues_report(p->clues, source);

    sbuf_add_str(out, clue_sources[source].reads);
    if (r->cover.from_ns) {
        sbuf_add_str(out, " (since ");
        clue_put_time(out, r->cover.from_ns, clues_question(p->clues)->now_ns);
        sbuf_add_char(out, ')');
    }
    if (r->note.len) {
        sbuf_add_str(out, " (");
        escape_terminal(out, r->note);
        sbuf_add_char(out, ')');
    }
    if (r->left_out)
        sbuf_addf(out, " (%u more that it has are left out)", r->left_out);
}

/* A line for each group that has one in that state. */
static void put_list(const struct clue_page *p, struct sbuf *out, const char *label, enum clue_state state)
{
    static const char *const names[CLUE_GROUP_COUNT] = {
        [CLUE_OF_RECORDS] = "records", [CLUE_OF_FILES] = "files", [CLUE_OF_ORIGINALS] = "copies", [CLUE_OF_CONTAINERS] = "containers",
        [CLUE_OF_LOGS] = "logs",       [CLUE_OF_PEOPLE] = "people", [CLUE_OF_PROGRAMS] = "programs",
    };
    bool any = false;

    for (unsigned group = 0; group < CLUE_GROUP_COUNT; group++) {
        unsigned n = 0;

        for (unsigned i = 0; i < clue_source_count; i++) {
            if (clue_sources[i].group != group || clues_report(p->clues, i)->state != state)
                continue;
            if (n++) {
                sbuf_add_str(out, "; ");
            } else {
                clue_put_label(p, out, any ? "" : label);
                sbuf_addf(out, "%s: ", names[group]);
            }
            put_source(p, out, i);
        }
        any |= n;
        if (n)
            sbuf_add_char(out, '\n');
    }
    if (any && state == CLUE_STATE_ABSENT && p->unprivileged) {
        clue_put_label(p, out, "");
        sbuf_add_str(out, "(or cannot be read without root)\n");
    }
}

/* Does it reach back no farther than behind the first moment? */
static bool begins_later(const struct clue_page *p, unsigned source)
{
    const struct clue_question *q = clues_question(p->clues);
    const struct clue_report *r = clues_report(p->clues, source);

    return r->state == CLUE_STATE_READ && q->span_count && r->cover.from_ns > q->spans[0].to_ns;
}

static void put_later(const struct clue_page *p, struct sbuf *out)
{
    bool any = false;

    for (unsigned i = 0; i < clue_source_count; i++) {
        if (!begins_later(p, i))
            continue;
        if (!any)
            clue_put_label(p, out, "TOO LATE");
        sbuf_addf(out, "%s%s (since ", any ? "; " : "", clue_sources[i].reads);
        clue_put_time(out, clues_report(p->clues, i)->cover.from_ns, clues_question(p->clues)->now_ns);
        sbuf_add_char(out, ')');
        any = true;
    }
    if (any)
        sbuf_add_str(out, ": nothing in them can be of that moment\n");
}

/* What would have known more, if it had been there. */
static void put_advice(const struct clue_page *p, struct sbuf *out)
{
    static const struct {
        const char *source, *says;
        bool later; /* it is there, and does not reach back */
    } rows[] = {
        { "journal", "a journal that outlives restarts: mkdir /var/log/journal", false },
        { "journal", "a journal that is kept longer: SystemMaxUse= in /etc/systemd/journald.conf", true },
        { "acct", "process accounting: the package acct or psacct", false },
        { "audit", "a record of who deletes: culprit-daemon(8), or auditd with rules", false },
    };
    bool any = false;

    for (unsigned i = 0; i < clue_source_count; i++)
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
            if (strcmp(clue_sources[i].name, rows[k].source) != 0 ||
                (rows[k].later ? !begins_later(p, i) : clues_report(p->clues, i)->state != CLUE_STATE_ABSENT))
                continue;
            if (!any)
                clue_put_label(p, out, "SWITCH ON");
            sbuf_add_str(out, any ? "; " : "");
            sbuf_add_str(out, rows[k].says);
            any = true;
        }
    if (any)
        sbuf_add_char(out, '\n');
}

/* Of whom the answer has something, before it is handed on. */
static void put_privacy(const struct clue_page *p, struct sbuf *out)
{
    size_t count;
    const struct clue_fact *facts = clues_facts(p->clues, &count);
    const char *said[8];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const char *privacy = clue_sources[facts[i].source].privacy;
        bool known = !privacy || n == ARRAY_SIZE(said) || !clue_is_in_text(p, &facts[i]);

        for (size_t k = 0; k < n && !known; k++)
            known = strcmp(said[k], privacy) == 0;
        if (known)
            continue;
        if (!n)
            clue_put_label(p, out, "PRIVATE");
        sbuf_addf(out, "%s%s", n ? "; " : "before you hand this on, it has ", privacy);
        said[n++] = privacy;
    }
    if (n)
        sbuf_add_char(out, '\n');
}

void clue_put_sources(const struct clue_page *p, struct sbuf *out)
{
    put_list(p, out, "LOOKED AT", CLUE_STATE_READ);
    put_list(p, out, "NOT HERE", CLUE_STATE_ABSENT);
    put_list(p, out, "FAILED", CLUE_STATE_FAILED);
    put_later(p, out);
    if (!p->suspect_count)
        put_advice(p, out);
    put_privacy(p, out);
}
