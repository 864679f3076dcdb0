/* SPDX-License-Identifier: MIT */
#include "search/option_values.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <libaudit.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "event/syscall_name.h"
#include "search/when.h"
#include "util/macro.h"
#include "util/parse.h"

#define _unused_ __attribute__((unused))
/* All of one type, for the table: few of them need everything. */
#define TAKE(name) \
    int search_take_##name(struct search_parsing *p, const char *text _unused_, size_t at _unused_, \
                           struct err *err _unused_)

static int number(const char *option, const char *text, uint64_t max, uint64_t *ret, struct err *err)
{
    int r = parse_u64(bytes_of(text), 10, ret);

    if (r == 0 && *ret > max)
        r = -ERANGE;
    return r < 0 ? err_say(err, -EINVAL, "%s needs a number, not \"%.40s\"", option, text) : 0;
}

static int small_number(const char *option, const char *text, uint32_t *ret, struct err *err)
{
    uint64_t v;
    int r = number(option, text, UINT32_MAX, &v, err);

    if (r == 0)
        *ret = (uint32_t)v;
    return r;
}

static int signed_number(const char *option, const char *text, int64_t *ret, struct err *err)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 0);
    if (errno || end == text || *end)
        return err_say(err, -EINVAL, "%s needs a number, not \"%.40s\"", option, text);
    return 0;
}

static int user(const char *option, const char *text, uint32_t *ret, const char **ret_name, struct err *err)
{
    struct passwd *pw;

    if (isdigit((unsigned char)text[0]))
        return small_number(option, text, ret, err);
    pw = getpwnam(text);
    if (!pw)
        return err_say(err, -EINVAL, "%s: no user \"%.40s\" on this machine; give the number", option, text);
    *ret = pw->pw_uid;
    *ret_name = text;
    return 0;
}

static int group(const char *option, const char *text, uint32_t *ret, struct err *err)
{
    struct group *gr;

    if (isdigit((unsigned char)text[0]))
        return small_number(option, text, ret, err);
    gr = getgrnam(text);
    if (!gr)
        return err_say(err, -EINVAL, "%s: no group \"%.40s\" on this machine; give the number", option, text);
    *ret = gr->gr_gid;
    return 0;
}

static int too_many(const char *option, struct err *err)
{
    return err_say(err, -EINVAL, "%s is given more than %d times", option, SEARCH_LIST_MAX);
}

static int add(const char **list, unsigned *count, const char *option, const char *text, struct err *err)
{
    if (*count == SEARCH_LIST_MAX)
        return too_many(option, err);
    list[(*count)++] = text;
    return 0;
}

TAKE(message_types)
{
    struct search_query *q = &p->o->query;

    if (strcasecmp(text, "ALL") == 0)
        return 0;
    while (*text) {
        size_t n = strcspn(text, ",");
        char name[64];
        int type;

        if (n == 0) {
            text++;
            continue;
        }
        if (n >= sizeof(name))
            return err_say(err, -EINVAL, "-m: no record type \"%.40s\"", text);
        memcpy(name, text, n);
        name[n] = '\0';
        if (isdigit((unsigned char)name[0])) {
            uint64_t v;

            if (number("-m", name, INT32_MAX, &v, err) < 0)
                return -EINVAL;
            type = (int)v;
        } else {
            type = audit_name_to_msg_type(name);
        }
        if (type < 0)
            return err_say(err, -EINVAL, "-m: no record type \"%.40s\" (PATH, SYSCALL, USER_LOGIN ...; ausyscall(8) and ausearch(8) list them)", name);
        if (q->type_count == SEARCH_LIST_MAX)
            return too_many("-m", err);
        q->types[q->type_count++] = type;
        text += n;
    }
    return 0;
}

TAKE(operations)
{
    _cleanup_sbuf_ struct sbuf why = SBUF_INIT;
    struct bytes unknown;

    if (operation_list_parse(bytes_of(text), &p->o->query.operations, &unknown) == 0)
        return 0;
    operation_list_refuse(unknown, &why);
    return err_say(err, -EINVAL, "%s", sbuf_str(&why));
}

static int output(struct search_parsing *p, enum search_format format, struct err *err)
{
    if (p->format_chosen)
        return err_say(err, -EINVAL, "several output formats; choose one");
    p->format_chosen = true;
    p->o->query.format = format;
    return 0;
}

