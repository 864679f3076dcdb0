/* SPDX-License-Identifier: MIT */
#include "clues/page_parts.h"

#include <time.h>

#include "util/macro.h"

void clue_put_label(const struct clue_page *p, struct sbuf *out, const char *label)
{
    sbuf_addf(out, "%s%-*s%s", p->colour ? "\x1b[1m" : "", PAGE_LABEL - 1, label, p->colour ? "\x1b[0m" : "");
    sbuf_add_char(out, ' ');
}

/* The day too, if it is not today. */
void clue_put_time(struct sbuf *out, uint64_t ns, uint64_t now_ns)
{
    time_t t = (time_t)(ns / NS_PER_S), now = (time_t)(now_ns / NS_PER_S);
    struct tm tm, today;

    localtime_r(&t, &tm);
    localtime_r(&now, &today);
    if (tm.tm_year != today.tm_year || tm.tm_yday != today.tm_yday)
        sbuf_addf(out, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    sbuf_addf(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (ns % NS_PER_S)
        sbuf_addf(out, ".%02llu", (unsigned long long)(ns % NS_PER_S / 10000000));
}

/* Processes begin all the time: those that nothing else speaks against are only counted. */
bool clue_is_suspected(const struct clue_page *p, const struct clue_fact *f)
{
    for (size_t i = 0; i < p->suspect_count; i++)
        if (bytes_equal(p->suspects[i].name, f->suspect))
            return true;
    return false;
}

bool clue_is_shown(const struct clue_page *p, const struct clue_fact *f, bool happened)
{
    if (happened)
        return f->kind == CLUE_HAPPENED || (f->kind == CLUE_RUNNING && clue_is_suspected(p, f)) ||
               (f->kind == CLUE_AGENT && (f->marks & CLUE_GUARDS));
    /* what only names the path is in JSON; a rule that keeps it has no suspect */
    return (f->kind == CLUE_RULE && (f->marks & CLUE_NAMES) && ((f->marks & (CLUE_REMOVES | CLUE_ALTERS)) || !f->suspect.len)) ||
           (f->kind == CLUE_AGENT && !(f->marks & CLUE_GUARDS));
}

bool clue_is_in_text(const struct clue_page *p, const struct clue_fact *f)
{
    return f->kind != CLUE_AGENT && (f->kind < CLUE_HAPPENED || clue_is_shown(p, f, true) || clue_is_shown(p, f, false));
}
