/* SPDX-License-Identifier: MIT */
#include "search/options.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <libaudit.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "event/operation.h"
#include "event/syscall_name.h"
#include "search/when.h"
#include "util/macro.h"
#include "util/parse.h"
#include "util/suggest.h"

enum option_id {
    O_EVENT, O_ARCH, O_COMM, O_CHECKPOINT, O_DEBUG, O_EXIT, O_TIMEOUT, O_ESCAPE, O_EXTRA_KEYS,
    O_EXTRA_LABELS, O_EXTRA_OBJ2, O_EXTRA_TIME, O_FILE, O_FORMAT, O_GID_ALL, O_GID_EFFECTIVE, O_GID,
    O_HELP, O_HOST, O_INTERPRET, O_INPUT, O_INPUT_LOGS, O_JUST_ONE, O_KEY, O_LINE_BUFFERED,
    O_MESSAGE, O_NODE, O_OBJECT, O_PID, O_PPID, O_RAW, O_SYSCALL, O_CONTEXT, O_SESSION, O_SUBJECT,
    O_SUCCESS, O_END, O_START, O_TERMINAL, O_UID_ALL, O_UID_EFFECTIVE, O_UID, O_UUID, O_LOGINUID,
    O_VERSION, O_VM, O_WORD, O_EXE, O_STRICT, O_STORE, O_OP, O_CONTAINER, O_INODE,
};

enum argument { NONE, NEEDED, SIGNED }; /* SIGNED: may begin with '-' */

