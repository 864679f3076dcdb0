/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <libaudit.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/syscall_name.h"
#include "rules/field_value.h"
#include "rules/parser.h"
#include "util/macro.h"

/* ---- keys ---- */

int parser_take_key(struct parser *p, const char *text, const char *option)
{
    size_t n = strlen(p->keys);

    if (!*text)
        return parser_fail(p, "%s needs a word", option);
    if (strchr(text, 1))
        return parser_fail(p, "the byte 0x01 in a key separates keys: give each its own -k");
    if (n + (n > 0) + strlen(text) > AUDIT_MAX_KEY_LEN)
        return parser_fail(p, "the keys of one rule are longer than %d bytes together: \"%s %.40s...\"",
                           AUDIT_MAX_KEY_LEN, option, text);
    if (strpbrk(text, "\"'"))
        parser_warn(p, "quotes are no quotes in a rule file: they become part of the key %.40s", text);
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
        return parser_fail(p, "\"%.40s\" in \"-S %.60s\" is a system call of 32-bit programs only: put it into a rule with -F arch=b32",
                           name, all);
    guess_begin(&guess, name);
    for (unsigned i = 0; i < CALL_WORDS * 32; i++)
        guess_offer(&guess, uring ? uring_name(i) : audit_call_name_by_number((int)i, machine));
    return parser_fail(p, "unknown %s \"%.40s\" in \"-S %.60s\"%s",
                       uring ? "io_uring operation" : "system call", name, all,
                       guess_text(&guess, hint, sizeof(hint)));
}

static int take_one_call(struct parser *p, const char *name, const char *all)
{
    int machine = machine_of(p), number;
    char *end;

    if (strcmp(name, "all") == 0) {
        parser_set_all_calls(p);
        return 0;
    }
    if (isdigit((unsigned char)name[0])) {
        errno = 0;
        number = (int)MIN(strtoul(name, &end, 0), INT_MAX);
        if (errno || *end || number >= CALL_WORDS * 32)
            return parser_fail(p, "\"%.40s\" in \"-S %.60s\" is no number of a system call (0 to %d)", name, all,
                               CALL_WORDS * 32 - 1);
    } else {
        number = p->list == AUDIT_FILTER_URING_EXIT ? uring_by_name(name)
                                                    : audit_call_number_by_name(name, machine);
        if (number < 0)
            return unknown_call(p, name, all);
    }
    if (number >= CALL_WORDS * 32)
        return parser_fail(p, "system call %s has the number %d: the kernel's rules end at %d", name, number,
                           CALL_WORDS * 32 - 1);
    p->rule.data->mask[AUDIT_WORD(number)] |= AUDIT_BIT(number);
    return 0;
}

