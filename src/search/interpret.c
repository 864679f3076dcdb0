/* SPDX-License-Identifier: MIT */
/*
 * -i. What a value means is asked of libauparse, the library that ausearch asks: its tables are
 * those of the distribution's audit version, and names are those that `ausearch -i` would print
 * here. How a record falls into fields is ausearch's own way, which differs from the library's
 * (commas, messages in messages), and is done here. Only events that match get here.
 */
#include "search/format_text.h"
#include "search/interpret.h"

#include <auparse.h>
#include <libaudit.h>
#include <stdlib.h>
#include <time.h>

#include "event/syscall_name.h"
#include "search/formatter.h"
#include "sensor/audit/record.h"
#include "util/macro.h"

/* libauparse's interface to ausearch: exported and used by the ausearch program of every
 * distribution since 2.3 (2013), but in no installed header. */
struct interpretation {
    unsigned machine;
    int syscall;
    unsigned long long a0, a1;
    const char *cwd;
    const char *name;
    const char *val;
};
int auparse_interp_adjust_type(int record_type, const char *name, const char *value);
char *auparse_do_interpretation(int type, const struct interpretation *id, auparse_esc_t escape);
void _auparse_load_interpretations(const char *text);
void _auparse_free_interpretations(void);

struct speaker { /* state of one record */
    struct search_formatter *f;
    struct sbuf *out;
    int type;
    unsigned machine;
    int syscall;
    unsigned long long a0, a1;
};