static const struct option_row {
    const char *name, *also; /* short, long */
    enum option_id id;
    enum argument argument;
    const char *argument_name, *help;
} rows[] = {
    /* clang-format off */
    { "-a", "--event", O_EVENT, NEEDED, "ID", "the audit event of this serial number" },
    { NULL, "--arch", O_ARCH, NEEDED, "CPU", "of this architecture (b32, b64, x86_64 ...)" },
    { "-c", "--comm", O_COMM, NEEDED, "NAME", "the command's name, as the kernel has it (15 bytes)" },
    { NULL, "--checkpoint", O_CHECKPOINT, NEEDED, "FILE", "go on behind the last complete event of the last search" },
    { NULL, "--container", O_CONTAINER, NEEDED, "NAME", "made in this container (store only: logs do not tell)" },
    { NULL, "--debug", O_DEBUG, NONE, "", "say which events are malformed" },
    { "-e", "--exit", O_EXIT, SIGNED, "CODE", "the system call's exit value, or the name of an errno" },
    { NULL, "--eoe-timeout", O_TIMEOUT, NEEDED, "SEC", "how long an event waits for its records" },
    { NULL, "--escape", O_ESCAPE, NEEDED, "HOW", "raw, tty, shell, shell_quote" },
    { NULL, "--extra-keys", O_EXTRA_KEYS, NONE, "", "csv: a column with the key" },
    { NULL, "--extra-labels", O_EXTRA_LABELS, NONE, "", "csv: columns with the labels" },
    { NULL, "--extra-obj2", O_EXTRA_OBJ2, NONE, "", "csv: a column with the second object" },
    { NULL, "--extra-time", O_EXTRA_TIME, NONE, "", "csv: columns with the parts of the time" },
    { "-f", "--file", O_FILE, NEEDED, "PATH", "the file, or everything below the directory, or a pattern (* ?)" },
    { NULL, "--format", O_FORMAT, NEEDED, "FMT", "raw, default, interpret, csv, text, json, ocsf" },
    { "-ga", "--gid-all", O_GID_ALL, NEEDED, "GROUP", "group or effective group" },
    { "-ge", "--gid-effective", O_GID_EFFECTIVE, NEEDED, "GROUP", "effective group" },
    { "-gi", "--gid", O_GID, NEEDED, "GROUP", "group" },
    { "-h", "--help", O_HELP, NONE, "", "this text" },
    { "-hn", "--host", O_HOST, NEEDED, "NAME", "remote host's name or address" },
    { "-i", "--interpret", O_INTERPRET, NONE, "", "numbers as words" },
    { "-if", "--input", O_INPUT, NEEDED, "LOG", "a file, directory or - instead of the system's log; may be repeated" },
    { NULL, "--inode", O_INODE, NEEDED, "N", "the file of this inode, by whatever name; may be repeated" },
    { NULL, "--input-logs", O_INPUT_LOGS, NONE, "", "the system's log, also if stdin is a pipe" },
    { NULL, "--just-one", O_JUST_ONE, NONE, "", "stop after the first" },
    { "-k", "--key", O_KEY, NEEDED, "KEY", "the rule's key; repeated: any of them" },
    { "-l", "--line-buffered", O_LINE_BUFFERED, NONE, "", "write each event at once" },
    { "-m", "--message", O_MESSAGE, NEEDED, "TYPES", "record types, by name or number; ALL" },
    { "-n", "--node", O_NODE, NEEDED, "NAME", "of this machine; repeated: any of them" },
    { "-o", "--object", O_OBJECT, NEEDED, "LABEL", "security context of the object" },
    { NULL, "--op", O_OP, NEEDED, "LIST", "what was done: delete, modify, permission, unlink,chmod ..." },
    { "-p", "--pid", O_PID, NEEDED, "PID", "process" },
    { "-pp", "--ppid", O_PPID, NEEDED, "PID", "parent process" },
    { "-r", "--raw", O_RAW, NONE, "", "records as they stand in the log" },
    { "-sc", "--syscall", O_SYSCALL, NEEDED, "CALL", "system call, by name or number" },
    { "-se", "--context", O_CONTEXT, NEEDED, "LABEL", "security context of subject or object" },
    { NULL, "--session", O_SESSION, SIGNED, "ID", "login session" },
    { NULL, "--store", O_STORE, NEEDED, "FILE", "what culprit recorded, instead of a log" },
    { NULL, "--strict-ausearch", O_STRICT, NONE, "", "as ausearch: -f compares text, bytes above ASCII, status 1" },
    { "-su", "--subject", O_SUBJECT, NEEDED, "LABEL", "security context of the subject" },
    { "-sv", "--success", O_SUCCESS, NEEDED, "yes|no", "outcome" },
    { "-te", "--end", O_END, SIGNED, "TIME", "up to then: date and time, a word, ISO 8601, -2h" },
    { "-ts", "--start", O_START, SIGNED, "TIME", "from then on; also: checkpoint" },
    { "-tm", "--terminal", O_TERMINAL, NEEDED, "TTY", "terminal" },
    { "-ua", "--uid-all", O_UID_ALL, NEEDED, "USER", "user, effective user or login user" },
    { "-ue", "--uid-effective", O_UID_EFFECTIVE, NEEDED, "USER", "effective user" },
    { "-ui", "--uid", O_UID, NEEDED, "USER", "user" },
    { "-ul", "--loginuid", O_LOGINUID, SIGNED, "USER", "who logged in" },
    { "-uu", "--uuid", O_UUID, NEEDED, "UUID", "virtual machine" },
    { "-v", "--version", O_VERSION, NONE, "", "version" },
    { "-vm", "--vm-name", O_VM, NEEDED, "NAME", "virtual machine" },
    { "-w", "--word", O_WORD, NONE, "", "texts must match as a whole" },
    { "-x", "--executable", O_EXE, NEEDED, "PATH", "executable" },
    /* clang-format on */
};

const char *search_option_name(unsigned i, const char **ret_argument, const char **ret_help)
{
    static char text[ARRAY_SIZE(rows)][40];

    if (i >= ARRAY_SIZE(rows))
        return NULL;
    *ret_argument = rows[i].argument_name;
    *ret_help = rows[i].help;
    snprintf(text[i], sizeof(text[i]), "%s%s%s", rows[i].name ? rows[i].name : "",
             rows[i].name ? ", " : "    ", rows[i].also);
    return text[i];
}

static const struct option_row *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if ((rows[i].name && strcmp(rows[i].name, name) == 0) || strcmp(rows[i].also, name) == 0)
            return &rows[i];
    return NULL;
}

