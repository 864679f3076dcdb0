/* SPDX-License-Identifier: MIT */
/* One JSON object a line: the journal's (journalctl -o json), laurel's, auditbeat's. */
#include "sensor/audit/log/form_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sensor/audit/log/form_interpreted.h"
#include "sensor/audit/log/form_journal.h"
#include "sensor/audit/log/form_text.h"
#include "sensor/audit/record.h"
#include "util/macro.h"
#include "util/parse.h"

static struct bytes text_of(const json_t *value)
{
    return json_is_string(value) ? (struct bytes){ json_string_value(value), json_string_length(value) } : BYTES_NULL;
}

static struct bytes text_at(const json_t *object, const char *key)
{
    return text_of(json_object_get(object, key));
}

static uint64_t number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    uint64_t number = 0;

    if (json_is_integer(value))
        return (uint64_t)json_integer_value(value);
    (void)parse_u64(text_of(value), 10, &number);
    return number;
}

/* ---- the journal ---- */

/* A message that is no UTF-8 is an array of its bytes. */
static struct bytes message_of(struct audit_form *f, const json_t *entry)
{
    const json_t *value = json_object_get(entry, "MESSAGE"), *byte;
    size_t i;

    if (!json_is_array(value))
        return text_of(value);
    sbuf_clear(&f->scratch);
    json_array_foreach(value, i, byte)
        sbuf_add_char(&f->scratch, (char)json_integer_value(byte));
    return sbuf_bytes(&f->scratch);
}

/* A message of several lines is a program's, which may write what looks like a record in the next one. */
static struct bytes first_line(struct bytes message)
{
    const char *newline = message.len ? memchr(message.data, '\n', message.len) : NULL;

    return newline ? (struct bytes){ message.data, (size_t)(newline - message.data) } : message;
}

static unsigned from_journal(struct audit_form *f, const json_t *entry, struct sbuf *out)
{
    struct bytes message = first_line(audit_form_trim(message_of(f, entry))), type = text_at(entry, "_AUDIT_TYPE_NAME");
    struct bytes host = text_at(entry, "_HOSTNAME");
    uint64_t time_us = number_at(entry, "_SOURCE_REALTIME_TIMESTAMP");

    if (!time_us)
        time_us = number_at(entry, "__REALTIME_TIMESTAMP");
    if (!type.len || !json_object_get(entry, "_AUDIT_ID") || !bytes_starts_with(message, type) || !audit_form_is_word(type))
        return audit_form_message(f, message, host, time_us / 1000, out);
    audit_form_head(out, host, type, time_us / 1000, number_at(entry, "_AUDIT_ID"));
    sbuf_add_bytes(out, audit_form_trim((struct bytes){ message.data + type.len, message.len - type.len }));
    sbuf_add_char(out, '\n');
    return 1;
}

/* ---- laurel (github.com/threathunters-io/laurel): an event, its records by type ---- */

