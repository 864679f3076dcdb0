/* SPDX-License-Identifier: MIT */
#include "sensor/audit/record.h"

#include <errno.h>
#include <inttypes.h>
#include <libaudit.h>

#include "util/macro.h"

/* ---- numbers ---- */

static const uint8_t hex_digit[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Digits at the beginning; how many, 0 if none or the number does not fit. */
static size_t take_decimal(const char *p, size_t len, uint64_t *ret)
{
    uint64_t v = 0;
    size_t i = 0;

    while (i < len && p[i] >= '0' && p[i] <= '9') {
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(p[i] - '0'), &v))
            return 0;
        i++;
    }
    *ret = v;
    return i;
}

bool audit_field_number(const struct audit_field *field, unsigned base, uint64_t *ret)
{
    struct bytes b = field->value;
    uint64_t v = 0;

    if (b.len == 0 || field->encoding == AUDIT_ENCODING_NULL)
        return false;
    if (b.data[0] == '-' || b.data[0] == 'u') {
        if (!bytes_equal_str(b, "-1") && !bytes_equal_str(b, "unset"))
            return false;
        *ret = UINT64_MAX;
        return true;
    }
    for (size_t i = 0; i < b.len; i++) {
        unsigned digit = hex_digit[(uint8_t)b.data[i]];

        if (digit == 0 || digit > base)
            return false;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit - 1, &v))
            return false;
    }
    *ret = v;
    return true;
}

/* ---- head of a record ---- */

size_t audit_stamp_parse(struct bytes text, uint64_t *ret_time_ms, uint64_t *ret_serial)
{
    const char *p = text.data;
    size_t left = text.len, n;
    uint64_t seconds, fraction, serial, time_ms;

    if (left >= 4 && memcmp(p, "msg=", 4) == 0) {
        p += 4;
        left -= 4;
    }
    if (left < 6 || memcmp(p, "audit(", 6) != 0)
        return 0;
    p += 6;
    left -= 6;
    n = take_decimal(p, left, &seconds);
    if (n == 0 || n >= left || p[n] != '.')
        return 0;
    p += n + 1;
    left -= n + 1;
    n = take_decimal(p, left, &fraction);
    if (n == 0 || n > 3 || n >= left || p[n] != ':')
        return 0;
    for (size_t i = n; i < 3; i++) /* hand-written logs have "1.0" */
        fraction *= 10;
    p += n + 1;
    left -= n + 1;
    n = take_decimal(p, left, &serial);
    if (n == 0 || n >= left || p[n] != ')')
        return 0;
    p += n + 1;
    left -= n + 1;
    if (__builtin_mul_overflow(seconds, 1000, &time_ms) ||
        __builtin_add_overflow(time_ms, fraction, &time_ms))
        return 0;
    if (left > 0 && *p == ':') {
        p++;
        left--;
    }
    if (left > 0 && *p == ' ')
        p++;
    *ret_time_ms = time_ms;
    *ret_serial = serial;
    return (size_t)(p - text.data);
}

static struct bytes without_line_end(struct bytes b)
{
    /* Netlink payloads may end in NUL, lines in newline. */
    while (b.len > 0 && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r' ||
                         b.data[b.len - 1] == '\0' || b.data[b.len - 1] == ' '))
        b.len--;
    return b;
}

int audit_record_parse_payload(unsigned type, struct bytes payload, struct audit_record *ret,
                               struct err *err)
{
    struct audit_record r = { .type = type };
    const char *separator;
    size_t n;

    if (payload.len == 0)
        return err_set(err, -EBADMSG, "empty audit record of type %u", type);
    payload = without_line_end(payload);
    n = audit_stamp_parse(payload, &r.time_ms, &r.serial);
    if (n == 0)
        return err_set(err, -EBADMSG, "audit record of type %u has no \"audit(TIME:SERIAL)\" at offset 0", type);
    r.body = (struct bytes){ payload.data + n, payload.len - n };
    separator = r.body.len ? memchr(r.body.data, AUDIT_ENRICHED_SEPARATOR, r.body.len) : NULL;
    if (separator) {
        size_t at = (size_t)(separator - r.body.data);

        r.enriched = (struct bytes){ separator + 1, r.body.len - at - 1 };
        r.body.len = at;
    }
    *ret = r;
    return 0;
}