/* ---- values ---- */

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

static int message_types(struct search_query *q, const char *text, struct err *err)
{
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

static int operations(struct search_query *q, const char *list, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes unknown;

    if (operation_list_parse(bytes_of(list), &q->operations, &unknown) == 0)
        return 0;
    operation_list_refuse(unknown, &text);
    return err_say(err, -EINVAL, "%s", sbuf_str(&text));
}

static int output(struct search_query *q, bool *chosen, enum search_format format, struct err *err)
{
    if (*chosen)
        return err_say(err, -EINVAL, "several output formats; choose one");
    *chosen = true;
    q->format = format;
    return 0;
}

static int format_by_name(struct search_query *q, bool *chosen, const char *text, struct err *err)
{
    static const struct {
        const char *name;
        enum search_format format;
    } formats[] = { { "raw", SEARCH_RAW },   { "default", SEARCH_DEFAULT }, { "csv", SEARCH_CSV },
                    { "text", SEARCH_TEXT }, { "json", SEARCH_JSON },       { "ecs", SEARCH_JSON },
                    { "ocsf", SEARCH_OCSF } };

    if (strncmp(text, "interp", 6) == 0)
        return output(q, chosen, SEARCH_INTERPRET, err);
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(text, formats[i].name) == 0)
            return output(q, chosen, formats[i].format, err);
    return err_say(err, -EINVAL, "unknown format \"%.40s\" (raw, default, interpret, csv, text, json, ocsf)", text);
}

