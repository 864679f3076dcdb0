/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <libaudit.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/syscall_name.h"
#include "rules/field.h"
#include "rules/rule.h"
#include "rules/words.h"
#include "util/macro.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif

#define CALL_WORDS (AUDIT_BITMASK_SIZE - 1) /* the last word of the mask holds classes */
#define NO_LIST UINT32_MAX

/* One line as it is taken apart. */
struct parser {
    const struct rule_options *options;
    unsigned line;
    struct err *err;
    struct words words;
    unsigned at;       /* the next word */
    const char *option; /* as written: "-F", "--reset-lost" */

    struct rule rule;
    uint32_t list;     /* NO_LIST: not yet given */
    bool deletes, calls, perm, exe, fstype, any_field;
    uint32_t arch;     /* 0: none given */
    char keys[AUDIT_MAX_KEY_LEN + 1];
    bool kind_set;
};

_printf_(2, 3) static int fail(struct parser *p, const char *format, ...)
{
    char text[LIMIT_ERR];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    return err_say(p->err, -EINVAL, "%s", text);
}

_printf_(2, 3) static void warn(struct parser *p, const char *format, ...)
{
    char text[LIMIT_ERR];
    va_list ap;

    if (!p->options->warn)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    p->options->warn(p->options->data, p->line, text);
}

/* ---- the kernel's struct ---- */

static int add_field(struct parser *p, uint32_t field, uint32_t operator_flag, uint32_t value,
                     const char *text)
{
    struct audit_rule_data *d = p->rule.data;
    size_t n = text ? strlen(text) : 0;

    if (d->field_count == AUDIT_MAX_FIELDS)
        return fail(p, "more than %d fields in one rule: the kernel takes no more", AUDIT_MAX_FIELDS);
    if (n) {
        d = realloc(d, p->rule.len + n);
        if (!d)
            return err_set(p->err, -ENOMEM, "rule");
        p->rule.data = d;
        memcpy((char *)d + p->rule.len, text, n);
        p->rule.len += n;
        d->buflen += (uint32_t)n;
    }
    d->fields[d->field_count] = field;
    d->fieldflags[d->field_count] = operator_flag;
    d->values[d->field_count++] = text ? (uint32_t)n : value;
    return 0;
}

static void set_all_calls(struct parser *p)
{
    for (unsigned i = 0; i < AUDIT_BITMASK_SIZE; i++) /* word for word what auditctl sends: either may delete it then */
        p->rule.data->mask[i] = UINT32_MAX;
}

/* ---- lists ---- */

/* -w and -a, or two of a kind, in one line */
static int one_of_a_kind(struct parser *p)
{
    if (p->list != NO_LIST || p->kind_set)
        return fail(p, "%s: a line holds one rule or one setting; put it on a line of its own", p->option);
    p->kind_set = true;
    return 0;
}

static int bad_list(struct parser *p, const char *text)
{
    static const char *const words[] = { "always", "never",      "exit",    "task",
                                         "user",   "filesystem", "exclude", "io_uring" };
    char copy[64], hint[96];
    const char *comma = strchr(text, ',');

    if (!comma || strchr(comma + 1, ','))
        return fail(p, "\"%s %.60s\" is not LIST,ACTION (always,exit)", p->option, text);
    for (int i = 0; i < 2; i++) {
        const char *word = i ? comma + 1 : text;
        size_t n = i ? strlen(word) : (size_t)(comma - text);
        struct guess guess;
        bool known = false;

        snprintf(copy, sizeof(copy), "%.*s", (int)MIN(n, sizeof(copy) - 1), word);
        guess_begin(&guess, copy);
        for (size_t k = 0; k < ARRAY_SIZE(words); k++) {
            known |= strcmp(words[k], copy) == 0;
            guess_offer(&guess, words[k]);
        }
        if (strcmp(copy, "entry") == 0)
            return fail(p, "the list \"entry\" is gone since Linux 2.6.38: use exit in \"%s %.60s\"",
                        p->option, text);
        if (strcmp(copy, "possible") == 0)
            return fail(p, "the action \"possible\" is gone: use always or never in \"%s %.60s\"",
                        p->option, text);
        if (!known)
            return fail(p, "unknown word \"%s\" in \"%s %.60s\"%s (always or never, and exit, task, user, "
                           "exclude, filesystem or io_uring)",
                        copy, p->option, text, guess_text(&guess, hint, sizeof(hint)));
    }
    return fail(p, "\"%s %.60s\" needs one list and one action (always,exit)", p->option, text);
}

