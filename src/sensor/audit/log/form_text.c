/* SPDX-License-Identifier: MIT */
/* Lines of syslog, of the kernel's log and of journalctl: a prefix, and a record behind it. */
#include "sensor/audit/log/form_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <libaudit.h>
#include <stdlib.h>

#include "sensor/audit/record.h"
#include "util/macro.h"
#include "util/parse.h"

#define LATE_S (26 * 3600) /* a stamp without a year may be ahead by a time zone: further ahead it is last year's */

struct bytes audit_form_trim(struct bytes b)
{
    if (bytes_starts_with(b, bytes_of("\xef\xbb\xbf")))
        b = (struct bytes){ b.data + 3, b.len - 3 };
    while (b.len && (b.data[0] == ' ' || b.data[0] == '\t' || b.data[0] == '\0'))
        b = (struct bytes){ b.data + 1, b.len - 1 };
    while (b.len && (b.data[b.len - 1] == '\r' || b.data[b.len - 1] == ' '))
        b.len--;
    return b;
}

static struct bytes find(struct bytes in, const char *what)
{
    size_t n = strlen(what);
    const char *at = in.len >= n ? memmem(in.data, in.len, what, n) : NULL;

    return at ? (struct bytes){ at, in.len - (size_t)(at - in.data) } : BYTES_NULL;
}

static struct bytes take_word(struct bytes *rest)
{
    struct bytes word;

    while (rest->len && *rest->data == ' ')
        *rest = (struct bytes){ rest->data + 1, rest->len - 1 };
    word = (struct bytes){ rest->data, 0 };
    while (word.len < rest->len && rest->data[word.len] != ' ')
        word.len++;
    *rest = (struct bytes){ rest->data + word.len, rest->len - word.len };
    return word;
}

/* ---- the prefix ---- */

/* "Nov 24 00:26:41", local time. */
static bool read_month_stamp(struct bytes *rest, time_t now, uint64_t *ret_ms)
{
    char text[16];
    struct tm tm = { 0 }, today;
    const char *end;
    time_t t;

    if (rest->len < 15)
        return false;
    memcpy(text, rest->data, 15);
    text[15] = '\0';
    end = strptime(text, "%b %e %H:%M:%S", &tm);
    if (!end || *end)
        return false;
    localtime_r(&now, &today);
    tm.tm_year = today.tm_year;
    tm.tm_isdst = -1;
    t = mktime(&tm);
    if (t > now + LATE_S) {
        tm.tm_year--;
        tm.tm_isdst = -1;
        t = mktime(&tm);
    }
    *ret_ms = (uint64_t)t * 1000;
    *rest = (struct bytes){ rest->data + 15, rest->len - 15 };
    return true;
}

/* "2026-11-24T00:26:41.123456+00:00", "...Z" */
static bool read_iso_stamp(struct bytes *rest, uint64_t *ret_ms)
{
    struct bytes after = *rest, word = take_word(&after);
    char text[40];
    struct tm tm = { 0 };
    const char *p;
    uint64_t fraction_ns;
    time_t seconds;
    long offset = 0;

    if (word.len < 19 || word.len >= sizeof(text) || word.data[10] != 'T')
        return false;
    memcpy(text, word.data, word.len);
    text[word.len] = '\0';
    p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!p || !parse_fraction(&p, &fraction_ns))
        return false;
    if ((*p == '+' || *p == '-') && strptime(p, "%z", &tm))
        offset = tm.tm_gmtoff;
    seconds = timegm(&tm) - offset;
    if (seconds <= 0)
        return false;
    *ret_ms = (uint64_t)seconds * 1000 + fraction_ns / NS_PER_MS;
    *rest = after;
    return true;
}

/* "stdout F ": what a container wrote, as a node of Kubernetes keeps it (CRI). It names no host. */
static bool read_stream(struct bytes *rest)
{
    static const char *const heads[] = { " stdout F ", " stderr F ", " stdout P ", " stderr P " };

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (bytes_starts_with(*rest, bytes_of(heads[i]))) {
            *rest = (struct bytes){ rest->data + strlen(heads[i]), rest->len - strlen(heads[i]) };
            return true;
        }
    return false;
}

/* After the stamp comes the host, then the program. `rest` is moved behind the host. */
static void read_prefix(struct bytes *rest, time_t now, uint64_t *ret_ms, struct bytes *ret_host)
{
    struct bytes b = *rest;

    *ret_host = BYTES_NULL;
    *ret_ms = 0;
    if (b.len && b.data[0] == '<') { /* <PRIORITY>, and "1 " by RFC 5424 */
        struct bytes close = find(b, ">");

        if (!close.len || close.data - b.data > 4)
            return;
        b = (struct bytes){ close.data + 1, close.len - 1 };
        if (bytes_starts_with(b, bytes_of("1 ")))
            b = (struct bytes){ b.data + 2, b.len - 2 };
    }
    if (!read_month_stamp(&b, now, ret_ms) && !read_iso_stamp(&b, ret_ms))
        return;
    if (!read_stream(&b))
        *ret_host = take_word(&b);
    *rest = b;
}

bool audit_form_has_prefix(const struct audit_form *f, struct bytes line)
{
    struct bytes rest = line, host;
    uint64_t time_ms;

    read_prefix(&rest, f->now, &time_ms, &host);
    return time_ms && host.len;
}

/* ---- the record ---- */

bool audit_form_is_word(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= 0x20 || text.data[i] == 0x7f || text.data[i] == '"')
            return false;
    return text.len > 0;
}

static void add_node(struct sbuf *out, struct bytes host)
{
    if (!audit_form_is_word(host))
        return;
    sbuf_add_str(out, "node=");
    sbuf_add_bytes(out, host);
    sbuf_add_char(out, ' ');
}

