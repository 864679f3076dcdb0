/* SPDX-License-Identifier: MIT */
#include "search/options.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "search/option_values.h"
#include "util/macro.h"
#include "util/suggest.h"

#define FLAG(member) search_take_flag, offsetof(struct search_options, member)
#define TEXT(member) search_take_text, offsetof(struct search_options, member)

#define WHEN "now recent this-hour boot today yesterday this-week week-ago this-month this-year"

static const struct search_row {
    struct option_row row;
    search_take_fn *take;
    size_t at;      /* of search_take_flag() and search_take_text(): the member of struct search_options */
    bool is_signed; /* the argument may begin with '-' and a digit */
} rows[] = {
    /* clang-format off */
    { { "-a", "--event", "ID", COMPLETE_NOTHING, NULL, "the audit event of this serial number" }, search_take_event },
    { { NULL, "--arch", "CPU", COMPLETE_NOTHING, NULL,
        "of this architecture (b32, b64, x86_64 ...)" }, search_take_architecture },
    { { "-c", "--comm", "NAME", COMPLETE_PROGRAM, NULL,
        "the command's name, as the kernel has it (15 bytes)" }, TEXT(query.comm) },
    { { NULL, "--checkpoint", "FILE", COMPLETE_FILE, NULL,
        "go on behind the last complete event of the last search" }, TEXT(checkpoint) },
    { { NULL, "--container", "NAME", COMPLETE_CONTAINER, NULL,
        "made in this container (store only: logs do not say)" }, TEXT(query.container) },
    { { NULL, "--control", "SOCKET", COMPLETE_FILE, NULL,
        "the daemon's socket: it answers where the store is not yours to read" }, TEXT(control) },
    { { NULL, "--debug", NULL, 0, NULL, "say which events are malformed" }, FLAG(query.debug) },
    { { "-e", "--exit", "CODE", COMPLETE_NOTHING, NULL,
        "the system call's exit value, or the name of an errno" }, search_take_exit_code, .is_signed = true },
    { { NULL, "--eoe-timeout", "SEC", COMPLETE_NOTHING, NULL,
        "how long an event waits for its records" }, search_take_timeout },
    { { NULL, "--escape", "HOW", COMPLETE_WORDS, "raw tty shell shell_quote",
        "raw, tty, shell, shell_quote" }, search_take_escape },
    { { NULL, "--extra-keys", NULL, 0, NULL, "csv: a column with the key" }, FLAG(query.extra_keys) },
    { { NULL, "--extra-labels", NULL, 0, NULL, "csv: columns with the labels" }, FLAG(query.extra_labels) },
    { { NULL, "--extra-obj2", NULL, 0, NULL, "csv: a column with the second object" }, FLAG(query.extra_obj2) },
    { { NULL, "--extra-time", NULL, 0, NULL, "csv: columns with the parts of the time" }, FLAG(query.extra_time) },
    { { "-f", "--file", "PATH", COMPLETE_FILE, NULL,
        "the file, or everything below the directory, or a pattern (* ?)" }, search_take_file },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "raw default interpret csv text json ocsf",
        "raw, default, interpret, csv, text, json, ocsf" }, search_take_format },
    { { "-ga", "--gid-all", "GROUP", COMPLETE_GROUP, NULL, "group or effective group" }, search_take_gid_all },
    { { "-ge", "--gid-effective", "GROUP", COMPLETE_GROUP, NULL, "effective group" }, search_take_egid },
    { { "-gi", "--gid", "GROUP", COMPLETE_GROUP, NULL, "group" }, search_take_gid },
    { { "-h", "--help", NULL, 0, NULL, "this text" }, FLAG(help) },
    { { "-hn", "--host", "NAME", COMPLETE_NOTHING, NULL, "remote host's name or address" }, TEXT(query.host) },
    { { "-i", "--interpret", NULL, 0, NULL, "numbers as words" }, search_take_interpret },
    { { "-if", "--input", "LOG", COMPLETE_FILE, NULL,
        "a file, directory or - instead of the system's log; may be repeated" }, search_take_input },
    { { NULL, "--inode", "N", COMPLETE_NOTHING, NULL,
        "the file of this inode, by whatever name; may be repeated" }, search_take_inode },
    { { NULL, "--input-logs", NULL, 0, NULL, "the system's log, also if stdin is a pipe" }, FLAG(input_logs) },
    { { NULL, "--just-one", NULL, 0, NULL, "stop after the first" }, FLAG(query.just_one) },
    { { "-k", "--key", "KEY", COMPLETE_NOTHING, NULL, "the rule's key; repeated: any of them" }, search_take_key },
    { { "-l", "--line-buffered", NULL, 0, NULL, "write each event at once" }, FLAG(query.line_buffered) },
    { { "-m", "--message", "TYPES", COMPLETE_NOTHING, NULL,
        "record types, by name or number; ALL" }, search_take_message_types },
    { { "-n", "--node", "NAME", COMPLETE_NOTHING, NULL, "of this machine; repeated: any of them" }, search_take_node },
    { { "-o", "--object", "LABEL", COMPLETE_NOTHING, NULL, "security context of the object" }, TEXT(query.object) },
    { { NULL, "--op", "LIST", COMPLETE_OPERATIONS, NULL,
        "what was done: delete, modify, permission, unlink,chmod ..." }, search_take_operations },
    { { "-p", "--pid", "PID", COMPLETE_NOTHING, NULL, "process" }, search_take_pid },
    { { "-pp", "--ppid", "PID", COMPLETE_NOTHING, NULL, "parent process" }, search_take_ppid },
    { { "-r", "--raw", NULL, 0, NULL, "records as they stand in the log" }, search_take_raw },
    { { "-sc", "--syscall", "CALL", COMPLETE_NOTHING, NULL, "system call, by name or number" }, search_take_call },
    { { "-se", "--context", "LABEL", COMPLETE_NOTHING, NULL,
        "security context of subject or object" }, search_take_context },
    { { NULL, "--session", "ID", COMPLETE_NOTHING, NULL, "login session" }, search_take_session, .is_signed = true },
    { { NULL, "--store", "FILE", COMPLETE_FILE, NULL, "what culprit recorded, instead of a log" }, TEXT(store) },
    { { NULL, "--strict-ausearch", NULL, 0, NULL,
        "as ausearch: -f compares text, bytes above ASCII, status 1" }, FLAG(query.strict) },
    { { "-su", "--subject", "LABEL", COMPLETE_NOTHING, NULL, "security context of the subject" }, TEXT(query.subject) },
    { { "-sv", "--success", "yes|no", COMPLETE_WORDS, "yes no", "outcome" }, search_take_success },
    { { "-te", "--end", "TIME", COMPLETE_WORDS, WHEN,
        "up to then: date and time, a word, ISO 8601, -2h" }, search_take_end, .is_signed = true },
    { { "-ts", "--start", "TIME", COMPLETE_WORDS, WHEN " checkpoint",
        "from then on; also: checkpoint" }, search_take_start, .is_signed = true },
    { { "-tm", "--terminal", "TTY", COMPLETE_NOTHING, NULL, "terminal" }, TEXT(query.terminal) },
    { { "-ua", "--uid-all", "USER", COMPLETE_USER, NULL, "user, effective user or login user" }, search_take_uid_all },
    { { "-ue", "--uid-effective", "USER", COMPLETE_USER, NULL, "effective user" }, search_take_euid },
    { { "-ui", "--uid", "USER", COMPLETE_USER, NULL, "user" }, search_take_uid },
    { { "-ul", "--loginuid", "USER", COMPLETE_USER, NULL, "who logged in" }, search_take_loginuid, .is_signed = true },
    { { "-uu", "--uuid", "UUID", COMPLETE_NOTHING, NULL, "virtual machine" }, TEXT(query.uuid) },
    { { "-v", "--version", NULL, 0, NULL, "version" }, FLAG(version) },
    { { "-vm", "--vm-name", "NAME", COMPLETE_NOTHING, NULL, "virtual machine" }, TEXT(query.vm) },
    { { "-w", "--word", NULL, 0, NULL, "texts must match as a whole" }, FLAG(query.word) },
    { { "-x", "--executable", "PATH", COMPLETE_FILE, NULL, "executable" }, TEXT(query.exe) },
    /* clang-format on */
};