static int take_list(struct parser *p, const char *text, bool deletes, bool prepend)
{
    const char *comma = strchr(text, ',');
    char first[32];
    int list, r = one_of_a_kind(p);

    if (r < 0)
        return r;
    if (!comma || strchr(comma + 1, ',') || (size_t)(comma - text) >= sizeof(first))
        return bad_list(p, text);
    snprintf(first, sizeof(first), "%.*s", (int)(comma - text), text);
    list = list_by_name(first);
    if (list < 0)
        list = list_by_name(comma + 1);
    else
        memmove(first, comma + 1, MIN(strlen(comma + 1) + 1, sizeof(first))), first[31] = '\0';
    if (list < 0)
        return bad_list(p, text);
    if (strcmp(first, "always") == 0)
        p->rule.data->action = AUDIT_ALWAYS;
    else if (strcmp(first, "never") == 0)
        p->rule.data->action = AUDIT_NEVER;
    else
        return bad_list(p, text);
    p->list = (uint32_t)list;
    p->deletes = deletes;
    p->rule.kind = deletes ? RULE_DELETE : RULE_ADD;
    p->rule.data->flags = p->list | (prepend ? AUDIT_FILTER_PREPEND : 0);
    return 0;
}

/* ---- -w ---- */

/* What the kernel and auditctl say of a path. */
static int check_path(struct parser *p, const char *option, char *path)
{
    size_t n = strlen(path);

    if (path[0] != '/')
        return fail(p, "\"%s %.80s\" must start with '/': the kernel takes absolute paths only", option, path);
    if (n >= PATH_MAX)
        return fail(p, "the path of %s is longer than %d bytes", option, PATH_MAX - 1);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    if (strlen(strrchr(path, '/') + 1) > NAME_MAX)
        return fail(p, "the last name in %s is longer than %d bytes", option, NAME_MAX);
    if (strstr(path, "/../") || strstr(path, "/./") || (n >= 3 && strcmp(path + n - 3, "/..") == 0))
        warn(p, "\"%.80s\" holds \"..\" or \".\": the kernel follows it when the rule is loaded; write "
                "the path without",
             path);
    if (strpbrk(path, "*?["))
        warn(p, "\"%.80s\" is taken literally: the kernel knows no wildcards; name the directory "
                "(dir=), it covers everything below",
             path);
    return 0;
}

static bool leads_to_directory(struct parser *p, const char *path)
{
    return p->options->is_directory && p->options->is_directory(p->options->data, path);
}

/* The kernel follows a path's directory when the rule is loaded, and that of dir= whole (kernel/audit_watch.c, audit_tree.c). */
static void warn_of_missing(struct parser *p, const char *path, bool whole)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];

    if (!p->options->exists || p->deletes)
        return;
    snprintf(directory, sizeof(directory), "%.*s", (int)(whole ? strlen(path) : slash > path ? (size_t)(slash - path) : 1), path);
    if (!p->options->exists(p->options->data, directory))
        warn(p, "%.120s is not there: the kernel refuses a rule whose directory is missing when it is loaded", directory);
}

static int take_watch(struct parser *p, char *path, bool deletes)
{
    const char *colon = strchr(path, ':'), *slash = strchr(path, '/');
    int r = one_of_a_kind(p);

    if (r < 0)
        return r;
    p->rule.container = path[0] != '/' && colon && slash && colon < slash && colon != path;
    if (p->rule.container && !p->options->containers)
        return fail(p, "\"%s %.80s\" is a path in a container: the kernel's rules know none; "
                       "culprit watch --rules takes it",
                    p->option, path);
    if (p->any_field)
        return fail(p, "%s stands first: what narrows it follows", p->option);
    if (!p->rule.container) {
        r = check_path(p, p->option, path);
        if (r < 0)
            return r;
    }
    p->deletes = deletes;
    if (!p->rule.container)
        warn_of_missing(p, path, false);
    if (strcmp(path, "/") == 0)
        warn(p, "a watch on / covers every file of the root file system: most machines cannot bear it");
    p->list = AUDIT_FILTER_EXIT;
    p->rule.kind = deletes ? RULE_DELETE : RULE_ADD;
    p->rule.watch = true;
    p->rule.directory = !p->rule.container && leads_to_directory(p, path);
    p->rule.data->flags = AUDIT_FILTER_EXIT;
    p->rule.data->action = AUDIT_ALWAYS;
    p->calls = p->perm = true;
    set_all_calls(p);
    r = add_field(p, p->rule.directory ? AUDIT_DIR : AUDIT_WATCH, AUDIT_EQUAL, 0, path);
    /* the default of a watch; -p puts another value there */
    return r < 0 ? r : add_field(p, AUDIT_PERM, AUDIT_EQUAL,
                                 AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR,
                                 NULL);
}