static bool is_untrusted(const char *key)
{
    static const char *const keys[] = { "name", "cwd", "comm", "exe", "key" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* Numbers come as "0x1b6", "0o100644", or bare. */
static struct bytes without_base(struct bytes b)
{
    bool prefixed = b.len > 2 && b.data[0] == '0' && (b.data[1] == 'x' || b.data[1] == 'o');

    return prefixed ? (struct bytes){ b.data + 2, b.len - 2 } : b;
}

/* Of a user: in quotes, it may have blanks. */
static bool is_name(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f || text.data[i] == '"')
            return false;
    return text.data != NULL;
}

/* As it is, unless that would be more than a value: what users wrote is decoded by then, and may hold lines of its own. */
static void add_value(struct sbuf *out, struct bytes text)
{
    if (!text.len || audit_form_is_word(text))
        sbuf_add_bytes(out, text);
    else
        audit_form_untrusted(out, text);
}

static void add_member(struct sbuf *out, const char *key, const json_t *value, struct sbuf *names)
{
    struct bytes text = text_of(value);

    if (!audit_form_is_word(bytes_of(key)))
        return;
    if (key[0] >= 'A' && key[0] <= 'Z') { /* translated: UID="root" */
        if (is_name(text)) {
            sbuf_addf(names, "%s=\"", key);
            sbuf_add_bytes(names, text);
            sbuf_add_str(names, "\" ");
        }
        return;
    }
    if (json_is_object(value) || json_is_array(value))
        return;
    sbuf_addf(out, "%s=", key);
    if (json_is_null(value))
        sbuf_add_str(out, "(null)");
    else if (json_is_integer(value))
        sbuf_addf(out, "%" PRId64, (int64_t)json_integer_value(value));
    else if (is_untrusted(key))
        audit_form_untrusted(out, text);
    else
        add_value(out, without_base(text));
    sbuf_add_char(out, ' ');
}

static void add_argv(struct sbuf *out, const json_t *record, bool as_title)
{
    const json_t *argv = json_object_get(record, "ARGV"), *argument;
    struct bytes text = text_at(record, "ARGV_STR");
    size_t i;

    if (as_title)
        sbuf_add_str(out, "proctitle=");
    if (as_title && !json_is_array(argv))
        audit_form_proctitle(out, text, ' ');
    json_array_foreach(argv, i, argument) {
        if (!as_title) {
            sbuf_addf(out, "a%zu=", i);
            audit_form_untrusted(out, text_of(argument));
            sbuf_add_char(out, ' ');
            continue;
        }
        audit_form_proctitle(out, text_of(argument), '\0');
        if (i + 1 < json_array_size(argv))
            sbuf_add_str(out, "00");
    }
}

/* A system call's a0 to a3 are an array, or members of these names. */
static void add_arguments(struct sbuf *out, const json_t *record)
{
    const json_t *arguments = json_object_get(record, "ARGV"), *value;
    size_t i;

    json_array_foreach(arguments, i, value) {
        sbuf_addf(out, "a%zu=", i);
        add_value(out, without_base(text_of(value)));
        sbuf_add_char(out, ' ');
    }
}

static unsigned add_record(const char *type, const json_t *record, struct bytes host, uint64_t time_ms, uint64_t serial,
                           struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    const json_t *value;
    const char *key;

    if (!audit_form_is_word(bytes_of(type)))
        return 0;
    audit_form_head(out, host, bytes_of(type), time_ms, serial);
    if (strcmp(type, "EXECVE") == 0 || strcmp(type, "PROCTITLE") == 0)
        add_argv(out, record, type[0] == 'P');
    else
        json_object_foreach((json_t *)(uintptr_t)record, key, value) {
            if (strcmp(type, "SYSCALL") == 0 && strcmp(key, "items") == 0) /* the kernel's order, which ausearch relies on */
                add_arguments(out, record);
            add_member(out, key, value, &names);
        }
    if (names.len) {
        sbuf_add_char(out, AUDIT_ENRICHED_SEPARATOR);
        sbuf_add_bytes(out, audit_form_trim(sbuf_bytes(&names)));
    }
    sbuf_add_char(out, '\n');
    return 1;
}

static unsigned from_laurel(const json_t *event, struct sbuf *out)
{
    struct bytes id = text_at(event, "ID"), host = text_at(event, "NODE");
    char stamp[80];
    uint64_t time_ms, serial;
    const json_t *value, *each;
    const char *type;
    unsigned count = 0;
    size_t i;

    if (id.len > 60 || !id.len)
        return 0;
    snprintf(stamp, sizeof(stamp), "audit(%.*s)", (int)id.len, id.data);
    if (!audit_stamp_parse(bytes_of(stamp), &time_ms, &serial))
        return 0;
    /* the system call's record comes first, as the kernel has it, and the title last */
    value = json_object_get(event, "SYSCALL");
    if (json_is_object(value))
        count += add_record("SYSCALL", value, host, time_ms, serial, out);
    json_object_foreach((json_t *)(uintptr_t)event, type, value) {
        if (strcmp(type, "SYSCALL") == 0 || strcmp(type, "PROCTITLE") == 0 || strcmp(type, "PARENT_INFO") == 0)
            continue;
        if (json_is_object(value))
            count += add_record(type, value, host, time_ms, serial, out);
        json_array_foreach(value, i, each)
            if (json_is_object(each))
                count += add_record(type, each, host, time_ms, serial, out);
    }
    value = json_object_get(event, "PROCTITLE");
    if (json_is_object(value))
        count += add_record("PROCTITLE", value, host, time_ms, serial, out);
    else if (count) { /* it is whole: what laurel left out was not lost */
        audit_form_head(out, host, bytes_of("EOE"), time_ms, serial);
        sbuf_add_char(out, '\n');
    }
    return count;
}

/* ---- auditbeat (ECS) ---- */

static uint64_t time_of(struct bytes text)
{
    char copy[40];
    struct tm tm = { 0 };
    uint64_t fraction_ns;
    time_t seconds;
    const char *p;

    if (text.len < 19 || text.len >= sizeof(copy))
        return 0;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    p = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!p || !parse_fraction(&p, &fraction_ns))
        return 0;
    seconds = timegm(&tm);
    return seconds > 0 ? (uint64_t)seconds * 1000 + fraction_ns / NS_PER_MS : 0;
}

