/* SPDX-License-Identifier: MIT */
/*
 * ausearch -i: values as words for people, without quotes. What a word stands for is written back as the kernel has it;
 * where that cannot be known (the number of a user, a flag that has no name here) the field is left out, and the user
 * is given by name as auditd's enriched format does.
 */
#include "sensor/audit/log/form_interpreted.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libaudit.h>
#include <linux/audit.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "sensor/audit/log/form_text.h"
#include "sensor/audit/record.h"
#include "util/macro.h"
#include "util/parse.h"

#define ERRNO_MAX 133 /* the highest that has a name, EHWPOISON */

struct interpreted_line {
    struct sbuf *out;
    struct sbuf names;    /* what auditd would add: UID="root" */
    struct bytes arch;
    bool ids_known;       /* every user and group of the process has a number */
    struct bytes type;
};

/* ---- the stamp ---- */

/* "11/24/26", "24.11.2026", "2026-11-24": by the locale of whoever ran ausearch. */
static bool read_date(const char *text, struct tm *tm)
{
    unsigned a, b, c;
    char separator;

    if (sscanf(text, "%4u%c%2u%*c%4u", &a, &separator, &b, &c) != 4)
        return false;
    if (a > 31) { /* year first */
        *tm = (struct tm){ .tm_year = (int)a - 1900, .tm_mon = (int)b - 1, .tm_mday = (int)c };
        return b >= 1 && b <= 12 && c >= 1 && c <= 31;
    }
    if (separator == '.' || a > 12) { /* day first */
        unsigned day = a;

        a = b;
        b = day;
    }
    if (c < 100)
        c += 2000;
    *tm = (struct tm){ .tm_year = (int)c - 1900, .tm_mon = (int)a - 1, .tm_mday = (int)b };
    return a >= 1 && a <= 12 && b >= 1 && b <= 31;
}

/* "11/24/26 00:26:41.100:102) : " of the local time. Returns how many bytes it takes, 0 if it is not that. */
static size_t read_stamp(struct bytes in, uint64_t *ret_ms, uint64_t *ret_serial)
{
    char text[64];
    size_t n = MIN(in.len, sizeof(text) - 1), used = 0;
    unsigned h, m, s, milli;
    struct tm tm;
    const char *space;
    time_t t;
    int end = 0;

    memcpy(text, in.data, n);
    text[n] = '\0';
    space = strchr(text, ' ');
    if (!space || !read_date(text, &tm) ||
        sscanf(space, " %2u:%2u:%2u.%3u:%" SCNu64 ")%n", &h, &m, &s, &milli, ret_serial, &end) != 5 || !end)
        return 0;
    tm.tm_hour = (int)h;
    tm.tm_min = (int)m;
    tm.tm_sec = (int)s;
    tm.tm_isdst = -1;
    t = mktime(&tm);
    if (t <= 0)
        return 0;
    *ret_ms = (uint64_t)t * 1000 + milli;
    used = (size_t)(space - text) + (size_t)end;
    while (used < in.len && (in.data[used] == ' ' || in.data[used] == ':'))
        used++;
    return used;
}

/* ---- values ---- */

void audit_form_untrusted(struct sbuf *out, struct bytes value)
{
    bool plain = value.len > 0;

    for (size_t i = 0; i < value.len && plain; i++)
        plain = value.data[i] > 0x20 && value.data[i] < 0x7f && value.data[i] != '"';
    if (plain) {
        sbuf_add_char(out, '"');
        sbuf_add_bytes(out, value);
        sbuf_add_char(out, '"');
        return;
    }
    for (size_t i = 0; i < value.len; i++)
        sbuf_addf(out, "%02X", (unsigned char)value.data[i]);
    if (!value.len)
        sbuf_add_str(out, "(null)");
}

void audit_form_proctitle(struct sbuf *out, struct bytes args, char separator)
{
    for (size_t i = 0; i < args.len; i++)
        sbuf_addf(out, "%02X", args.data[i] == separator ? 0u : (unsigned)(unsigned char)args.data[i]);
}

static void to_text(struct bytes b, char *text, size_t size)
{
    size_t n = MIN(b.len, size - 1);

    if (n)
        memcpy(text, b.data, n);
    text[n] = '\0';
}