static int take_permissions(struct parser *p, const char *text)
{
    struct err why = ERR_INIT;
    uint32_t perm;
    int at;

    if (p->list == NO_LIST)
        return fail(p, "\"-p %.20s\" follows the -w that it belongs to", text);
    if (field_value(field_by_name("perm"), text, &perm, &why) < 0)
        return fail(p, "%s in \"-p %.40s\" (use r, w, x, a)", err_text(&why, -EINVAL), text);
    at = rule_find(p->rule.data, AUDIT_PERM);
    if (at < 0 && rule_find(p->rule.data, AUDIT_WATCH) < 0 && rule_find(p->rule.data, AUDIT_DIR) < 0)
        return fail(p, "\"-p %.20s\" belongs to -w; in a rule with -a write -F perm=%.20s", text, text);
    p->perm = true;
    if (at < 0)
        return add_field(p, AUDIT_PERM, AUDIT_EQUAL, perm, NULL);
    p->rule.data->values[at] = perm;
    return 0;
}

/* ---- keys ---- */

static int take_key(struct parser *p, const char *text, const char *option)
{
    size_t n = strlen(p->keys);

    if (!*text)
        return fail(p, "%s needs a word", option);
    if (strchr(text, 1))
        return fail(p, "the byte 0x01 in a key separates keys: give each its own -k");
    if (n + (n > 0) + strlen(text) > AUDIT_MAX_KEY_LEN)
        return fail(p, "the keys of one rule are longer than %d bytes together: \"%s %.40s...\"",
                    AUDIT_MAX_KEY_LEN, option, text);
    if (strpbrk(text, "\"'"))
        warn(p, "quotes are no quotes in a rule file: they become part of the key %.40s", text);
    snprintf(p->keys + n, sizeof(p->keys) - n, "%s%s", n ? "\1" : "", text);
    return 0;
}

/* ---- -S ---- */

static int machine_of(const struct parser *p)
{
    return p->arch ? audit_elf_to_machine(p->arch) : audit_detect_machine();
}

static int unknown_call(struct parser *p, const char *name, const char *all)
{
    bool uring = p->list == AUDIT_FILTER_URING_EXIT;
    int machine = machine_of(p), other = audit_determine_machine("b32");
    struct guess guess;
    char hint[96];

    if (!uring && other >= 0 && other != machine && audit_call_number_by_name(name, other) >= 0)
        return fail(p, "\"%.40s\" in \"-S %.60s\" is a system call of 32-bit programs only: put it into a rule with -F arch=b32",
                    name, all);
    guess_begin(&guess, name);
    for (unsigned i = 0; i < CALL_WORDS * 32; i++)
        guess_offer(&guess, uring ? uring_name(i) : audit_call_name_by_number((int)i, machine));
    return fail(p, "unknown %s \"%.40s\" in \"-S %.60s\"%s",
                uring ? "io_uring operation" : "system call", name, all,
                guess_text(&guess, hint, sizeof(hint)));
}

static int take_one_call(struct parser *p, const char *name, const char *all)
{
    int machine = machine_of(p), number;
    char *end;

    if (strcmp(name, "all") == 0) {
        set_all_calls(p);
        return 0;
    }
    if (isdigit((unsigned char)name[0])) {
        errno = 0;
        number = (int)MIN(strtoul(name, &end, 0), INT_MAX);
        if (errno || *end || number >= CALL_WORDS * 32)
            return fail(p, "\"%.40s\" in \"-S %.60s\" is no number of a system call (0 to %d)", name, all,
                        CALL_WORDS * 32 - 1);
    } else {
        number = p->list == AUDIT_FILTER_URING_EXIT ? uring_by_name(name)
                                                    : audit_call_number_by_name(name, machine);
        if (number < 0)
            return unknown_call(p, name, all);
    }
    if (number >= CALL_WORDS * 32)
        return fail(p, "system call %s has the number %d: the kernel's rules end at %d", name, number,
                    CALL_WORDS * 32 - 1);
    p->rule.data->mask[AUDIT_WORD(number)] |= AUDIT_BIT(number);
    return 0;
}

static int take_calls(struct parser *p, const char *text)
{
    char *copy, *rest, *name;
    int r = 0;

    if (p->list == NO_LIST && p->kind_set)
        return fail(p, "-S has no place in this line");
    if (p->rule.watch)
        return fail(p, "\"-S %.40s\" cannot narrow a watch (-w): write -a always,exit -F path=... -S ...",
                    text);
    if (p->list != NO_LIST && p->list != AUDIT_FILTER_EXIT && p->list != AUDIT_FILTER_URING_EXIT)
        return fail(p, "\"-S %.40s\" has no place in the list %s: it is not asked about system calls", text,
                    list_name(p->list));
    copy = rest = strdup(text);
    if (!copy)
        return err_set(p->err, -ENOMEM, "rule");
    if (strspn(text, ",") == strlen(text)) /* the kernel would take it for a rule of no system call at all */
        r = fail(p, "-S needs the name of a system call");
    while (r == 0 && (name = strsep(&rest, ",")))
        if (*name) /* auditctl overlooks doubled commas too */
            r = take_one_call(p, name, text);
    free(copy);
    if (r == 0)
        p->calls = true;
    return r;
}