void audit_form_head(struct sbuf *out, struct bytes host, struct bytes type, uint64_t time_ms, uint64_t serial)
{
    add_node(out, host);
    sbuf_add_str(out, "type=");
    sbuf_add_bytes(out, type);
    sbuf_addf(out, " msg=audit(%" PRIu64 ".%03u:%" PRIu64 "): ", time_ms / 1000, (unsigned)(time_ms % 1000), serial);
}

bool audit_form_is_raw(struct bytes line)
{
    struct bytes head = { line.data, MIN(line.len, (size_t)400) };
    struct audit_record record;

    return audit_record_parse_line(line, &record, NULL) == 0 && find(head, " msg=audit(").len;
}

/* After a word, or what grep puts before the lines of a file: "audit.log:12:", "audit.log-13-". */
static bool may_precede(char c)
{
    return c == ' ' || c == ':' || c == '-' || c == '\t';
}

/* "type=SYSCALL msg=audit(...): ..." somewhere in it, perhaps behind node=. */
static bool from_record(struct bytes line, struct bytes host, struct sbuf *out)
{
    struct bytes record = line, node;

    do
        record = find((struct bytes){ record.data + 1, record.len - 1 }, "type=");
    while (record.len && (!may_precede(record.data[-1]) || !audit_form_is_raw(record)));
    if (!record.len)
        return false;
    node = find((struct bytes){ line.data, (size_t)(record.data - line.data) }, "node=");
    if (node.len)
        sbuf_add_bytes(out, node);
    else
        add_node(out, host);
    sbuf_add_bytes(out, record);
    sbuf_add_char(out, '\n');
    return true;
}

/* "type=1300 audit(1795480001.100:102): ...": the kernel's own words. */
static bool from_kernel(struct bytes line, struct bytes host, struct sbuf *out)
{
    struct bytes at = find(line, "type="), rest, type;
    uint64_t time_ms, serial;
    char number[16];
    const char *name;
    size_t n;

    if (!at.len)
        return false;
    rest = (struct bytes){ at.data + 5, at.len - 5 };
    type = take_word(&rest);
    if (!type.len || type.len >= sizeof(number) || !rest.len)
        return false;
    for (size_t i = 0; i < type.len; i++)
        if (!isdigit((unsigned char)type.data[i]))
            return false;
    memcpy(number, type.data, type.len);
    number[type.len] = '\0';
    rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    n = audit_stamp_parse(rest, &time_ms, &serial);
    if (!n)
        return false;
    name = audit_msg_type_to_name(atoi(number));
    audit_form_head(out, host, name ? bytes_of(name) : type, time_ms, serial);
    sbuf_add(out, rest.data + n, rest.len - n);
    sbuf_add_char(out, '\n');
    return true;
}

/* A record that comes without the event's number: the records of one are adjacent, its system call's first. */
static uint64_t make_serial(struct audit_form *f, unsigned type, uint64_t time_ms)
{
    bool begins = type == AUDIT_SYSCALL || !f->serial || time_ms != f->made_ms ||
                  (type >= AUDIT_FIRST_USER_MSG && type <= AUDIT_LAST_USER_MSG);

    if (begins || (type == AUDIT_SYSCALL && f->made_syscall)) {
        f->serial++;
        f->made_ms = time_ms;
    }
    f->made_syscall = type == AUDIT_SYSCALL || (f->made_syscall && !begins);
    return f->serial;
}

/* "audit[200]: SYSCALL arch=...": what journalctl shows. */
static bool from_journal(struct audit_form *f, struct bytes message, struct bytes host, uint64_t time_ms, struct sbuf *out)
{
    struct bytes rest = message, word = take_word(&rest);
    unsigned type;

    if (bytes_starts_with(word, bytes_of("audit")) && word.len && word.data[word.len - 1] == ':')
        word = take_word(&rest);
    for (size_t i = 0; i < word.len; i++)
        if (!isupper((unsigned char)word.data[i]) && word.data[i] != '_' && !isdigit((unsigned char)word.data[i]))
            return false;
    type = word.len ? audit_type_by_name(word) : 0;
    if (!type || !time_ms || !memchr(rest.data, '=', rest.len))
        return false;
    audit_form_head(out, host, word, time_ms, make_serial(f, type, time_ms));
    sbuf_add(out, rest.data + 1, rest.len - 1);
    sbuf_add_char(out, '\n');
    return true;
}

unsigned audit_form_message(struct audit_form *f, struct bytes message, struct bytes host, uint64_t time_ms, struct sbuf *out)
{
    if (audit_form_is_raw(message)) {
        if (!bytes_starts_with(message, bytes_of("node=")))
            add_node(out, host);
        sbuf_add_bytes(out, message);
        sbuf_add_char(out, '\n');
        return 1;
    }
    return message.len && (from_record(message, host, out) || from_kernel(message, host, out) ||
                           from_journal(f, message, host, time_ms, out));
}

unsigned audit_form_wrapped(struct audit_form *f, struct bytes line, struct bytes whose, struct sbuf *out)
{
    struct bytes rest = line, host;
    uint64_t time_ms;

    read_prefix(&rest, f->now, &time_ms, &host);
    rest = audit_form_trim(rest);
    if (rest.len && audit_form_message(f, rest, host.len ? host : whose, time_ms, out))
        return 1;
    /* seems to be a record and is none that can be read: counted by whoever reads on */
    if (find(line, "msg=audit(").len) {
        sbuf_add_bytes(out, line);
        sbuf_add_char(out, '\n');
    }
    return 0;
}

unsigned audit_form_text(struct audit_form *f, struct bytes line, struct sbuf *out)
{
    return audit_form_wrapped(f, line, BYTES_NULL, out);
}