static struct bytes take_word(struct bytes *rest)
{
    const char *space = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;
    size_t n = space ? (size_t)(space - rest->data) : rest->len;
    struct bytes word = { rest->data, n };
    size_t skip = space ? n + 1 : n;

    *rest = (struct bytes){ rest->data + skip, rest->len - skip };
    return word;
}

int audit_record_parse_line(struct bytes line, struct audit_record *ret, struct err *err)
{
    struct bytes rest = line, node = BYTES_NULL, word;
    struct audit_record r;
    int e;

    if (line.len == 0)
        return err_set(err, -EBADMSG, "empty line");
    word = take_word(&rest);
    if (bytes_starts_with(word, bytes_of("node="))) {
        node = (struct bytes){ word.data + 5, word.len - 5 };
        word = take_word(&rest);
    }
    if (!bytes_starts_with(word, bytes_of("type=")))
        return err_set(err, -EBADMSG, "no \"type=\" at offset %zu", (size_t)(word.data - line.data));
    word = (struct bytes){ word.data + 5, word.len - 5 };
    e = audit_record_parse_payload(audit_type_by_name(word), rest, &r, err);
    if (e < 0)
        return err_prefix(err, e, "behind offset %zu", (size_t)(rest.data - line.data));
    r.type_name = word;
    r.node = node;
    *ret = r;
    return 0;
}

/* ---- fields ---- */

/* Fields that the kernel or libaudit write by "untrusted string" rules, in any record. The length
 * decides first: this is asked for each field of each record. */
static bool is_untrusted(unsigned type, struct bytes name)
{
    const char *p = name.data;

    /* argv: a0, a1, ... and a3[0], but not a3_len; in SYSCALL records a0..a3 are numbers */
    if (type == AUDIT_EXECVE && name.len >= 2 && p[0] == 'a' && p[1] >= '0' && p[1] <= '9')
        return !memchr(p, '_', name.len);
    switch (name.len) {
    case 3:
        return memcmp(p, "cwd", 3) == 0 || memcmp(p, "exe", 3) == 0 || memcmp(p, "key", 3) == 0 ||
               memcmp(p, "cmd", 3) == 0 || memcmp(p, "dir", 3) == 0;
    case 4:
        return memcmp(p, "name", 4) == 0 || memcmp(p, "comm", 4) == 0 ||
               memcmp(p, "path", 4) == 0 || memcmp(p, "acct", 4) == 0 ||
               memcmp(p, "data", 4) == 0 || memcmp(p, "file", 4) == 0;
    case 5:
        return memcmp(p, "saddr", 5) == 0 || memcmp(p, "ocomm", 5) == 0 ||
               memcmp(p, "watch", 5) == 0;
    case 9:
        return memcmp(p, "proctitle", 9) == 0;
    default:
        return false;
    }
}

static bool is_null_word(struct bytes v)
{
    return v.len == 6 && v.data[0] == '(' &&
           (memcmp(v.data, "(null)", 6) == 0 || memcmp(v.data, "(none)", 6) == 0);
}