/* ---- -F and -C ---- */

/* The operator in `text`, and where it is; longest first, so that >= is not >. */
static const char *find_operator(const char *text, enum field_operator *ret, size_t *ret_len)
{
    static const enum field_operator order[] = {
        OPERATOR_NOT_EQUAL,     OPERATOR_GREATER_EQUAL, OPERATOR_LESS_EQUAL, OPERATOR_TEST,
        OPERATOR_EQUAL,         OPERATOR_GREATER,       OPERATOR_LESS,       OPERATOR_MASK,
    };
    const char *first = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        const char *at = strstr(text, field_operators[order[i]].text);

        if (at && (!first || at < first)) {
            first = at;
            *ret = order[i];
            *ret_len = strlen(field_operators[order[i]].text);
        }
    }
    return first;
}

static int unknown_field(struct parser *p, const char *name, const char *text)
{
    struct guess guess;
    char hint[96];

    guess_begin(&guess, name);
    for (unsigned i = 0; field_by_index(i); i++)
        guess_offer(&guess, field_by_index(i)->name);
    return fail(p, "unknown field \"%.40s\" in \"-F %.60s\"%s", name, text,
                guess_text(&guess, hint, sizeof(hint)));
}

static int check_operator(struct parser *p, const struct field_row *row, enum field_operator op,
                          const char *text)
{
    char allowed[64] = "";
    size_t n = 0;

    if (row->operators & 1u << op)
        return 0;
    for (unsigned i = 0; i < OPERATOR_COUNT; i++)
        if (row->operators & 1u << i)
            n += (size_t)snprintf(allowed + n, sizeof(allowed) - n, "%s%s", n ? " " : "",
                                  field_operators[i].text);
    return fail(p, "%s cannot be compared by '%s' in \"-F %.60s\" (use %s)", row->name,
                field_operators[op].text, text, allowed);
}

static int check_list(struct parser *p, const struct field_row *row, const char *text)
{
    char allowed[96] = "";
    size_t n = 0;

    if (row->lists & 1u << p->list) {
        if (!(row->useful & 1u << p->list))
            warn(p, "%s is not known in the list %s: the rule never matches", row->name,
                 list_name(p->list));
        return 0;
    }
    for (uint32_t list = 0; list < 8; list++)
        if (row->lists & 1u << list && list_name(list))
            n += (size_t)snprintf(allowed + n, sizeof(allowed) - n, "%s%s", n ? ", " : "",
                                  list_name(list));
    return fail(p, "\"-F %.60s\" has no place in the list %s (%s: only in %s)", text, list_name(p->list),
                row->name, allowed);
}

/* A rule can name one file in one way only (audit_to_watch, audit_make_tree, audit_to_inode). */
static int check_single(struct parser *p, const struct field_row *row, const char *text)
{
    static const uint32_t places[] = { AUDIT_WATCH, AUDIT_DIR, AUDIT_INODE };

    if (row->kind == FIELD_EXE && rule_find(p->rule.data, AUDIT_EXE) >= 0)
        return fail(p, "a second exe in \"-F %.60s\": the kernel takes one, make it a rule of its own", text);
    if (row->field != AUDIT_WATCH && row->field != AUDIT_DIR && row->field != AUDIT_INODE)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (rule_find(p->rule.data, places[i]) >= 0)
            return fail(p, "\"-F %.60s\": the rule has a path, dir or inode already, the kernel takes one", text);
    return 0;
}

static int take_text(struct parser *p, const struct field_row *row, enum field_operator op, char *value,
                     const char *text)
{
    char option[32];
    int r;

    if (strlen(value) > PATH_MAX)
        return fail(p, "the value of %s is longer than %d bytes", row->name, PATH_MAX);
    if (row->kind == FIELD_PATH || row->kind == FIELD_DIRECTORY || row->kind == FIELD_EXE) {
        snprintf(option, sizeof(option), "-F %s=", row->name);
        r = check_path(p, option, value);
        if (r < 0)
            return r;
    }
    if (row->kind == FIELD_DIRECTORY || row->kind == FIELD_PATH)
        warn_of_missing(p, value, row->kind == FIELD_DIRECTORY);
    if (row->kind == FIELD_DIRECTORY)
        p->rule.directory = true;
    if (row->kind == FIELD_PATH && leads_to_directory(p, value))
        warn(p, "\"-F %.60s\" is a directory: path= tells of the directory itself, dir= of what is below",
             text);
    return add_field(p, row->field, field_operators[op].flag, 0, value);
}

