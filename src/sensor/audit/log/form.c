/* SPDX-License-Identifier: MIT */
#include "sensor/audit/log/form.h"

#include "sensor/audit/log/form_interpreted.h"
#include "sensor/audit/log/form_journal.h"
#include "sensor/audit/log/form_json.h"
#include "sensor/audit/log/form_text.h"


#define ORDINARY 8 /* so many records of auditd's own form for one of another: then the odd one is damage */

void audit_form_done(struct audit_form *f)
{
    sbuf_done(&f->entry);
    sbuf_done(&f->title);
    sbuf_done(&f->scratch);
}

/* What ausearch prints between events. */
static bool is_separator(struct bytes line)
{
    return bytes_equal_str(line, "----") || bytes_starts_with(line, bytes_of("time->")) ||
           bytes_equal_str(line, "<no matches>");
}


static void end_of_event(struct audit_form *f, struct sbuf *out)
{
    sbuf_add_bytes(out, sbuf_bytes(&f->title));
    sbuf_clear(&f->title);
}

/* PROCTITLE ends an event for whoever reads on: it is kept until the others have come. */
static void keep_title(struct audit_form *f, size_t at, struct sbuf *out)
{
    struct bytes line = { out->data + at, out->len - at };
    bool named = bytes_starts_with(line, bytes_of("node="));
    const char *type = named ? memchr(line.data, ' ', line.len) : line.data;

    if (!type || !bytes_starts_with((struct bytes){ type + named, line.len - (size_t)(type + named - line.data) }, bytes_of("type=PROCTITLE ")))
        return;
    sbuf_clear(&f->scratch);
    sbuf_add_bytes(&f->scratch, line);
    sbuf_truncate(out, at);
    end_of_event(f, out); /* of an event that was not separated from this one */
    sbuf_add_bytes(&f->title, sbuf_bytes(&f->scratch));
}

static unsigned convert(struct audit_form *f, struct bytes text, struct sbuf *out)
{
    if (f->entry.len || audit_form_is_export(text))
        return audit_form_export(f, text, out);
    if (!text.len)
        return 0;
    if (text.data[0] == '{' || (text.len > 1 && text.data[0] == '[' && text.data[1] == '{'))
        return audit_form_json(f, text, out);
    if (audit_form_is_interpreted(text))
        return audit_form_interpreted(text, out);
    if (!audit_form_is_raw(text))
        return audit_form_text(f, text, out);
    sbuf_add_bytes(out, text);
    sbuf_add_char(out, '\n');
    return 1;
}

unsigned audit_form_line(struct audit_form *f, struct bytes line, struct sbuf *out)
{
    struct bytes text = audit_form_trim(line);
    size_t at = out->len;
    unsigned count;

    if (f->binary) /* each byte counts */
        return audit_form_export(f, line, out);
    if (is_separator(text)) {
        f->separated = true;
        end_of_event(f, out);
        return 0;
    }
    count = convert(f, text, out);
    if (f->separated && out->len > at)
        keep_title(f, at, out);
    return count;
}

unsigned audit_form_end(struct audit_form *f, struct sbuf *out)
{
    end_of_event(f, out);
    return f->entry.len ? audit_form_export(f, BYTES_NULL, out) : 0;
}

bool audit_form_is_foreign(struct bytes text, time_t now)
{
    struct audit_form form = { .now = now };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    uint64_t ordinary = 0, foreign = 0, others = 0;

    if (bytes_starts_with(text, bytes_of("\xef\xbb\xbf")))
        return true;
    while (text.len) {
        const char *newline = memchr(text.data, '\n', text.len);
        struct bytes line = { text.data, newline ? (size_t)(newline - text.data) : text.len };

        text = newline ? (struct bytes){ newline + 1, text.len - line.len - 1 } : BYTES_NULL;
        sbuf_clear(&out);
        if (audit_form_is_raw(line) && !(line.len && line.data[line.len - 1] == '\r'))
            ordinary++;
        else if (is_separator(line) || audit_form_line(&form, line, &out) > 0)
            foreign++;
        else
            others += audit_form_has_prefix(&form, line);
    }
    foreign += audit_form_end(&form, &out);
    audit_form_done(&form);
    /* of a system's log whose first lines are other programs' */
    return foreign > ordinary / ORDINARY || (!ordinary && others);
}
