/* SPDX-License-Identifier: MIT */
/* A file of auditctl's rules, read as a whole: for `rules` and for watch --rules. */
#pragma once

#include "rules/rule.h"

struct rule_file {
    const char *name; /* for messages */
    struct rule *rules;
    size_t count;
    unsigned errors, warnings; /* printed to stderr already, each with its line */
};

/* path: "-" is standard input. 0, or an exit code after having said why: the file cannot be read. */
int rule_file_read(const char *path, bool containers, struct rule_file *ret);
/* Takes over the rule, also on failure (-ENOMEM). */
int rule_file_add(struct rule_file *file, struct rule *rule);
void rule_file_done(struct rule_file *file);