const struct option_row *search_option(unsigned index)
{
    return index < ARRAY_SIZE(rows) ? &rows[index].row : NULL;
}

static const struct search_row *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if ((rows[i].row.letter && strcmp(rows[i].row.letter, name) == 0) || strcmp(rows[i].row.name, name) == 0)
            return &rows[i];
    return NULL;
}

static bool may_be_argument(const struct search_row *row, const char *text)
{
    if (text[0] != '-')
        return true;
    if (row->take == search_take_input && text[1] == '\0')
        return true;
    return row->is_signed && isdigit((unsigned char)text[1]);
}

static int refuse(const char *word, struct err *err)
{
    struct suggestion suggestion = { .typed = bytes_of(word) };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        suggest_offer(&suggestion, bytes_of(rows[i].row.letter));
        suggest_offer(&suggestion, bytes_of(rows[i].row.name));
    }
    if (strlen(word) > 3 && suggestion.best.data) /* short ones are near to each other */
        return err_say(err, -EINVAL, "unknown option %.40s; did you mean %s?", word, suggestion.best.data);
    return err_say(err, -EINVAL, "unknown option %.40s", word);
}

/* What is true of the options together. */
static int check(struct search_options *o, struct err *err)
{
    struct search_query *q = &o->query;

    if ((q->extra_time || q->extra_labels || q->extra_keys || q->extra_obj2) && q->format != SEARCH_CSV && !o->help &&
        !o->version)
        return err_say(err, -EINVAL, "the --extra options need --format csv");
    if (q->strict && (q->file_count > 1 || q->key_count > 1)) {
        /* the last one counts, as for ausearch */
        if (q->file_count)
            q->files[0] = q->files[q->file_count - 1];
        if (q->key_count)
            q->keys[0] = q->keys[q->key_count - 1];
        q->file_count = MIN(q->file_count, 1u);
        q->key_count = MIN(q->key_count, 1u);
    }
    return 0;
}