static int take_field(struct parser *p, char *text)
{
    struct err why = ERR_INIT;
    const struct field_row *row;
    enum field_operator op = OPERATOR_EQUAL;
    size_t len = 0;
    const char *at = find_operator(text, &op, &len);
    char name[64], *value;
    uint32_t number;
    int r;

    if (!at)
        return fail(p, "no operator in \"-F %.60s\" (FIELD=VALUE)", text);
    if (at == text)
        return fail(p, "no field before '%.*s' in \"-F %.60s\"", (int)len, at, text);
    if (p->list == NO_LIST)
        return fail(p, "\"-F %.60s\" follows the list that it belongs to: put -a always,exit first", text);
    snprintf(name, sizeof(name), "%.*s", (int)MIN((size_t)(at - text), sizeof(name) - 1), text);
    value = text + (at - text) + len;
    row = field_by_name(name);
    if (!row)
        return unknown_field(p, name, text);
    if (!*value)
        return fail(p, "no value in \"-F %.60s\"", text);
    if (row->kind == FIELD_KEY && op == OPERATOR_EQUAL)
        return take_key(p, value, "-F key=");
    if (row->kind == FIELD_KEY)
        return fail(p, "key is a mark, not a condition: \"-F %.60s\" (use key=%.40s)", text, value);
    r = check_list(p, row, text);
    if (r == 0)
        r = check_operator(p, row, op, text);
    if (r == 0)
        r = check_single(p, row, text);
    if (r < 0)
        return r;
    p->any_field = true;
    p->exe |= row->kind == FIELD_EXE;
    p->fstype |= row->kind == FIELD_FSTYPE;
    p->perm |= row->kind == FIELD_PERM || row->kind == FIELD_PATH || row->kind == FIELD_DIRECTORY;
    if (field_has_text(row->field))
        return take_text(p, row, op, value, text);
    if (field_value(row, value, &number, &why) < 0)
        return fail(p, "%s in \"-F %.60s\"%s", err_text(&why, -EINVAL), text,
                    row->kind == FIELD_PERM ? " (use r, w, x, a)" : "");
    if (row->kind == FIELD_ARCH) {
        if (p->calls)
            return fail(p, "\"-F %.40s\" stands before -S: it decides what the names of system calls mean",
                        text);
        p->arch = number;
        if (audit_elf_to_machine(number) != audit_detect_machine() &&
            audit_elf_to_machine(number) != audit_determine_machine("b32"))
            warn(p, "%.40s is another machine's architecture: the rule never matches here", value);
    }
    return add_field(p, row->field, field_operators[op].flag, number, NULL);
}

static int take_comparison(struct parser *p, const char *text)
{
    const char *at = strstr(text, "!="), *right;
    bool not_equal = at != NULL;
    uint32_t comparison;
    char left[32], hint[96];

    if (!at)
        at = strchr(text, '=');
    if (!at || strpbrk(text, "<>&"))
        return fail(p, "\"-C %.60s\" compares by = or != (-C uid!=euid)", text);
    if (p->list != AUDIT_FILTER_EXIT && p->list != AUDIT_FILTER_URING_EXIT)
        return p->list == NO_LIST
                   ? fail(p, "\"-C %.60s\" follows the list that it belongs to: put -a always,exit first", text)
                   : fail(p, "\"-C %.60s\" has no place in the list %s (only in exit)", text, list_name(p->list));
    snprintf(left, sizeof(left), "%.*s", (int)MIN((size_t)(at - text), sizeof(left) - 1), text);
    right = at + (not_equal ? 2 : 1);
    comparison = comparison_by_names(left, right);
    for (int i = 0; !comparison && i < 2; i++) {
        const char *word = i ? right : left;
        struct guess guess;
        bool known = false;

        guess_begin(&guess, word);
        for (unsigned k = 0; comparison_word(k); k++) {
            known |= strcmp(word, comparison_word(k)) == 0;
            guess_offer(&guess, comparison_word(k));
        }
        if (!known)
            return fail(p, "\"%.40s\" in \"-C %.60s\" cannot be compared%s (auid, uid, euid, suid, fsuid, "
                           "obj_uid; gid, egid, sgid, fsgid, obj_gid)",
                        word, text, guess_text(&guess, hint, sizeof(hint)));
    }
    if (!comparison)
        return fail(p, "the kernel cannot compare %.20s with %.20s (users with users, groups with groups)",
                    left, right);
    p->any_field = true;
    return add_field(p, AUDIT_FIELD_COMPARE, not_equal ? AUDIT_NOT_EQUAL : AUDIT_EQUAL, comparison, NULL);
}

