/* SPDX-License-Identifier: MIT */
/* One line of a rule file while it is parsed: what parse.c, parse_place.c and parse_match.c share. One thread. */
#pragma once

#include "rules/rule.h"
#include "rules/words.h"

#define CALL_WORDS (AUDIT_BITMASK_SIZE - 1) /* the last word of the mask holds classes */
#define NO_LIST UINT32_MAX

/* Lives on the stack of rule_parse(), which owns the words and the rule. */
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

/* Functions that return int return 0, -EINVAL with the user's error in `err`, or -ENOMEM. */

/* Sets the error of this line. Always -EINVAL. */
_printf_(2, 3) int parser_fail(struct parser *p, const char *format, ...);
/* A warning of this line to the caller of rule_parse(), if it wants them. */
_printf_(2, 3) void parser_warn(struct parser *p, const char *format, ...);

/* Appends a condition to the kernel's struct; may move p->rule.data. text: NULL, or what is sent in place of `value`. */
int parser_add_field(struct parser *p, uint32_t field, uint32_t operator_flag, uint32_t value, const char *text);
void parser_set_all_calls(struct parser *p);
/* -EINVAL if the line has a rule or setting already: -w and -a, or two of a kind. */
int parser_one_of_a_kind(struct parser *p);

/* Paths and their permissions: parse_place.c. */

/* What the kernel and auditctl say of a path; slashes at its end are cut off. option: for the error's text. */
int parser_check_path(struct parser *p, const char *option, char *path);
bool parser_leads_to_directory(struct parser *p, const char *path);
/* The kernel follows a path's directory when the rule is loaded, and that of dir= whole (kernel/audit_watch.c,
 * audit_tree.c): a warning where it is missing. whole: the path itself has to be there, not only its directory. */
void parser_warn_of_missing(struct parser *p, const char *path, bool whole);
int parser_take_watch(struct parser *p, char *path, bool deletes);    /* -w, -W */
int parser_take_permissions(struct parser *p, const char *text);      /* -p */

/* What a rule matches, and its key: parse_match.c. */

int parser_take_key(struct parser *p, const char *text, const char *option); /* -k, -F key= */
int parser_take_calls(struct parser *p, const char *text);            /* -S */
int parser_take_field(struct parser *p, char *text);                  /* -F; the text is changed */
int parser_take_comparison(struct parser *p, const char *text);       /* -C */