static int take(struct search_parsing *p, const struct search_row *row, struct err *err)
{
    const char *typed = p->argv[p->index], *text = NULL;

    if (row->row.argument) {
        if (p->index + 1 >= p->argc || !may_be_argument(row, p->argv[p->index + 1]))
            return err_say(err, -EINVAL, "%s needs an argument (%s)", typed, row->row.argument);
        text = p->argv[++p->index];
    }
    return row->take(p, text, row->at, err);
}

int search_options_parse(int argc, char **argv, time_t now, double uptime_s,
                         struct search_options *ret, struct err *err)
{
    struct search_parsing p = { .argc = argc, .argv = argv, .now = now, .uptime_s = uptime_s, .o = ret };
    int r = 0;

    *ret = (struct search_options){ .query = { .success = -1,
                                               .format = SEARCH_DEFAULT,
                                               .escape = SEARCH_ESCAPE_TTY } };
    for (p.index = 1; p.index < argc && r == 0; p.index++) {
        const char *word = argv[p.index];
        const struct search_row *row = find(word);

        if (row)
            r = take(&p, row, err);
        else if (word[0] != '-' || word[1] == '\0')
            r = search_take_operand(&p, word, err);
        else
            return refuse(word, err);
    }
    return r < 0 ? r : check(ret, err);
}