bool audit_form_call(struct bytes arch, struct bytes name, uint32_t *ret_arch, int *ret_number)
{
    char text[64];
    unsigned elf = 0;
    int machine, number;

    to_text(arch, text, sizeof(text));
    machine = audit_name_to_machine(text);
    if (machine >= 0)
        elf = audit_machine_to_elf(machine);
    if (!elf)
        return false;
    to_text(name, text, sizeof(text));
    number = audit_name_to_syscall(text, machine);
    if (number < 0)
        return false;
    *ret_arch = elf;
    *ret_number = number;
    return true;
}

bool audit_form_exit(struct bytes value, int64_t *ret)
{
    size_t n = 0;

    if (parse_i64(value, ret) == 0)
        return true;
    while (n < value.len && value.data[n] != '(')
        n++;
    for (int i = 1; i <= ERRNO_MAX; i++) {
        const char *name = errno_name(i);

        if (name && bytes_equal_str((struct bytes){ value.data, n }, name)) {
            *ret = -i;
            return true;
        }
    }
    return false;
}

/* A user or a group: by number where it is one, root, or unset; its name beside it. */
static void add_id(struct interpreted_line *l, struct bytes key, struct bytes value, bool of_process)
{
    const char *number = bytes_equal_str(value, "root")    ? "0"
                         : bytes_equal_str(value, "unset") ? "4294967295"
                                                           : NULL;

    if (number || bytes_is_number(value)) {
        sbuf_add_bytes(l->out, key);
        sbuf_add_char(l->out, '=');
        if (number)
            sbuf_add_text(l->out, number);
        else
            sbuf_add_bytes(l->out, value);
        sbuf_add_char(l->out, ' ');
    } else if (of_process) {
        l->ids_known = false;
    }
    if (bytes_is_number(value))
        return;
    for (size_t i = 0; i < key.len; i++)
        sbuf_add_char(&l->names, (char)(key.data[i] - 'a' + 'A'));
    sbuf_add_str(&l->names, "=\"");
    sbuf_add_bytes(&l->names, value);
    sbuf_add_str(&l->names, "\" ");
}

static const struct {
    const char *word;
    uint64_t value;
} flags[] = {
    { "AT_FDCWD", 0xffffff9c }, { "O_RDONLY", 0 }, { "O_WRONLY", O_WRONLY }, { "O_RDWR", O_RDWR },
    { "O_CREAT", O_CREAT }, { "O_EXCL", O_EXCL }, { "O_NOCTTY", O_NOCTTY }, { "O_TRUNC", O_TRUNC },
    { "O_APPEND", O_APPEND }, { "O_NONBLOCK", O_NONBLOCK }, { "O_DSYNC", O_DSYNC }, { "O_ASYNC", O_ASYNC },
    { "O_DIRECTORY", O_DIRECTORY }, { "O_NOFOLLOW", O_NOFOLLOW }, { "O_CLOEXEC", O_CLOEXEC },
    { "__O_SYNC", O_SYNC }, { "O_DIRECT", O_DIRECT }, { "O_NOATIME", O_NOATIME }, { "O_PATH", O_PATH },
    { "__O_TMPFILE", 020000000 }, { "AT_REMOVEDIR", AT_REMOVEDIR },
};

/* "0x1b6", "0644", "file,644", "O_WRONLY|O_CREAT": false where a part of it is not known. */
static bool read_argument(struct bytes value, uint64_t *ret)
{
    *ret = 0;
    if (bytes_starts_with(value, bytes_of("0x")))
        return parse_u64((struct bytes){ value.data + 2, value.len - 2 }, 16, ret) == 0;
    if (bytes_is_number(value))
        return parse_u64(value, value.data[0] == '0' ? 8 : 10, ret) == 0;
    while (value.len) {
        const char *bar = memchr(value.data, '|', value.len);
        struct bytes word = { value.data, bar ? (size_t)(bar - value.data) : value.len };
        size_t i = 0;

        while (i < ARRAY_SIZE(flags) && !bytes_equal_str(word, flags[i].word))
            i++;
        if (i == ARRAY_SIZE(flags))
            return false;
        *ret |= flags[i].value;
        value = bar ? (struct bytes){ bar + 1, value.len - word.len - 1 } : BYTES_NULL;
    }
    return true;
}