bool audit_field_next(unsigned type, struct bytes *rest, struct audit_field *ret)
{
    const char *p = rest->data, *end, *name, *value;

    if (!p)
        return false; /* no enriched part: there is not even a place to count from */
    end = p + rest->len;
    /* libaudit's user messages have commas behind some fields; the kernel has double spaces */
    while (p < end && (*p == ' ' || *p == ','))
        p++;
    if (p == end) {
        *rest = (struct bytes){ p, 0 };
        return false;
    }
    name = p;
    while (p < end && *p != '=' && *p != ' ')
        p++;
    if (p == end || *p == ' ' || p == name) {
        while (p < end && *p != ' ')
            p++;
        *ret = (struct audit_field){ .name = { name, 0 },
                                     .value = { name, (size_t)(p - name) },
                                     .encoding = AUDIT_ENCODING_WORD };
        *rest = (struct bytes){ p, (size_t)(end - p) };
        return true;
    }
    ret->name = (struct bytes){ name, (size_t)(p - name) };
    value = ++p;
    if (p < end && (*p == '"' || *p == '\'' || *p == '{')) {
        char close = *p == '{' ? '}' : *p;
        const char *stop = memchr(p + 1, close, (size_t)(end - p - 1));

        if (stop) {
            /* braces are part of what auditd wrote, quotes are not part of the value */
            bool quote = close != '}';

            ret->value = quote ? (struct bytes){ p + 1, (size_t)(stop - p - 1) }
                               : (struct bytes){ p, (size_t)(stop + 1 - p) };
            ret->encoding = quote ? AUDIT_ENCODING_QUOTED : AUDIT_ENCODING_PLAIN;
            *rest = (struct bytes){ stop + 1, (size_t)(end - stop - 1) };
            return true;
        }
        /* the record was cut inside the quotes: what is there stays visible */
    }
    while (p < end && *p != ' ')
        p++;
    ret->value = (struct bytes){ value, (size_t)(p - value) };
    *rest = (struct bytes){ p, (size_t)(end - p) };
    if (is_null_word(ret->value))
        ret->encoding = AUDIT_ENCODING_NULL;
    else if (is_untrusted(type, ret->name) && ret->value.len > 0 && value[0] != '"' &&
             value[0] != '?' && value[0] != '<')
        ret->encoding = AUDIT_ENCODING_HEX;
    else
        ret->encoding = AUDIT_ENCODING_PLAIN;
    return true;
}

bool audit_record_find(const struct audit_record *record, const char *name,
                       struct audit_field *ret)
{
    struct bytes rest = record->body, wanted = bytes_of(name);
    struct audit_field field;

    while (audit_field_next(record->type, &rest, &field))
        if (bytes_equal(field.name, wanted) && field.encoding != AUDIT_ENCODING_WORD) {
            *ret = field;
            return true;
        }
    return false;
}

int audit_unhex(struct bytes hex, char *buffer, size_t size, struct bytes *ret)
{
    size_t n = hex.len / 2;

    if (hex.len % 2 != 0)
        return -EBADMSG;
    if (n > size)
        return -ENOBUFS;
    for (size_t i = 0; i < n; i++) {
        unsigned high = hex_digit[(uint8_t)hex.data[2 * i]];
        unsigned low = hex_digit[(uint8_t)hex.data[2 * i + 1]];

        if (high == 0 || low == 0)
            return -EBADMSG;
        buffer[i] = (char)((high - 1) << 4 | (low - 1));
    }
    *ret = (struct bytes){ buffer, n };
    return 0;
}

int audit_field_text(const struct audit_field *field, char *buffer, size_t size,
                     struct bytes *ret)
{
    switch (field->encoding) {
    case AUDIT_ENCODING_HEX:
        return audit_unhex(field->value, buffer, size, ret);
    case AUDIT_ENCODING_NULL:
        *ret = BYTES_NULL;
        return 0;
    case AUDIT_ENCODING_PLAIN:
    case AUDIT_ENCODING_QUOTED:
    case AUDIT_ENCODING_WORD:
        break;
    }
    *ret = field->value;
    return 0;
}

/* ---- types ---- */

/* The records of nearly every event first: libaudit's own look-up copies and compares by halves. */
static const struct {
    const char *name;
    unsigned type;
} common_types[] = {
    { "PATH", AUDIT_PATH },         { "SYSCALL", AUDIT_SYSCALL }, { "CWD", AUDIT_CWD },
    { "PROCTITLE", AUDIT_PROCTITLE }, { "EOE", AUDIT_EOE },       { "EXECVE", AUDIT_EXECVE },
    { "SOCKADDR", AUDIT_SOCKADDR }, { "AVC", AUDIT_AVC },
};

unsigned audit_type_by_name(struct bytes name)
{
    char text[64];
    int type;

    for (size_t i = 0; i < ARRAY_SIZE(common_types); i++)
        if (bytes_equal_str(name, common_types[i].name))
            return common_types[i].type;
    if (name.len >= sizeof(text) || (name.len && memchr(name.data, '\0', name.len)))
        return 0;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    type = audit_name_to_msg_type(text); /* also "UNKNOWN[1421]" and bare numbers */
    return type > 0 ? (unsigned)type : 0;
}