static const json_t *member(const json_t *object, const char *a, const char *b, const char *c)
{
    const json_t *value = json_object_get(object, a);

    value = b ? json_object_get(value, b) : value;
    return c ? json_object_get(value, c) : value;
}

static void add_plain(struct sbuf *out, const char *key, const json_t *value)
{
    if (json_is_integer(value))
        sbuf_addf(out, "%s=%" PRId64 " ", key, (int64_t)json_integer_value(value));
    else if (text_of(value).len) {
        struct bytes text = text_of(value);

        if (bytes_equal_str(text, "unset"))
            text = bytes_of("4294967295");
        sbuf_addf(out, "%s=", key);
        add_value(out, text);
        sbuf_add_char(out, ' ');
    }
}

static void add_string(struct sbuf *out, const char *key, const json_t *value)
{
    if (!text_of(value).data)
        return;
    sbuf_addf(out, "%s=", key);
    audit_form_untrusted(out, text_of(value));
    sbuf_add_char(out, ' ');
}

static void add_call(struct sbuf *out, const json_t *event)
{
    static const struct {
        const char *key, *a, *b, *c;
    } ids[] = {
        { "ppid", "process", "parent", "pid" }, { "pid", "process", "pid", NULL },
        { "auid", "user", "audit", "id" },      { "uid", "user", "id", NULL },
        { "gid", "user", "group", "id" },       { "euid", "user", "effective", "id" },
        { "suid", "user", "saved", "id" },      { "fsuid", "user", "filesystem", "id" },
    };
    const json_t *auditd = json_object_get(event, "auditd"), *data = json_object_get(auditd, "data");
    struct bytes result = text_at(auditd, "result");
    uint32_t arch;
    int number;
    int64_t code;

    if (audit_form_call(text_at(data, "arch"), text_at(data, "syscall"), &arch, &number))
        sbuf_addf(out, "arch=%x syscall=%d ", arch, number);
    sbuf_addf(out, "success=%s ", bytes_equal_str(result, "fail") ? "no" : "yes");
    if (audit_form_exit(text_at(data, "exit"), &code))
        sbuf_addf(out, "exit=%" PRId64 " ", code);
    for (char key[3] = "a0"; key[1] < '4'; key[1]++)
        add_plain(out, key, json_object_get(data, key));
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        add_plain(out, ids[i].key, member(event, ids[i].a, ids[i].b, ids[i].c));
    /* what is the same as the user's own is left out there */
    if (!member(event, "user", "effective", "id"))
        add_plain(out, "euid", member(event, "user", "id", NULL));
    if (!member(event, "user", "saved", "id"))
        add_plain(out, "suid", member(event, "user", "id", NULL));
    if (!member(event, "user", "filesystem", "id"))
        add_plain(out, "fsuid", member(event, "user", "id", NULL));
    add_plain(out, "tty", json_object_get(data, "tty"));
    add_plain(out, "ses", json_object_get(auditd, "session"));
    add_string(out, "comm", member(event, "process", "name", NULL));
    add_string(out, "exe", member(event, "process", "executable", NULL));
    add_string(out, "key", json_array_get(json_object_get(event, "tags"), 0));
}