TAKE(format)
{
    static const struct {
        const char *name;
        enum search_format format;
    } formats[] = { { "raw", SEARCH_RAW },   { "default", SEARCH_DEFAULT }, { "csv", SEARCH_CSV },
                    { "text", SEARCH_TEXT }, { "json", SEARCH_JSON },       { "ecs", SEARCH_JSON },
                    { "ocsf", SEARCH_OCSF } };

    if (strncmp(text, "interp", 6) == 0)
        return output(p, SEARCH_INTERPRET, err);
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(text, formats[i].name) == 0)
            return output(p, formats[i].format, err);
    return err_say(err, -EINVAL, "unknown format \"%.40s\" (raw, default, interpret, csv, text, json, ocsf)", text);
}

TAKE(escape)
{
    struct search_query *q = &p->o->query;

    if (strcmp(text, "raw") == 0)
        q->escape = SEARCH_ESCAPE_RAW;
    else if (strcmp(text, "tty") == 0)
        q->escape = SEARCH_ESCAPE_TTY;
    else if (strcmp(text, "shell") == 0)
        q->escape = SEARCH_ESCAPE_SHELL;
    else if (strcmp(text, "shell_quote") == 0)
        q->escape = SEARCH_ESCAPE_SHELL_QUOTE;
    else
        return err_say(err, -EINVAL, "unknown escape \"%.40s\" (raw, tty, shell, shell_quote)", text);
    return 0;
}

TAKE(call)
{
    struct search_query *q = &p->o->query;

    q->has_syscall = true;
    if (isdigit((unsigned char)text[0])) {
        uint64_t v;
        int r = number("-sc", text, INT32_MAX, &v, err);

        q->syscall = r < 0 ? -1 : (int)v;
        return r;
    }
    if (!q->has_machine) {
        q->machine = audit_detect_machine();
        if (q->machine < 0)
            return err_say(err, -EINVAL, "-sc: this machine's architecture is not known; give --arch before it");
        q->has_machine = true;
    }
    q->syscall = audit_call_number_by_name(text, q->machine);
    if (q->syscall < 0)
        return err_say(err, -EINVAL, "-sc: no system call \"%.40s\"; ausyscall(8) lists them", text);
    return 0;
}

TAKE(exit_code)
{
    struct search_query *q = &p->o->query;

    q->has_exit = true;
    if (isdigit((unsigned char)text[0]) || (text[0] == '-' && isdigit((unsigned char)text[1])))
        return signed_number("-e", text, &q->exit, err);
    q->exit = audit_name_to_errno(text);
    if (q->exit == 0)
        return err_say(err, -EINVAL, "-e: no errno \"%.40s\"", text);
    return 0;
}

/* -ts and -te take one or two words: "-ts 11/24/2026 12:00", "-ts 12:00 today". */
static int times(struct search_parsing *p, const char *first, bool is_end, struct err *err)
{
    struct search_query *q = &p->o->query;
    const char *second = p->index + 1 < p->argc && p->argv[p->index + 1][0] != '-' ? p->argv[p->index + 1] : NULL;
    bool first_is_clock = strchr(first, ':') && !strchr(first, 'T') && !strchr(first, '-');
    const char *date = first_is_clock ? second : first, *clock = first_is_clock ? first : second;
    struct search_time t;
    int r;

    /* our own inputs may follow the options: a word that is no time is not taken */
    if (second && !search_time_is_word(second) && !isdigit((unsigned char)second[0])) {
        second = NULL;
        date = first_is_clock ? NULL : first;
        clock = first_is_clock ? first : NULL;
    }
    if (second)
        p->index++;
    else if (!is_end && strcmp(first, "checkpoint") == 0) {
        q->start_is_checkpoint = true;
        return 0;
    }
    if (!clock && (!is_end || search_time_is_word(date)))
        clock = "00:00:00";
    r = search_time_parse(date, clock, is_end, p->now, p->uptime_s, &t, err);
    if (r < 0)
        return err_prefix(err, -EINVAL, "%s", is_end ? "-te" : "-ts");
    if (is_end) {
        q->end_s = (uint64_t)t.sec;
        q->end_ms = t.ms;
    } else {
        q->start_s = (uint64_t)t.sec;
        q->start_ms = t.ms;
    }
    return 0;
}

TAKE(event)
{
    p->o->query.has_id = true;
    return number("-a", text, UINT64_MAX, &p->o->query.id, err);
}

TAKE(timeout)
{
    uint64_t *seconds = &p->o->query.end_of_event_s;
    int r = number("--eoe-timeout", text, INT32_MAX, seconds, err);

    return r == 0 && *seconds == 0 ? err_say(err, -EINVAL, "--eoe-timeout must be at least 1") : r;
}

