/* SPDX-License-Identifier: MIT */
#include "search/format.h"

#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "search/format_internal.h"
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

uint64_t search_format_untold(const struct search_formatter *f)
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

/* ausearch's output is defined by %x, which some locales write with two digits of the year. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
const char *format_when(const char *format, const struct tm *tm, char *buffer, size_t size)
{
    if (!tm || strftime(buffer, size, format, tm) == 0)
        buffer[0] = '\0';
    return buffer;
}
#pragma GCC diagnostic pop

/* ---- raw ---- */

void format_raw_record(const struct search_event *event, const struct search_record *record,
                       struct sbuf *out)
{
    static const char separator = AUDIT_ENRICHED_SEPARATOR;

    sbuf_add_bytes(out, record->text);
    /* ausearch ends each record of an enriched event so, also those without names of their own */
    if (event->enriched)
        sbuf_add(out, &separator, 1);
    sbuf_add_bytes(out, record->enriched);
    sbuf_add_char(out, '\n');
}

void format_raw(const struct search_event *event, struct sbuf *out)
{
    for (unsigned i = 0; i < event->count; i++)
        format_raw_record(event, &event->records[i], out);
}

/* ---- default ---- */

static const char *special(enum search_escape mode)
{
    return mode == SEARCH_ESCAPE_SHELL ? "\"'`$\\!()| " : "\"'`$\\!()| ;#&*?[]<>{}";
}

/* Bytes from `i` on that no mode escapes for being control characters: eight at a time. */
static size_t skip_printable(struct bytes text, size_t i)
{
    static const uint64_t ones = 0x0101010101010101;
    uint64_t word;

    for (; i + sizeof(word) <= text.len; i += sizeof(word)) {
        memcpy(&word, text.data + i, sizeof(word));
        if ((word - ones * 32) & ~word & ones * 128) /* one of them is less than 32 */
            break;
    }
    return i;
}

void format_escaped(enum search_escape mode, struct bytes text, struct sbuf *out)
{
    const char *set = mode == SEARCH_ESCAPE_SHELL || mode == SEARCH_ESCAPE_SHELL_QUOTE ? special(mode) : "";
    size_t done = 0;

    for (size_t i = 0; i < text.len && mode != SEARCH_ESCAPE_RAW; i++) {
        unsigned char c;

        if (!*set && i % 8 == 0 && (i = skip_printable(text, i)) == text.len)
            break;
        c = (unsigned char)text.data[i];
        if (c >= 32 && (!*set || !strchr(set, c)))
            continue;
        sbuf_add(out, text.data + done, i - done);
        done = i + 1;
        if (c < 32)
            sbuf_add(out, (char[4]){ '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7)) }, 4);
        else
            sbuf_add(out, (char[2]){ '\\', (char)c }, 2);
    }
    sbuf_add(out, text.data + done, text.len - done);
}

void format_default(struct search_formatter *f, const struct search_event *event, struct sbuf *out)
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