/* ---- settings ---- */

static int take_number(struct parser *p, enum rule_kind kind, const char *text, uint32_t max,
                       const char *what)
{
    char *end;
    unsigned long long v;
    int r = one_of_a_kind(p);

    if (r < 0)
        return r;
    errno = 0;
    v = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 0) : ULLONG_MAX;
    if (v == ULLONG_MAX || errno || *end || v > max)
        return fail(p, "\"%.40s\" in \"%s %.40s\": %s", text, p->option, text, what);
    p->rule.kind = kind;
    p->rule.value = (uint32_t)v;
    return 0;
}

static int take_setting(struct parser *p, enum rule_kind kind)
{
    int r = one_of_a_kind(p);

    p->rule.kind = kind;
    return r;
}

static int take_equivalent(struct parser *p, const char *text)
{
    const char *comma = strchr(text, ',');
    int r = one_of_a_kind(p);

    if (r < 0)
        return r;
    if (!comma || !comma[1] || strchr(comma + 1, ',') || text[0] != '/' || comma[1] != '/')
        return fail(p, "\"-q %.60s\" is not MOUNT,SUBTREE (two absolute paths)", text);
    p->rule.kind = RULE_EQUIVALENT;
    p->rule.text = strndup(text, (size_t)(comma - text));
    p->rule.text2 = strdup(comma + 1);
    return p->rule.text && p->rule.text2 ? 0 : err_set(p->err, -ENOMEM, "rule");
}

/* ---- options ---- */

enum option {
    O_APPEND, O_PREPEND, O_DELETE, O_DELETE_ALL, O_WATCH, O_UNWATCH, O_PERM, O_KEY, O_CALLS, O_FIELD,
    O_COMPARE, O_ENABLE, O_FAILURE, O_BACKLOG, O_RATE, O_IGNORE, O_CONTINUE, O_STATUS, O_TRIM,
    O_EQUIVALENT, O_LIST, O_WAIT_TIME, O_RESET_LOST, O_RESET_WAIT, O_LOGINUID, O_NOT_HERE,
};

static const struct {
    char letter;      /* 0: none */
    const char *name; /* without "--"; NULL: none */
    bool argument;
    enum option option;
} option_rows[] = {
    { 'a', NULL, true, O_APPEND },
    { 'A', NULL, true, O_PREPEND },
    { 'd', NULL, true, O_DELETE },
    { 'D', NULL, false, O_DELETE_ALL },
    { 'w', NULL, true, O_WATCH },
    { 'W', NULL, true, O_UNWATCH },
    { 'p', NULL, true, O_PERM },
    { 'k', NULL, true, O_KEY },
    { 'S', NULL, true, O_CALLS },
    { 'F', NULL, true, O_FIELD },
    { 'C', NULL, true, O_COMPARE },
    { 'e', NULL, true, O_ENABLE },
    { 'f', NULL, true, O_FAILURE },
    { 'b', NULL, true, O_BACKLOG },
    { 'r', NULL, true, O_RATE },
    { 'i', NULL, false, O_IGNORE },
    { 'c', NULL, false, O_CONTINUE },
    { 's', NULL, false, O_STATUS },
    { 't', NULL, false, O_TRIM },
    { 'q', NULL, true, O_EQUIVALENT },
    { 'l', NULL, false, O_LIST },
    { 0, "backlog_wait_time", true, O_WAIT_TIME },
    { 0, "reset-lost", false, O_RESET_LOST },
    { 0, "reset_backlog_wait_time_actual", false, O_RESET_WAIT },
    { 0, "loginuid-immutable", false, O_LOGINUID },
    /* of auditctl's command line, not of a rule file */
    { 'R', NULL, true, O_NOT_HERE },
    { 'm', NULL, true, O_NOT_HERE },
    { 'h', "help", false, O_NOT_HERE },
    { 'v', NULL, false, O_NOT_HERE },
    { 0, "signal", true, O_NOT_HERE },
};

