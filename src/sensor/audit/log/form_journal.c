/* SPDX-License-Identifier: MIT */
#include "sensor/audit/log/form_journal.h"

/*
 * The journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS): an entry is a row of FIELD=value lines, ended by an
 * empty one. A value that is no text, or has several lines, is a line FIELD, the number of its bytes in eight of them (little-endian),
 * the bytes, and a newline: these are not read, but passed over byte by byte, as a program's message may hold what looks like fields.
 */

#include "sensor/audit/log/form_text.h"
#include "util/limits.h"
#include "util/load.h"
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

bool audit_form_is_trusted(struct bytes transport, struct bytes uid)
{
    return !transport.len || bytes_equal_str(transport, "audit") || bytes_equal_str(transport, "kernel") || bytes_equal_str(uid, "0");
}

/* ---- values that are no text ---- */

static bool is_field_name(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] != '_' && (line.data[i] < 'A' || line.data[i] > 'Z') && (line.data[i] < '0' || line.data[i] > '9'))
            return false;
    return line.len > 0;
}

/* A length that no field of a journal has: the log is damaged, and what comes is read as lines again. */
#define VALUE_MAX (64u << 20)

static void pass_over(struct audit_form *f, struct bytes line)
{
    size_t taken = 0, all = line.len + 1; /* with its newline */

    while (f->length_have < sizeof(f->length) && taken < all) {
        f->length[f->length_have++] = (taken < line.len ? line.data[taken] : '\n');
        taken++;
        if (f->length_have == sizeof(f->length)) {
            f->binary_left = load_le32(f->length) | (uint64_t)load_le32(f->length + 4) << 32;
            f->binary_left = f->binary_left > VALUE_MAX ? 0 : f->binary_left + 1;
        }
    }
    if (f->length_have < sizeof(f->length))
        return;
    f->binary = f->binary_left > all - taken;
    f->binary_left -= f->binary ? all - taken : f->binary_left;
}

/* ---- the entry ---- */

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
    } else if (!audit_form_is_trusted(value_of(entry, "_TRANSPORT"), value_of(entry, "_UID"))) {
        count = 0;
    } else {
        count = audit_form_message(f, audit_form_trim(message), host, time_us / 1000, out);
    }
    sbuf_clear(&f->entry);
    return count;
}

unsigned audit_form_export(struct audit_form *f, struct bytes line, struct sbuf *out)
{
    if (f->binary) {
        pass_over(f, line);
        return 0;
    }
    if (!line.len)
        return finish(f, out);
    if (is_field_name(line)) {
        f->binary = true;
        f->length_have = 0;
        return 0;
    }
    if (f->entry.len + line.len < LIMIT_LOG_LINE) {
        sbuf_add_bytes(&f->entry, line);
        sbuf_add_char(&f->entry, '\n');
    }
    return 0;
}