TAKE(file)
{
    struct search_query *q = &p->o->query;

    if (strlen(text) >= PATH_MAX)
        return err_say(err, -EINVAL, "-f: name of %zu bytes", strlen(text));
    return add(q->files, &q->file_count, "-f", text, err);
}

TAKE(inode)
{
    struct search_query *q = &p->o->query;

    if (q->inode_count == SEARCH_LIST_MAX)
        return too_many("--inode", err);
    return number("--inode", text, UINT64_MAX, &q->inodes[q->inode_count++], err);
}

TAKE(key)
{
    return add(p->o->query.keys, &p->o->query.key_count, "-k", text, err);
}

TAKE(node)
{
    return add(p->o->query.nodes, &p->o->query.node_count, "-n", text, err);
}

TAKE(input)
{
    return add(p->o->inputs, &p->o->input_count, "-if", text, err);
}

TAKE(gid_all)
{
    struct search_query *q = &p->o->query;
    int r = group("-ga", text, &q->gid, err);

    q->egid = q->gid;
    q->has_gid = q->has_egid = q->any_gid = true;
    return r;
}

TAKE(egid)
{
    p->o->query.has_egid = true;
    return group("-ge", text, &p->o->query.egid, err);
}

TAKE(gid)
{
    p->o->query.has_gid = true;
    return group("-gi", text, &p->o->query.gid, err);
}

TAKE(context)
{
    p->o->query.subject = p->o->query.object = text;
    p->o->query.any_context = true;
    return 0;
}

TAKE(pid)
{
    p->o->query.has_pid = true;
    return small_number("-p", text, &p->o->query.pid, err);
}

TAKE(ppid)
{
    p->o->query.has_ppid = true;
    return small_number("-pp", text, &p->o->query.ppid, err);
}

TAKE(success)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return err_say(err, -EINVAL, "-sv must be yes or no, not \"%.40s\"", text);
    p->o->query.success = text[0] == 'y';
    return 0;
}

TAKE(session)
{
    struct search_query *q = &p->o->query;
    int64_t s = 0;
    int r = signed_number("--session", text, &s, err);

    if (r == 0 && (s < -2 || s > UINT32_MAX))
        r = err_say(err, -EINVAL, "--session needs a number, not \"%.40s\"", text);
    q->session = (uint32_t)s;
    q->has_session = q->session != UINT32_MAX - 1;
    return r;
}

TAKE(end)
{
    return times(p, text, true, err);
}

TAKE(start)
{
    return times(p, text, false, err);
}

TAKE(uid)
{
    struct search_query *q = &p->o->query;

    q->has_uid = true;
    return user("-ui", text, &q->uid, &q->uid_name, err);
}

TAKE(euid)
{
    struct search_query *q = &p->o->query;

    q->has_euid = true;
    return user("-ue", text, &q->euid, &q->euid_name, err);
}

TAKE(uid_all)
{
    struct search_query *q = &p->o->query;
    int r = user("-ua", text, &q->uid, &q->uid_name, err);

    q->euid = q->auid = q->uid;
    q->euid_name = q->auid_name = q->uid_name;
    q->has_uid = q->has_euid = q->has_auid = q->any_uid = true;
    return r;
}

TAKE(loginuid)
{
    struct search_query *q = &p->o->query;
    int64_t s = 0;
    int r;

    q->has_auid = true;
    if (text[0] != '-')
        return user("-ul", text, &q->auid, &q->auid_name, err);
    r = signed_number("-ul", text, &s, err);
    q->auid = (uint32_t)s;
    return r == 0 && s < -1 ? err_say(err, -EINVAL, "-ul: -1 stands for unset; there is no %.40s", text) : r;
}

TAKE(architecture)
{
    struct search_query *q = &p->o->query;

    if (q->has_machine)
        return err_say(err, -EINVAL, q->has_syscall ? "--arch must stand before -sc" : "--arch is given twice");
    q->machine = audit_determine_machine(text);
    if (q->machine < 0)
        return err_say(err, -EINVAL, "--arch: unknown architecture \"%.40s\" (b64, b32, x86_64, aarch64 ...)", text);
    q->has_machine = true;
    return 0;
}

TAKE(interpret)
{
    return output(p, SEARCH_INTERPRET, err);
}

TAKE(raw)
{
    return output(p, SEARCH_RAW, err);
}

TAKE(flag)
{
    *(bool *)((char *)p->o + at) = true;
    return 0;
}

TAKE(text)
{
    *(const char **)((char *)p->o + at) = text;
    return 0;
}

int search_take_operand(struct search_parsing *p, const char *text, struct err *err)
{
    return add(p->o->inputs, &p->o->input_count, "LOG", text, err);
}