static unsigned from_auditbeat(const json_t *event, struct sbuf *out)
{
    const json_t *auditd = json_object_get(event, "auditd"), *paths = json_object_get(auditd, "paths");
    const json_t *args = member(event, "process", "args", NULL), *p;
    struct bytes host = text_of(member(event, "host", "name", NULL));
    uint64_t time_ms = time_of(text_at(event, "@timestamp")), serial = number_at(auditd, "sequence");
    const char *key;
    const json_t *value;
    size_t i;

    if (!time_ms || !serial || !json_object_get(auditd, "data"))
        return 0;
    audit_form_head(out, host, bytes_of("SYSCALL"), time_ms, serial);
    add_call(out, event);
    sbuf_add_char(out, '\n');
    if (text_of(member(event, "process", "working_directory", NULL)).len) {
        audit_form_head(out, host, bytes_of("CWD"), time_ms, serial);
        add_string(out, "cwd", member(event, "process", "working_directory", NULL));
        sbuf_add_char(out, '\n');
    }
    json_array_foreach(paths, i, p) {
        audit_form_head(out, host, bytes_of("PATH"), time_ms, serial);
        json_object_foreach((json_t *)(uintptr_t)p, key, value) {
            if (!audit_form_is_word(bytes_of(key)))
                continue;
            if (is_untrusted(key))
                add_string(out, key, value);
            else
                add_plain(out, key, value);
        }
        sbuf_add_char(out, '\n');
    }
    audit_form_head(out, host, bytes_of("PROCTITLE"), time_ms, serial);
    sbuf_add_str(out, "proctitle=");
    json_array_foreach(args, i, p) {
        audit_form_proctitle(out, text_of(p), '\0');
        if (i + 1 < json_array_size(args))
            sbuf_add_str(out, "00");
    }
    sbuf_add_char(out, '\n');
    return 3 + (unsigned)json_array_size(paths);
}

/* ---- a line of a log in a member: docker, filebeat, fluentd, vector, promtail, an index of Elasticsearch ---- */

static struct bytes host_of(const json_t *object)
{
    static const char *const places[][2] = { { "host", NULL },       { "host", "name" },       { "host", "hostname" }, { "hostname", NULL },
                                             { "_HOSTNAME", NULL },  { "kubernetes", "host" }, { "agent", "hostname" } };
    struct bytes host = BYTES_NULL;

    for (size_t i = 0; i < ARRAY_SIZE(places) && !host.len; i++)
        host = text_of(member(object, places[i][0], places[i][1], NULL));
    return host;
}

static unsigned from_wrapper(struct audit_form *f, const json_t *object, struct sbuf *out)
{
    static const char *const keys[] = { "message", "log", "line", "_raw", "msg", "MESSAGE" };
    struct bytes line = text_of(member(object, "event", "original", NULL));

    for (size_t i = 0; i < ARRAY_SIZE(keys) && !line.len; i++)
        line = text_at(object, keys[i]);
    while (line.len && line.data[line.len - 1] == '\n')
        line.len--;
    return line.len && !memchr(line.data, '\n', line.len) ? audit_form_wrapped(f, line, host_of(object), out) : 0;
}

/* ---- which of them ---- */

/* An array's objects, one a line. */
static struct bytes without_array(struct bytes line)
{
    if (line.len > 1 && line.data[0] == '[')
        line = (struct bytes){ line.data + 1, line.len - 1 };
    while (line.len && (line.data[line.len - 1] == ',' || line.data[line.len - 1] == ']'))
        line.len--;
    return line;
}

unsigned audit_form_json(struct audit_form *f, struct bytes line, struct sbuf *out)
{
    struct bytes text = without_array(line);
    json_t *object = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL); /* laurel may write a member twice: the last is taken */
    const json_t *source = json_object_get(object, "_source"), *event = json_is_object(source) ? source : object;
    unsigned count = 0;

    if (object && !audit_form_is_trusted(text_at(event, "_TRANSPORT"), text_at(event, "_UID"))) {
        json_decref(object);
        return 0;
    }
    if (!object) { /* cut: counted by whoever reads on */
        sbuf_add_bytes(out, line);
        sbuf_add_char(out, '\n');
    } else if (json_object_get(event, "auditd")) {
        count = from_auditbeat(event, out);
    } else if (json_object_get(event, "ID")) {
        count = from_laurel(event, out);
    } else if (json_object_get(event, "MESSAGE")) {
        count = from_journal(f, event, out);
    }
    if (object && !count)
        count = from_wrapper(f, event, out);
    json_decref(object);
    return count;
}