static unsigned long long hex_argument(struct bytes text, const char *name)
{
    const char *found = memmem(text.data, text.len, name, strlen(name)), *end = text.data + text.len;
    unsigned long long v = 0;

    for (found = found ? found + strlen(name) : end; found < end; found++) {
        int c = *found | 0x20;

        if (c >= '0' && c <= '9')
            v = v << 4 | (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (unsigned)(c - 'a' + 10);
        else
            break;
    }
    return v;
}

/* False: the number is not one, and that was said in place of the value. */
static bool note_call(struct speaker *s, const char *name, const char *value)
{
    if (s->machine == UINT32_MAX) {
        if (!s->f->machine_known) /* it asks the kernel each time */
            s->f->machine = audit_detect_machine();
        s->f->machine_known = true;
        s->machine = (unsigned)s->f->machine;
    }
    if (strcmp(name, "arch") == 0)
        s->machine = (unsigned)audit_elf_to_machine((unsigned)strtoul(value, NULL, 16));
    if (s->syscall < 0 && strcmp(name, "syscall") == 0)
        s->syscall = (int)strtoul(value, NULL, 10);
    return true;
}

static void say_keys(struct sbuf *out, char *text)
{
    char *stop;
    bool first = true;

    if (!strchr(text, AUDIT_KEY_SEPARATOR)) {
        sbuf_add_str(out, text);
        sbuf_add_char(out, ' ');
        return;
    }
    for (; (stop = strchr(text, AUDIT_KEY_SEPARATOR)); text = stop + 1, first = false) {
        *stop = '\0';
        sbuf_add_str(out, first ? "" : " key=");
        sbuf_add_str(out, text);
    }
    sbuf_add_str(out, " key=");
    sbuf_add_str(out, text);
    sbuf_add_char(out, ' ');
}

static void say_value(struct speaker *s, char *name, char *value, bool comma)
{
    struct interpretation id = { 0 };
    size_t n = strlen(value);
    char *text;
    int type;

    while (*name == ' ' || *name == '(')
        name++;
    if (strcmp(name, "acct") == 0 && n > 0 && value[n - 1] == ':')
        value[n - 1] = '\0';
    type = auparse_interp_adjust_type(s->type, name, value);
    if (s->type == AUDIT_SYSCALL || s->type == AUDIT_SECCOMP) {
        note_call(s, name, value);
        id.syscall = s->syscall;
    }
    id.machine = s->machine;
    id.a0 = s->a0;
    id.a1 = s->a1;
    id.name = name;
    id.val = value;
    text = auparse_do_interpretation(type, &id, (auparse_esc_t)s->f->query->escape);
    if (type == AUPARSE_TYPE_UNCLASSIFIED) {
        sbuf_add_str(s->out, value);
        sbuf_add_char(s->out, comma ? ',' : ' ');
    } else if (text && strcmp(name, "key") == 0) {
        say_keys(s->out, text);
    } else {
        bool unknown = text && !s->f->query->strict && type == AUPARSE_TYPE_SYSCALL && strncmp(text, "unknown-syscall", 15) == 0;
        const char *call = unknown ? audit_call_name_by_number(s->syscall, (int)s->machine) : NULL;

        sbuf_add_str(s->out, call ? call : text ? text : "(null)"); /* libaudit may not know the newest calls */
        if (type != AUPARSE_TYPE_TTY_DATA)
            sbuf_add_char(s->out, ' ');
    }
    free(text);
}

/* Where the value at `value` ends; what follows it, or NULL. */
static char *end_value(struct speaker *s, const char *name, char *value, bool *ret_comma)
{
    char *comma, *space, *stop;

    *ret_comma = false;
    if (*value == '\'' || *value == '"') {
        stop = strchr(value + 1, *value);
        if (!stop)
            return NULL;
        stop++;
        if (*stop)
            *stop++ = '\0';
        return stop;
    }
    comma = strchr(value, ',');
    space = strchr(value, ' ');
    if (comma && (!space || comma < space)) {
        /* labels have commas of their own, and so have a few lists */
        if (auparse_interp_adjust_type(s->type, name, space ? space : value) != AUPARSE_TYPE_MAC_LABEL) {
            *comma = '\0';
            *ret_comma = true;
            return comma + 1;
        }
        if (!space)
            return NULL;
    }
    if (space) {
        *space = '\0';
        return space + 1;
    }
    return comma; /* NULL: it goes as far as the record */
}

/* The fields of `rest`, which is taken apart. */
static void say_fields(struct speaker *s, char *rest)
{
    bool found = false, comma = false;
    char *equals = NULL;

    while (rest && *rest && (equals = strchr(rest, '='))) {
        char *name = equals, *value = equals + 1;

        comma = false;
        found = true;
        while (*name != ' ' && name > rest)
            name--;
        *equals = '\0';
        sbuf_add_str(s->out, rest);
        sbuf_add_char(s->out, '=');
        if (strcmp(name, "msg") == 0) { /* msg='uid=500 ...: the fields are inside */
            rest = value;
            continue;
        }
        if (*name == '\'')
            name++;
        rest = end_value(s, name, value, &comma);
        say_value(s, name, value, comma);
    }
    if (rest && ((!found && !equals) || (found && comma))) {
        format_escaped(s->f->query->escape, bytes_of(rest), s->out);
        sbuf_add_char(s->out, '\n');
    }
}

static void say_record(struct search_formatter *f, const struct search_event *event,
                       const struct search_record *record, struct speaker *s)
{
    const char *type_name = record->type >= 0 ? audit_msg_type_to_name(record->type) : NULL;
    struct sbuf *text = &f->scratch, *out = s->out;
    char *start, *stamp, *rest;
    char when[32] = "?";
    struct tm tm;
    time_t t = (time_t)event->sec;

    sbuf_clear(text);
    sbuf_add_bytes(text, record->text);
    if (sbuf_error(text) || !text->data)
        return;
    start = text->data;
    if (event->node.data && (rest = strchr(start, ' ')))
        start = rest + 1;
    stamp = strchr(start, '(');
    if (!stamp)
        return;
    *stamp++ = '\0';
    if (event->node.data) {
        sbuf_add_str(out, "node=");
        sbuf_add_bytes(out, event->node);
        sbuf_add_char(out, ' ');
    }
    if (type_name)
        sbuf_addf(out, "type=%s msg=audit(", type_name);
    else {
        sbuf_add_str(out, start);
        sbuf_add_char(out, '(');
    }
    rest = strchr(stamp, ')');
    if (!rest)
        return;
    *rest++ = '\0';
    if (localtime_r(&t, &tm))
        format_when("%x %T", &tm, when, sizeof(when));
    sbuf_addf(out, "%s.%03u:%llu) ", when, event->milli, (unsigned long long)event->serial);
    s->type = record->type;
    s->machine = UINT32_MAX;
    s->syscall = -1;
    if (record->type == AUDIT_SYSCALL) {
        s->a0 = hex_argument(record->text, "a0=");
        s->a1 = hex_argument(record->text, "a1=");
    }
    if (record->enriched.data) {
        char *names = strndup(record->enriched.data, record->enriched.len);

        _auparse_load_interpretations(names);
        free(names);
    } else {
        _auparse_load_interpretations(NULL);
    }
    say_fields(s, rest);
    _auparse_free_interpretations();
    sbuf_add_char(out, '\n');
}

void format_interpreted(struct search_formatter *f, const struct search_event *event, struct sbuf *out)
{
    const struct search_record *last = &event->records[event->count - 1];
    struct speaker s = { .f = f, .out = out };

    sbuf_add_str(out, "----\n");
    if (last->type >= AUDIT_DAEMON_START && last->type < AUDIT_SYSCALL) {
        say_record(f, event, last, &s);
        return;
    }
    for (unsigned i = event->count; i > 0; i--)
        say_record(f, event, &event->records[i - 1], &s);
}