int parser_take_calls(struct parser *p, const char *text)
{
    char *copy, *rest, *name;
    int r = 0;

    if (p->list == NO_LIST && p->kind_set)
        return parser_fail(p, "-S has no place in this line");
    if (p->rule.watch)
        return parser_fail(p, "\"-S %.40s\" cannot narrow a watch (-w): write -a always,exit -F path=... -S ...",
                           text);
    if (p->list != NO_LIST && p->list != AUDIT_FILTER_EXIT && p->list != AUDIT_FILTER_URING_EXIT)
        return parser_fail(p, "\"-S %.40s\" has no place in the list %s: it is not asked about system calls", text,
                           list_name(p->list));
    copy = rest = strdup(text);
    if (!copy)
        return err_set(p->err, -ENOMEM, "rule");
    if (strspn(text, ",") == strlen(text)) /* the kernel would take it for a rule of no system call at all */
        r = parser_fail(p, "-S needs the name of a system call");
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
    return parser_fail(p, "unknown field \"%.40s\" in \"-F %.60s\"%s", name, text,
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
    return parser_fail(p, "%s cannot be compared by '%s' in \"-F %.60s\" (use %s)", row->name,
                       field_operators[op].text, text, allowed);
}

static int check_list(struct parser *p, const struct field_row *row, const char *text)
{
    char allowed[96] = "";
    size_t n = 0;

    if (row->lists & 1u << p->list) {
        if (!(row->useful & 1u << p->list))
            parser_warn(p, "%s is not known in the list %s: the rule never matches", row->name,
                        list_name(p->list));
        return 0;
    }
    for (uint32_t list = 0; list < 8; list++)
        if (row->lists & 1u << list && list_name(list))
            n += (size_t)snprintf(allowed + n, sizeof(allowed) - n, "%s%s", n ? ", " : "",
                                  list_name(list));
    return parser_fail(p, "\"-F %.60s\" has no place in the list %s (%s: only in %s)", text, list_name(p->list),
                       row->name, allowed);
}

/* A rule can name one file in one way only (audit_to_watch, audit_make_tree, audit_to_inode). */
static int check_single(struct parser *p, const struct field_row *row, const char *text)
{
    static const uint32_t places[] = { AUDIT_WATCH, AUDIT_DIR, AUDIT_INODE };

    if (row->kind == FIELD_EXE && rule_find(p->rule.data, AUDIT_EXE) >= 0)
        return parser_fail(p, "a second exe in \"-F %.60s\": the kernel takes one, make it a rule of its own", text);
    if (row->field != AUDIT_WATCH && row->field != AUDIT_DIR && row->field != AUDIT_INODE)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (rule_find(p->rule.data, places[i]) >= 0)
            return parser_fail(p, "\"-F %.60s\": the rule has a path, dir or inode already, the kernel takes one", text);
    return 0;
}

static int take_text(struct parser *p, const struct field_row *row, enum field_operator op, char *value,
                     const char *text)
{
    char option[32];
    int r;

    if (strlen(value) > PATH_MAX)
        return parser_fail(p, "the value of %s is longer than %d bytes", row->name, PATH_MAX);
    if (row->kind == FIELD_PATH || row->kind == FIELD_DIRECTORY || row->kind == FIELD_EXE) {
        snprintf(option, sizeof(option), "-F %s=", row->name);
        r = parser_check_path(p, option, value);
        if (r < 0)
            return r;
    }
    if (row->kind == FIELD_DIRECTORY || row->kind == FIELD_PATH || row->kind == FIELD_EXE)
        parser_warn_of_missing(p, value, row->kind == FIELD_DIRECTORY);
    if (row->kind == FIELD_DIRECTORY)
        p->rule.directory = true;
    if (row->kind == FIELD_PATH && parser_leads_to_directory(p, value))
        parser_warn(p, "\"-F %.60s\" is a directory: path= reports the directory itself, dir= what is below",
                    text);
    return parser_add_field(p, row->field, field_operators[op].flag, 0, value);
}

int parser_take_field(struct parser *p, char *text)
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
        return parser_fail(p, "no operator in \"-F %.60s\" (FIELD=VALUE)", text);
    if (at == text)
        return parser_fail(p, "no field before '%.*s' in \"-F %.60s\"", (int)len, at, text);
    if (p->list == NO_LIST)
        return parser_fail(p, "\"-F %.60s\" follows the list that it belongs to: put -a always,exit first", text);
    snprintf(name, sizeof(name), "%.*s", (int)MIN((size_t)(at - text), sizeof(name) - 1), text);
    value = text + (at - text) + len;
    row = field_by_name(name);
    if (!row)
        return unknown_field(p, name, text);
    if (!*value)
        return parser_fail(p, "no value in \"-F %.60s\"", text);
    if (row->kind == FIELD_KEY && op == OPERATOR_EQUAL)
        return parser_take_key(p, value, "-F key=");
    if (row->kind == FIELD_KEY)
        return parser_fail(p, "key is a mark, not a condition: \"-F %.60s\" (use key=%.40s)", text, value);
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
        return parser_fail(p, "%s in \"-F %.60s\"%s", err_text(&why, -EINVAL), text,
                           row->kind == FIELD_PERM ? " (use r, w, x, a)" : "");
    if (row->kind == FIELD_ARCH) {
        if (p->calls)
            return parser_fail(p, "\"-F %.40s\" stands before -S: it decides what the names of system calls mean",
                               text);
        p->arch = number;
        if (audit_elf_to_machine(number) != audit_detect_machine() &&
            audit_elf_to_machine(number) != audit_determine_machine("b32"))
            parser_warn(p, "%.40s is another machine's architecture: the rule never matches here", value);
    }
    return parser_add_field(p, row->field, field_operators[op].flag, number, NULL);
}

int parser_take_comparison(struct parser *p, const char *text)
{
    const char *at = strstr(text, "!="), *right;
    bool not_equal = at != NULL;
    uint32_t comparison;
    char left[32], hint[96];

    if (!at)
        at = strchr(text, '=');
    if (!at || strpbrk(text, "<>&"))
        return parser_fail(p, "\"-C %.60s\" compares by = or != (-C uid!=euid)", text);
    if (p->list != AUDIT_FILTER_EXIT && p->list != AUDIT_FILTER_URING_EXIT)
        return p->list == NO_LIST
                   ? parser_fail(p, "\"-C %.60s\" follows the list that it belongs to: put -a always,exit first", text)
                   : parser_fail(p, "\"-C %.60s\" has no place in the list %s (only in exit)", text, list_name(p->list));
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
            return parser_fail(p, "\"%.40s\" in \"-C %.60s\" cannot be compared%s (auid, uid, euid, suid, fsuid, "
                                  "obj_uid; gid, egid, sgid, fsgid, obj_gid)",
                               word, text, guess_text(&guess, hint, sizeof(hint)));
    }
    if (!comparison)
        return parser_fail(p, "the kernel cannot compare %.20s with %.20s (users with users, groups with groups)",
                           left, right);
    p->any_field = true;
    return parser_add_field(p, AUDIT_FIELD_COMPARE, not_equal ? AUDIT_NOT_EQUAL : AUDIT_EQUAL, comparison, NULL);
}