/* "dir,sticky,777" */
static bool read_mode(struct bytes value, uint64_t *ret)
{
    static const struct {
        const char *word;
        unsigned bits;
    } words[] = {
        { "file", S_IFREG }, { "dir", S_IFDIR }, { "link", S_IFLNK }, { "character", S_IFCHR }, { "block", S_IFBLK },
        { "fifo", S_IFIFO }, { "socket", S_IFSOCK }, { "suid", S_ISUID }, { "sgid", S_ISGID }, { "sticky", S_ISVTX },
    };
    uint64_t bits = 0;

    *ret = 0;
    while (value.len) {
        const char *comma = memchr(value.data, ',', value.len);
        struct bytes word = { value.data, comma ? (size_t)(comma - value.data) : value.len };
        size_t i = 0;

        while (i < ARRAY_SIZE(words) && !bytes_equal_str(word, words[i].word))
            i++;
        if (i < ARRAY_SIZE(words))
            *ret |= words[i].bits;
        else if (parse_u64(word, 8, &bits) == 0)
            *ret |= bits;
        else
            return false;
        value = comma ? (struct bytes){ comma + 1, value.len - word.len - 1 } : BYTES_NULL;
    }
    return true;
}

/* ---- fields ---- */

static bool is_one_of(struct bytes word, const char *const *list)
{
    for (; *list; list++)
        if (bytes_equal_str(word, *list))
            return true;
    return false;
}

static const char *const user_ids[] = { "auid", "uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid", NULL };
static const char *const file_ids[] = { "ouid", "ogid", NULL };
static const char *const strings[] = { "name", "cwd", "comm", "exe", "key", NULL };

static bool is_argument(const struct interpreted_line *l, struct bytes key)
{
    return key.len == 2 && key.data[0] == 'a' && bytes_equal_str(l->type, "SYSCALL");
}

/* The number of fsuid is what says that all of them are known (sensor/audit/facts_read.c). */
static void add_last_id(struct interpreted_line *l, struct bytes key, struct bytes value)
{
    if (l->ids_known || !bytes_equal_str(key, "fsuid"))
        add_id(l, key, value, !bytes_equal_str(key, "auid"));
}

static void add_field(struct interpreted_line *l, struct bytes key, struct bytes value)
{
    struct sbuf *out = l->out;
    uint64_t number;
    int64_t code;
    uint32_t arch;
    int call;

    if (is_one_of(key, user_ids)) {
        add_last_id(l, key, value);
        return;
    }
    if (is_one_of(key, file_ids)) {
        add_id(l, key, value, false);
        return;
    }
    if (bytes_equal_str(key, "arch")) {
        l->arch = value;
        return; /* goes with the call's number */
    }
    if (bytes_equal_str(key, "syscall")) {
        if (audit_form_call(l->arch, value, &arch, &call))
            sbuf_addf(out, "arch=%x syscall=%d ", arch, call);
        return;
    }
    if (bytes_equal_str(key, "exit")) {
        if (audit_form_exit(value, &code))
            sbuf_addf(out, "exit=%" PRId64 " ", code);
        return;
    }
    if (bytes_equal_str(key, "mode") && bytes_equal_str(l->type, "PATH")) {
        if (read_mode(value, &number))
            sbuf_addf(out, "mode=%#" PRIo64 " ", number);
        return;
    }
    if (is_argument(l, key)) {
        if (read_argument(value, &number))
            sbuf_addf(out, "%.*s=%" PRIx64 " ", (int)key.len, key.data, number);
        return;
    }
    sbuf_add_bytes(out, key);
    sbuf_add_char(out, '=');
    if (bytes_equal_str(key, "proctitle"))
        audit_form_proctitle(out, value, ' ');
    else if ((is_one_of(key, strings) || bytes_equal_str(l->type, "EXECVE")) && !bytes_equal_str(value, "(null)") &&
             !bytes_equal_str(key, "argc"))
        audit_form_untrusted(out, value);
    else
        sbuf_add_bytes(out, value);
    sbuf_add_char(out, ' ');
}

