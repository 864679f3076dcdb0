/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <libaudit.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/syscall_name.h"
#include "rules/field.h"
#include "rules/parser.h"
#include "util/macro.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif

/* ---- lists ---- */

static int bad_list(struct parser *p, const char *text)
{
    static const char *const words[] = { "always", "never",      "exit",    "task",
                                         "user",   "filesystem", "exclude", "io_uring" };
    char copy[64], hint[96];
    const char *comma = strchr(text, ',');

    if (!comma || strchr(comma + 1, ','))
        return parser_fail(p, "\"%s %.60s\" is not LIST,ACTION (always,exit)", p->option, text);
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
            return parser_fail(p, "the list \"entry\" is gone since Linux 2.6.38: use exit in \"%s %.60s\"",
                               p->option, text);
        if (strcmp(copy, "possible") == 0)
            return parser_fail(p, "the action \"possible\" is gone: use always or never in \"%s %.60s\"",
                               p->option, text);
        if (!known)
            return parser_fail(p, "unknown word \"%s\" in \"%s %.60s\"%s (always or never, and exit, task, user, "
                                  "exclude, filesystem or io_uring)",
                               copy, p->option, text, guess_text(&guess, hint, sizeof(hint)));
    }
    return parser_fail(p, "\"%s %.60s\" needs one list and one action (always,exit)", p->option, text);
}

static int take_list(struct parser *p, const char *text, bool deletes, bool prepend)
{
    const char *comma = strchr(text, ',');
    char first[32];
    int list, r = parser_one_of_a_kind(p);

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
    if (p->calls && list == AUDIT_FILTER_URING_EXIT) /* whose operations have numbers of their own */
        return parser_fail(p, "-S before the list io_uring: put \"%s %.60s\" first", p->option, text);
    if (p->calls && list != AUDIT_FILTER_EXIT)
        return parser_fail(p, "-S has no place in the list %s: it is not asked about system calls", list_name((uint32_t)list));
    p->list = (uint32_t)list;
    p->deletes = deletes;
    p->rule.kind = deletes ? RULE_DELETE : RULE_ADD;
    p->rule.data->flags = p->list | (prepend ? AUDIT_FILTER_PREPEND : 0);
    return 0;
}

/* ---- settings ---- */

static int take_number(struct parser *p, enum rule_kind kind, const char *text, uint32_t max,
                       const char *what)
{
    char *end;
    unsigned long long v;
    int r = parser_one_of_a_kind(p);

    if (r < 0)
        return r;
    errno = 0;
    v = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 0) : ULLONG_MAX;
    if (v == ULLONG_MAX || errno || *end || v > max)
        return parser_fail(p, "\"%.40s\" in \"%s %.40s\": %s", text, p->option, text, what);
    p->rule.kind = kind;
    p->rule.value = (uint32_t)v;
    return 0;
}

static int take_setting(struct parser *p, enum rule_kind kind)
{
    int r = parser_one_of_a_kind(p);

    p->rule.kind = kind;
    return r;
}

static int take_equivalent(struct parser *p, const char *text)
{
    const char *comma = strchr(text, ',');
    int r = parser_one_of_a_kind(p);

    if (r < 0)
        return r;
    if (!comma || !comma[1] || strchr(comma + 1, ',') || text[0] != '/' || comma[1] != '/')
        return parser_fail(p, "\"-q %.60s\" is not MOUNT,SUBTREE (two absolute paths)", text);
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
        return parser_take_watch(p, argument, false);
    case O_UNWATCH:
        return parser_take_watch(p, argument, true);
    case O_PERM:
        return parser_take_permissions(p, argument);
    case O_KEY:
        return parser_take_key(p, argument, "-k");
    case O_CALLS:
        return parser_take_calls(p, argument);
    case O_FIELD:
        return parser_take_field(p, argument);
    case O_COMPARE:
        return parser_take_comparison(p, argument);
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
    return parser_fail(p, "%s belongs to auditctl's command line, not into a rule file", p->option);
}

static int unknown_option(struct parser *p, const char *word)
{
    struct guess guess;
    char hint[96], dashed[64];

    if (word[0] != '-')
        return parser_fail(p, "\"%.60s\" belongs to no option%s", word,
                           word[0] == '#' ? "; a comment stands on a line of its own" : "");
    guess_begin(&guess, word);
    for (size_t i = 0; i < ARRAY_SIZE(option_rows) && word[1] == '-'; i++)
        if (option_rows[i].name) {
            snprintf(dashed, sizeof(dashed), "--%s", option_rows[i].name);
            guess_offer(&guess, dashed);
        }
    return parser_fail(p, "unknown option \"%.60s\"%s (-w -W -a -A -d -D -F -C -S -p -k -e -f -b -r -i -c -q -t -s)",
                       word, guess_text(&guess, hint, sizeof(hint)));
}

static int needs_argument(struct parser *p)
{
    return parser_fail(p, "%s needs a value behind it", p->option);
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
        return parser_fail(p, "%s takes no value", option);
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
            parser_warn(p, "without -F arch=b64 the number of %s (%u) means %s in 32-bit programs: give an arch, and "
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
            return parser_fail(p, "-S without a list: put -a always,exit first");
        if (p->keys[0])
            return parser_fail(p, "-k without a rule: it follows -w, or -S, -F path, dir, perm or exe");
        return p->kind_set ? 0 : parser_fail(p, "no rule in this line");
    }
    if (!p->calls && p->list != AUDIT_FILTER_TASK)
        parser_set_all_calls(p);
    if (!p->keys[0])
        return 0;
    if (!(p->calls || p->perm || p->exe || p->fstype))
        return parser_fail(p, "a key needs something to mark: -S, or -F path, dir, perm, exe or fstype, in the same rule");
    return parser_add_field(p, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, p->keys);
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
