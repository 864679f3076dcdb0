/* SPDX-License-Identifier: MIT */
#include "sensor/audit/log/form_journal.h"

/*
 * The journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS): an entry is a row of FIELD=value lines, ended by an
 * empty one. Values that are no text are in a binary form, which is not read here.
 */

#include "sensor/audit/log/form_text.h"
#include "util/limits.h"
#include "util/parse.h"

bool audit_form_is_export(struct bytes line)
{
    return bytes_starts_with(line, bytes_of("__CURSOR=")) || bytes_starts_with(line, bytes_of("__REALTIME_TIMESTAMP="));
}

/* "SYSCALL" of _AUDIT_TYPE_NAME=SYSCALL in the entry; BYTES_NULL: it has no such field. */
static struct bytes value_of(struct bytes entry, const char *field)
{
    size_t n = strlen(field);

    while (entry.len) {
        const char *newline = memchr(entry.data, '\n', entry.len);
        size_t len = newline ? (size_t)(newline - entry.data) : entry.len;

        if (len > n && entry.data[n] == '=' && memcmp(entry.data, field, n) == 0)
            return (struct bytes){ entry.data + n + 1, len - n - 1 };
        entry = newline ? (struct bytes){ newline + 1, entry.len - len - 1 } : BYTES_NULL;
    }
    return BYTES_NULL;
}

static unsigned finish(struct audit_form *f, struct sbuf *out)
{
    struct bytes entry = sbuf_bytes(&f->entry), message = value_of(entry, "MESSAGE");
    struct bytes type = value_of(entry, "_AUDIT_TYPE_NAME"), host = value_of(entry, "_HOSTNAME"), at;
    uint64_t time_us = 0, serial = 0;
    unsigned count;

    at = value_of(entry, "_SOURCE_REALTIME_TIMESTAMP");
    (void)parse_u64(at.len ? at : value_of(entry, "__REALTIME_TIMESTAMP"), 10, &time_us);
    if (type.len && parse_u64(value_of(entry, "_AUDIT_ID"), 10, &serial) == 0 && bytes_starts_with(message, type)) {
        audit_form_head(out, host, type, time_us / 1000, serial);
        message = (struct bytes){ message.data + type.len, message.len - type.len };
        sbuf_add_bytes(out, audit_form_trim(message));
        sbuf_add_char(out, '\n');
        count = 1;
    } else {
        count = audit_form_message(f, audit_form_trim(message), host, time_us / 1000, out);
    }
    sbuf_clear(&f->entry);
    return count;
}

unsigned audit_form_export(struct audit_form *f, struct bytes line, struct sbuf *out)
{
    if (!line.len)
        return finish(f, out);
    if (f->entry.len + line.len < LIMIT_LOG_LINE) {
        sbuf_add_bytes(&f->entry, line);
        sbuf_add_char(&f->entry, '\n');
    }
    return 0;
}