/* Where the next field begins: a space, a name in small letters, digits, brackets, '_' or '-', and '='. */
static size_t next_field(struct bytes rest)
{
    for (size_t i = 0; i + 1 < rest.len; i++) {
        size_t k = i + 1;

        if (rest.data[i] != ' ')
            continue;
        while (k < rest.len && ((rest.data[k] >= 'a' && rest.data[k] <= 'z') || (rest.data[k] >= '0' && rest.data[k] <= '9') ||
                                strchr("_-[]", rest.data[k])))
            k++;
        if (k < rest.len && k > i + 1 && rest.data[k] == '=')
            return i;
    }
    return rest.len;
}

/* These hold everything up to the end of the line, whatever it looks like. */
static bool takes_the_rest(struct bytes key)
{
    return bytes_equal_str(key, "proctitle") || bytes_equal_str(key, "cwd") || bytes_equal_str(key, "key");
}

static void add_fields(struct interpreted_line *l, struct bytes rest)
{
    while (rest.len) {
        const char *equals;
        struct bytes key, value;
        size_t n;

        rest = audit_form_trim(rest);
        equals = rest.len ? memchr(rest.data, '=', rest.len) : NULL;
        if (!equals)
            return;
        key = (struct bytes){ rest.data, (size_t)(equals - rest.data) };
        rest = (struct bytes){ equals + 1, rest.len - key.len - 1 };
        n = takes_the_rest(key) ? rest.len : next_field(rest);
        value = audit_form_trim((struct bytes){ rest.data, n });
        add_field(l, key, value);
        rest = (struct bytes){ rest.data + n, rest.len - n };
    }
}

/* ---- the line ---- */

/* "type=SYSCALL msg=audit(" and its node; what follows in *ret_rest. */
static bool read_head(struct bytes line, struct bytes *ret_type, struct bytes *ret_node, struct bytes *ret_rest)
{
    struct bytes rest = line;
    const char *space;

    *ret_node = BYTES_NULL;
    if (bytes_starts_with(rest, bytes_of("node="))) {
        space = memchr(rest.data, ' ', rest.len);
        if (!space)
            return false;
        *ret_node = (struct bytes){ rest.data + 5, (size_t)(space - rest.data) - 5 };
        rest = (struct bytes){ space + 1, rest.len - (size_t)(space + 1 - rest.data) };
    }
    if (!bytes_starts_with(rest, bytes_of("type=")))
        return false;
    space = memchr(rest.data, ' ', rest.len);
    if (!space)
        return false;
    *ret_type = (struct bytes){ rest.data + 5, (size_t)(space - rest.data) - 5 };
    rest = (struct bytes){ space + 1, rest.len - (size_t)(space + 1 - rest.data) };
    if (!bytes_starts_with(rest, bytes_of("msg=audit(")))
        return false;
    *ret_rest = (struct bytes){ rest.data + 10, rest.len - 10 };
    return true;
}

bool audit_form_is_interpreted(struct bytes line)
{
    struct bytes type, node, rest;
    uint64_t time_ms, serial;

    return read_head(line, &type, &node, &rest) && read_stamp(rest, &time_ms, &serial) > 0;
}

unsigned audit_form_interpreted(struct bytes line, struct sbuf *out)
{
    struct interpreted_line l = { .out = out, .names = SBUF_INIT, .ids_known = true };
    struct bytes node, rest;
    uint64_t time_ms, serial;
    size_t n;

    if (!read_head(line, &l.type, &node, &rest))
        return 0;
    n = read_stamp(rest, &time_ms, &serial);
    audit_form_head(out, node, l.type, time_ms, serial);
    add_fields(&l, (struct bytes){ rest.data + n, rest.len - n });
    if (l.names.len) {
        sbuf_add_char(out, AUDIT_ENRICHED_SEPARATOR);
        sbuf_add_bytes(out, audit_form_trim(sbuf_bytes(&l.names)));
    }
    sbuf_add_char(out, '\n');
    sbuf_done(&l.names);
    return 1;
}
