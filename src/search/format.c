/* SPDX-License-Identifier: MIT */
#include "search/format.h"

#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "search/format_text.h"
#include "search/formatter.h"
#include "search/interpret.h"
#include "search/json.h"
#include "search/normalize.h"
#include "sensor/audit/record.h"
#include "util/escape.h"

struct search_formatter *search_formatter_new(const struct search_query *query,
                                              const struct ecs_host *host)
{
    struct search_formatter *f = calloc(1, sizeof(*f));

    if (f) {
        f->query = query;
        f->host = host;
        f->ctime_sec = UINT64_MAX;
    }
    return f;
}

void search_formatter_free(struct search_formatter *f)
{
    if (!f)
        return;
    interpreter_free(f->interpreter);
    sbuf_done(&f->scratch);
    free(f);
}

uint64_t search_format_unprinted(const struct search_formatter *f)
{
    return f->no_file;
}

void search_format_header(struct search_formatter *f, struct sbuf *out)
{
    const struct search_query *q = f->query;

    if (q->format != SEARCH_CSV)
        return;
    sbuf_addf(out, "NODE,EVENT,DATE,TIME,%sSERIAL_NUM,EVENT_KIND,SESSION,SUBJ_PRIME,SUBJ_SEC,SUBJ_KIND,%s"
                   "ACTION,RESULT,OBJ_PRIME,OBJ_SEC,%s%sOBJ_KIND,HOW%s\n",
              q->extra_time ? "YEAR,MONTH,DAY,WEEKDAY,HOUR,MILLI,GMT_OFFSET," : "",
              q->extra_labels ? "SUBJ_LABEL," : "", q->extra_obj2 ? "OBJ2," : "",
              q->extra_labels ? "OBJ_LABEL," : "", q->extra_keys ? ",KEY" : "");
}

static bool shows_words(const struct search_query *q)
{
    return q->format == SEARCH_INTERPRET || q->format == SEARCH_CSV || q->format == SEARCH_TEXT;
}

/* Bytes above ASCII that a terminal would obey, or that are no text: libauparse, as ausearch, writes them as they are. */
static void make_safe(struct sbuf *out, size_t from)
{
    _cleanup_sbuf_ struct sbuf added = SBUF_INIT;
    size_t i = from;

    while (i < out->len && (unsigned char)out->data[i] < 0x7f)
        i++;
    if (i == out->len)
        return;
    sbuf_add(&added, out->data + i, out->len - i);
    sbuf_truncate(out, i);
    escape_above_ascii(out, sbuf_bytes(&added));
    if (sbuf_error(&added)) /* then `out` lacks something, and is to say so */
        out->error = sbuf_error(&added);
}

static void format_raw(const struct search_event *event, struct sbuf *out)
{
    for (unsigned i = 0; i < event->count; i++)
        format_raw_record(event, &event->records[i], out);
}

static void format_default(struct search_formatter *f, const struct search_event *event, struct sbuf *out)
{
    const struct search_record *last = &event->records[event->count - 1];

    if (event->sec != f->ctime_sec) {
        time_t t = (time_t)event->sec;

        if (!ctime_r(&t, f->ctime_text))
            memcpy(f->ctime_text, "(null)", 7);
        f->ctime_sec = event->sec;
    }
    sbuf_add(out, "----\ntime->", 11);
    sbuf_add_str(out, f->ctime_text);
    if (last->type >= AUDIT_DAEMON_START && last->type < AUDIT_SYSCALL) {
        sbuf_add_bytes(out, last->text);
        sbuf_add_char(out, '\n');
        return;
    }
    for (unsigned i = event->count; i > 0; i--) { /* the last record first */
        format_escaped(f->query->escape, event->records[i - 1].text, out);
        sbuf_add_char(out, '\n');
    }
}

int search_format_event(struct search_formatter *f, const struct search_event *event,
                        struct search_matcher *matcher, struct sbuf *out)
{
    const size_t from = out->len;
    int r = 0;

    switch (f->query->format) {
    case SEARCH_RAW:
        format_raw(event, out);
        break;
    case SEARCH_DEFAULT:
        format_default(f, event, out);
        break;
    case SEARCH_INTERPRET:
        format_interpreted(f, event, out);
        break;
    case SEARCH_CSV:
        r = format_csv(f, event, matcher, out);
        break;
    case SEARCH_TEXT:
        r = format_text(f, event, matcher, out);
        break;
    case SEARCH_JSON:
        r = format_json(f, event, matcher, out);
        break;
    case SEARCH_OCSF:
        r = format_ocsf(f, event, matcher, out);
        break;
    }
    if (shows_words(f->query) && !f->query->strict && f->query->escape != SEARCH_ESCAPE_RAW)
        make_safe(out, from);
    return r < 0 ? r : sbuf_error(out);
}