static int apply(struct parser *p, enum option option, char *argument)
{
    switch (option) {
    case O_APPEND:
        return take_list(p, argument, false, false);
    case O_PREPEND:
        return take_list(p, argument, false, true);
    case O_DELETE:
        return take_list(p, argument, true, false);
    case O_DELETE_ALL:
        return take_setting(p, RULE_DELETE_ALL);
    case O_WATCH:
        return take_watch(p, argument, false);
    case O_UNWATCH:
        return take_watch(p, argument, true);
    case O_PERM:
        return take_permissions(p, argument);
    case O_KEY:
        return take_key(p, argument, "-k");
    case O_CALLS:
        return take_calls(p, argument);
    case O_FIELD:
        return take_field(p, argument);
    case O_COMPARE:
        return take_comparison(p, argument);
    case O_ENABLE:
        return take_number(p, RULE_ENABLE, argument, 2, "0 is off, 1 on, 2 locked until the next boot");
    case O_FAILURE:
        return take_number(p, RULE_FAILURE, argument, 2, "0 is silent, 1 a kernel message, 2 a panic");
    case O_BACKLOG:
        return take_number(p, RULE_BACKLOG, argument, UINT32_MAX, "a number of records, such as 8192");
    case O_RATE:
        return take_number(p, RULE_RATE, argument, UINT32_MAX, "records a second; 0 is no limit");
    case O_WAIT_TIME:
        return take_number(p, RULE_WAIT_TIME, argument, UINT32_MAX, "a number of kernel ticks");
    case O_RESET_LOST:
        return take_setting(p, RULE_RESET_LOST);
    case O_RESET_WAIT:
        return take_setting(p, RULE_RESET_WAIT);
    case O_LOGINUID:
        return take_setting(p, RULE_LOGINUID);
    case O_IGNORE:
        return p->kind_set && p->rule.kind == RULE_STATUS ? 0 : take_setting(p, RULE_IGNORE);
    case O_CONTINUE:
        return take_setting(p, RULE_CONTINUE);
    case O_STATUS:
        return take_setting(p, RULE_STATUS);
    case O_TRIM:
        return take_setting(p, RULE_TRIM);
    case O_EQUIVALENT:
        return take_equivalent(p, argument);
    case O_LIST:
        return take_setting(p, RULE_LIST);
    case O_NOT_HERE:
        break;
    }
    return fail(p, "%s belongs to auditctl's command line, not into a rule file", p->option);
}

static int unknown_option(struct parser *p, const char *word)
{
    struct guess guess;
    char hint[96], dashed[64];

    if (word[0] != '-')
        return fail(p, "\"%.60s\" belongs to no option%s", word,
                    word[0] == '#' ? "; a comment stands on a line of its own" : "");
    guess_begin(&guess, word);
    for (size_t i = 0; i < ARRAY_SIZE(option_rows) && word[1] == '-'; i++)
        if (option_rows[i].name) {
            snprintf(dashed, sizeof(dashed), "--%s", option_rows[i].name);
            guess_offer(&guess, dashed);
        }
    return fail(p, "unknown option \"%.60s\"%s (-w -W -a -A -d -D -F -C -S -p -k -e -f -b -r -i -c -q -t -s)",
                word, guess_text(&guess, hint, sizeof(hint)));
}

static int needs_argument(struct parser *p)
{
    return fail(p, "%s needs a value behind it", p->option);
}

/* -X, -Xvalue, -X value, and letters without values in a row (-ic). */
static int take_short(struct parser *p, char *word)
{
    for (char *c = word + 1; *c; c++) {
        char option[3] = { '-', *c, '\0' };
        size_t row = 0;
        int r;

        while (row < ARRAY_SIZE(option_rows) && option_rows[row].letter != *c)
            row++;
        p->option = option;
        if (row == ARRAY_SIZE(option_rows))
            return unknown_option(p, word);
        if (option_rows[row].argument && !c[1] && p->at == p->words.count)
            return needs_argument(p);
        if (option_rows[row].argument) {
            r = apply(p, option_rows[row].option, c[1] ? c + 1 : p->words.word[p->at++]);
            return r;
        }
        r = apply(p, option_rows[row].option, NULL);
        if (r < 0)
            return r;
    }
    return 0;
}

/* --name, --name value, --name=value; a unique beginning of the name will do, as in getopt. */
static int take_long(struct parser *p, char *word)
{
    char option[64], *equals = strchr(word, '='), *argument = equals ? equals + 1 : NULL;
    size_t n = equals ? (size_t)(equals - word - 2) : strlen(word + 2), found = SIZE_MAX;

    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++) {
        const char *name = option_rows[i].name;

        if (!name || n == 0 || strncmp(name, word + 2, n) != 0)
            continue;
        if (strlen(name) == n) {
            found = i;
            break;
        }
        if (found != SIZE_MAX)
            return unknown_option(p, word); /* could be either */
        found = i;
    }
    if (found == SIZE_MAX)
        return unknown_option(p, word);
    snprintf(option, sizeof(option), "--%s", option_rows[found].name);
    p->option = option;
    if (!option_rows[found].argument && argument)
        return fail(p, "%s takes no value", option);
    if (option_rows[found].argument && !argument && p->at == p->words.count)
        return needs_argument(p);
    if (option_rows[found].argument && !argument)
        argument = p->words.word[p->at++];
    return apply(p, option_rows[found].option, argument);
}