static int escape_by_name(struct search_query *q, const char *text, struct err *err)
{
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

static int call(struct search_query *q, const char *text, struct err *err)
{
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

static int exit_code(struct search_query *q, const char *text, struct err *err)
{
    q->has_exit = true;
    if (isdigit((unsigned char)text[0]) || (text[0] == '-' && isdigit((unsigned char)text[1])))
        return signed_number("-e", text, &q->exit, err);
    q->exit = audit_name_to_errno(text);
    if (q->exit == 0)
        return err_say(err, -EINVAL, "-e: no errno \"%.40s\"", text);
    return 0;
}

/* ---- one option ---- */

struct parsing {
    int argc;
    char **argv;
    time_t now;
    double uptime_s;
    struct search_options *o;
    bool format_chosen;
};

/* -ts and -te take one or two words: "-ts 11/24/2026 12:00", "-ts 12:00 today". */
static int times(struct parsing *p, int *index, const char *first, bool is_end, struct err *err)
{
    struct search_query *q = &p->o->query;
    const char *second = *index + 1 < p->argc && p->argv[*index + 1][0] != '-' ? p->argv[*index + 1] : NULL;
    bool first_is_clock = strchr(first, ':') && !strchr(first, 'T') && !strchr(first, '-');
    const char *date = first_is_clock ? second : first, *clock = first_is_clock ? first : second;
    struct search_time t;
    int r;

    /* our own inputs may stand behind the options: a word that is no time is not taken */
    if (second && !search_time_is_word(second) && !isdigit((unsigned char)second[0])) {
        second = NULL;
        date = first_is_clock ? NULL : first;
        clock = first_is_clock ? first : NULL;
    }
    if (second)
        ++*index;
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

static int flag(struct parsing *p, enum option_id id, struct err *err)
{
    struct search_query *q = &p->o->query;

    switch (id) {
    case O_DEBUG: q->debug = true; break;
    case O_EXTRA_KEYS: q->extra_keys = true; break;
    case O_EXTRA_LABELS: q->extra_labels = true; break;
    case O_EXTRA_OBJ2: q->extra_obj2 = true; break;
    case O_EXTRA_TIME: q->extra_time = true; break;
    case O_HELP: p->o->help = true; break;
    case O_VERSION: p->o->version = true; break;
    case O_INTERPRET: return output(q, &p->format_chosen, SEARCH_INTERPRET, err);
    case O_RAW: return output(q, &p->format_chosen, SEARCH_RAW, err);
    case O_INPUT_LOGS: p->o->input_logs = true; break;
    case O_JUST_ONE: q->just_one = true; break;
    case O_LINE_BUFFERED: q->line_buffered = true; break;
    case O_WORD: q->word = true; break;
    case O_STRICT: q->strict = true; break;
    default: break;
    }
    return 0;
}

static int value(struct parsing *p, const struct option_row *row, const char *text, int *index, struct err *err)
{
    struct search_query *q = &p->o->query;
    uint64_t v;
    int r = 0;

    switch (row->id) {
    case O_EVENT:
        q->has_id = true;
        return number("-a", text, UINT64_MAX, &q->id, err);
    case O_TIMEOUT:
        r = number("--eoe-timeout", text, INT32_MAX, &q->end_of_event_s, err);
        return r == 0 && q->end_of_event_s == 0 ? err_say(err, -EINVAL, "--eoe-timeout must be at least 1") : r;
    case O_COMM: q->comm = text; return 0;
    case O_FILE:
        if (strlen(text) >= PATH_MAX)
            return err_say(err, -EINVAL, "-f: name of %zu bytes", strlen(text));
        return add(q->files, &q->file_count, "-f", text, err);
    case O_INODE:
        if (q->inode_count == SEARCH_LIST_MAX)
            return too_many("--inode", err);
        return number("--inode", text, UINT64_MAX, &q->inodes[q->inode_count++], err);
    case O_KEY: return add(q->keys, &q->key_count, "-k", text, err);
    case O_NODE: return add(q->nodes, &q->node_count, "-n", text, err);
    case O_INPUT: return add(p->o->inputs, &p->o->input_count, "-if", text, err);
    case O_GID_ALL:
        r = group("-ga", text, &q->gid, err);
        q->egid = q->gid;
        q->has_gid = q->has_egid = q->any_gid = true;
        return r;
    case O_GID_EFFECTIVE: q->has_egid = true; return group("-ge", text, &q->egid, err);
    case O_GID: q->has_gid = true; return group("-gi", text, &q->gid, err);
    case O_HOST: q->host = text; return 0;
    case O_MESSAGE: return message_types(q, text, err);
    case O_OBJECT: q->object = text; return 0;
    case O_SUBJECT: q->subject = text; return 0;
    case O_CONTEXT:
        q->subject = q->object = text;
        q->any_context = true;
        return 0;
    case O_PID: q->has_pid = true; return small_number("-p", text, &q->pid, err);
    case O_PPID: q->has_ppid = true; return small_number("-pp", text, &q->ppid, err);
    case O_ESCAPE: return escape_by_name(q, text, err);
    case O_FORMAT: return format_by_name(q, &p->format_chosen, text, err);
    case O_SYSCALL: return call(q, text, err);
    case O_SUCCESS:
        if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
            return err_say(err, -EINVAL, "-sv must be yes or no, not \"%.40s\"", text);
        q->success = text[0] == 'y';
        return 0;
    case O_SESSION: {
        int64_t s = 0;

        r = signed_number("--session", text, &s, err);
        if (r == 0 && (s < -2 || s > UINT32_MAX))
            r = err_say(err, -EINVAL, "--session needs a number, not \"%.40s\"", text);
        q->session = (uint32_t)s;
        q->has_session = q->session != UINT32_MAX - 1;
        return r;
    }
    case O_EXIT: return exit_code(q, text, err);
    case O_END: return times(p, index, text, true, err);
    case O_START: return times(p, index, text, false, err);
    case O_TERMINAL: q->terminal = text; return 0;
    case O_UID: q->has_uid = true; return user("-ui", text, &q->uid, &q->uid_name, err);
    case O_UID_EFFECTIVE: q->has_euid = true; return user("-ue", text, &q->euid, &q->euid_name, err);
    case O_UID_ALL:
        r = user("-ua", text, &q->uid, &q->uid_name, err);
        q->euid = q->auid = q->uid;
        q->euid_name = q->auid_name = q->uid_name;
        q->has_uid = q->has_euid = q->has_auid = q->any_uid = true;
        return r;
    case O_LOGINUID:
        q->has_auid = true;
        if (text[0] == '-') {
            int64_t s = 0;

            r = signed_number("-ul", text, &s, err);
            q->auid = (uint32_t)s;
            return r == 0 && s < -1 ? err_say(err, -EINVAL, "-ul: -1 stands for unset; there is no %.40s", text) : r;
        }
        return user("-ul", text, &q->auid, &q->auid_name, err);
    case O_UUID: q->uuid = text; return 0;
    case O_VM: q->vm = text; return 0;
    case O_EXE: q->exe = text; return 0;
    case O_CHECKPOINT: p->o->checkpoint = text; return 0;
    case O_STORE: p->o->store = text; return 0;
    case O_CONTAINER: q->container = text; return 0;
    case O_OP: return operations(q, text, err);
    case O_ARCH:
        if (q->has_machine)
            return err_say(err, -EINVAL, q->has_syscall ? "--arch must stand before -sc" : "--arch is given twice");
        q->machine = audit_determine_machine(text);
        if (q->machine < 0)
            return err_say(err, -EINVAL, "--arch: unknown architecture \"%.40s\" (b64, b32, x86_64, aarch64 ...)", text);
        q->has_machine = true;
        return 0;
    default:
        (void)v;
        return 0;
    }
}

static bool may_be_argument(const struct option_row *row, const char *text)
{
    if (text[0] != '-')
        return true;
    if (row->id == O_INPUT && text[1] == '\0')
        return true;
    return row->argument == SIGNED && isdigit((unsigned char)text[1]);
}

static int refuse(const char *word, struct err *err)
{
    struct suggestion suggestion = { .typed = bytes_of(word) };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        suggest_offer(&suggestion, bytes_of(rows[i].name));
        suggest_offer(&suggestion, bytes_of(rows[i].also));
    }
    if (strlen(word) > 3 && suggestion.best.data) /* short ones are near to each other */
        return err_say(err, -EINVAL, "unknown option %.40s; did you mean %s?", word, suggestion.best.data);
    return err_say(err, -EINVAL, "unknown option %.40s", word);
}

int search_options_parse(int argc, char **argv, time_t now, double uptime_s,
                         struct search_options *ret, struct err *err)
{
    struct parsing p = { .argc = argc, .argv = argv, .now = now, .uptime_s = uptime_s, .o = ret };
    int r = 0;

    *ret = (struct search_options){ .query = { .success = -1,
                                               .format = SEARCH_DEFAULT,
                                               .escape = SEARCH_ESCAPE_TTY } };
    for (int i = 1; i < argc && r == 0; i++) {
        const struct option_row *row = find(argv[i]);

        if (!row && (argv[i][0] != '-' || argv[i][1] == '\0')) {
            r = add(ret->inputs, &ret->input_count, "LOG", argv[i], err);
            continue;
        }
        if (!row)
            return refuse(argv[i], err);
        if (row->argument == NONE) {
            r = flag(&p, row->id, err);
            continue;
        }
        if (i + 1 >= argc || !may_be_argument(row, argv[i + 1]))
            return err_say(err, -EINVAL, "%s needs an argument (%s)", argv[i], row->argument_name);
        i++;
        r = value(&p, row, argv[i], &i, err);
    }
    if (r < 0)
        return r;
    if ((ret->query.extra_time || ret->query.extra_labels || ret->query.extra_keys || ret->query.extra_obj2) &&
        ret->query.format != SEARCH_CSV && !ret->help && !ret->version)
        return err_say(err, -EINVAL, "the --extra options need --format csv");
    if (ret->query.strict && (ret->query.file_count > 1 || ret->query.key_count > 1)) {
        /* the last one counts, as for ausearch */
        if (ret->query.file_count)
            ret->query.files[0] = ret->query.files[ret->query.file_count - 1];
        if (ret->query.key_count)
            ret->query.keys[0] = ret->query.keys[ret->query.key_count - 1];
        ret->query.file_count = MIN(ret->query.file_count, 1u);
        ret->query.key_count = MIN(ret->query.key_count, 1u);
    }
    return 0;
}