/* ---- a line ---- */

/* -S by name without an architecture: another call in 32-bit programs. */
static void warn_of_mismatch(struct parser *p)
{
    int other = audit_determine_machine("b32"), machine = audit_detect_machine();
    unsigned listed = 0;

    if (p->arch || p->rule.watch || p->list != AUDIT_FILTER_EXIT || !p->calls || p->deletes ||
        rule_all_calls(p->rule.data) || other < 0)
        return;
    for (unsigned i = 0; i < CALL_WORDS * 32 && !listed; i++) {
        const char *here, *there;

        if (!rule_has_call(p->rule.data, i))
            continue;
        here = audit_call_name_by_number((int)i, machine);
        there = audit_call_name_by_number((int)i, other);
        if (here && there && strcmp(here, there) != 0) {
            warn(p, "without -F arch=b64 the number of %s (%u) means %s in 32-bit programs: give an arch, and "
                    "a second rule for b32",
                 here, i, there);
            listed++;
        }
    }
}

static int finish_rule(struct parser *p)
{
    if (p->list == NO_LIST) {
        if (p->rule.kind == RULE_DELETE_ALL || p->rule.kind == RULE_LIST) {
            p->rule.text = p->keys[0] ? strdup(p->keys) : NULL;
            return p->keys[0] && !p->rule.text ? err_set(p->err, -ENOMEM, "rule") : 0;
        }
        if (p->calls)
            return fail(p, "-S without a list: put -a always,exit first");
        if (p->keys[0])
            return fail(p, "-k without a rule: it follows -w, or -S, -F path, dir, perm or exe");
        return p->kind_set ? 0 : fail(p, "no rule in this line");
    }
    if (!p->calls && p->list != AUDIT_FILTER_TASK)
        set_all_calls(p);
    if (!p->keys[0])
        return 0;
    if (!(p->calls || p->perm || p->exe || p->fstype))
        return fail(p, "a key needs something to mark: -S, or -F path, dir, perm, exe or fstype, in the same rule");
    return add_field(p, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, p->keys);
}

int rule_parse(struct bytes text, unsigned line, const struct rule_options *options,
               struct rule *ret, struct err *err)
{
    struct parser p = { .options = options, .line = line, .err = err, .list = NO_LIST, .option = "" };
    int r = words_split(text, &p.words, err);

    if (r < 0)
        return r;
    if (p.words.count == 0 || p.words.word[0][0] == '#') {
        words_done(&p.words);
        return 0;
    }
    p.rule.line = line;
    p.rule.len = sizeof(*p.rule.data);
    p.rule.data = calloc(1, p.rule.len);
    if (!p.rule.data)
        r = err_set(err, -ENOMEM, "rule");
    while (r == 0 && p.at < p.words.count) {
        char *word = p.words.word[p.at++];

        if (word[0] != '-' || !word[1])
            r = unknown_option(&p, word);
        else if (word[1] == '-')
            r = take_long(&p, word);
        else
            r = take_short(&p, word);
        p.option = "";
    }
    if (r == 0)
        r = finish_rule(&p);
    if (r == 0 && p.list != NO_LIST)
        warn_of_mismatch(&p);
    words_done(&p.words);
    if (r < 0) {
        rule_done(&p.rule);
        return r;
    }
    *ret = p.rule;
    return 1;
}

int rules_parse(struct bytes text, const struct rule_options *options,
                int (*each)(void *data, struct rule *rule),
                int (*bad)(void *data, unsigned line, const char *error), void *data)
{
    unsigned line = 0;
    int r = 0;

    while (text.len && r == 0) {
        const char *newline = memchr(text.data, '\n', text.len);
        size_t n = newline ? (size_t)(newline - text.data) : text.len;
        struct err err = ERR_INIT;
        struct rule rule;
        int k = rule_parse((struct bytes){ text.data, n }, ++line, options, &rule, &err);

        if (k == -ENOMEM)
            return k;
        if (k < 0)
            r = bad(data, line, err_text(&err, k));
        else if (k > 0)
            r = each(data, &rule);
        n += newline != NULL;
        text = (struct bytes){ text.data + n, text.len - n };
    }
    return r;
}

void rule_done(struct rule *rule)
{
    free(rule->text);
    free(rule->text2);
    free(rule->data);
    rule->text = rule->text2 = NULL;
    rule->data = NULL;
}
