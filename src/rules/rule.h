/* SPDX-License-Identifier: MIT */
/*
 * auditctl's rule language: one line in, one rule out, and back. Nothing is asked of the kernel here.
 * The meaning follows auditctl(8) of audit 3.0 to 4.1 and what kernel/auditfilter.c accepts.
 */
#pragma once

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

enum rule_kind {
    RULE_ADD,         /* -a, -A, -w: `data` */
    RULE_DELETE,      /* -d, -W: `data` */
    RULE_DELETE_ALL,  /* -D; `text`: only those with this key, if known */
    RULE_ENABLE,      /* -e 0|1|2: `value` */
    RULE_FAILURE,     /* -f 0|1|2 */
    RULE_BACKLOG,     /* -b N */
    RULE_RATE,        /* -r N */
    RULE_WAIT_TIME,   /* --backlog_wait_time N */
    RULE_RESET_LOST,  /* --reset-lost */
    RULE_RESET_WAIT,  /* --reset_backlog_wait_time_actual */
    RULE_LOGINUID,    /* --loginuid-immutable */
    RULE_IGNORE,      /* -i: errors do not stop; the exit status is 0 */
    RULE_CONTINUE,    /* -c: errors do not stop; the exit status says so */
    RULE_STATUS,      /* -s */
    RULE_TRIM,        /* -t */
    RULE_EQUIVALENT,  /* -q mount,subtree: `text`, `text2` */
    RULE_LIST,        /* -l; `text`: a key, if known */
};

struct rule {
    enum rule_kind kind;
    unsigned line;      /* of its file, from 1; 0: the kernel's own */
    bool watch;         /* written as -w or -W */
    bool container;     /* -w CONTAINER:PATH: culprit's own, the kernel cannot have it */
    bool directory;     /* the path led to a directory when the rule was read */
    uint32_t value;
    char *text, *text2; /* owned */

    /* As the kernel takes it: flags holds the list and AUDIT_FILTER_PREPEND. Owned. */
    struct audit_rule_data *data;
    size_t len;
};

void rule_done(struct rule *rule); /* frees what the rule holds, not the struct; a second call does nothing */

struct rule_options {
    void *data;
    /* True if there is a directory at `path`: decides whether -w covers what is below. NULL: no. */
    bool (*is_directory)(void *data, const char *path);
    /* True if something is at `path`: the kernel refuses a rule whose directory is missing. NULL: not looked at. */
    bool (*exists)(void *data, const char *path);
    /* One line for people about a rule that is accepted. NULL: nobody listens. */
    void (*warn)(void *data, unsigned line, const char *text);
    bool containers; /* -w CONTAINER:PATH is welcome (watch --rules) */
};

/*
 * One line without its newline. Returns 1: a rule; 0: nothing (blank, comment).
 * -EINVAL: err names the word and says what to write instead. `line` only for messages.
 */
int rule_parse(struct bytes text, unsigned line, const struct rule_options *options,
               struct rule *ret, struct err *err);

/* Each line of a file. `each` takes over the rule; `bad` is called for each line that is none, and
 * decides by returning 0 to go on. Stops at the first non-zero, and returns it. */
int rules_parse(struct bytes text, const struct rule_options *options,
                int (*each)(void *data, struct rule *rule),
                int (*bad)(void *data, unsigned line, const char *error), void *data);

/* As auditctl -l prints it, without a newline. `names`: architecture and "unset" by name, as -l -i. */
void rule_print(const struct audit_rule_data *data, size_t len, bool names, struct sbuf *out);
/* Any rule, also those that are no rule of the kernel's ("-e 1"). */
void rule_print_any(const struct rule *rule, struct sbuf *out);

/* ---- looking into a rule ---- */

/* The text of field `i`; BYTES_NULL if it has none or the rule is damaged. */
struct bytes rule_text(const struct audit_rule_data *data, size_t len, unsigned i);
/* The first field of that number, -1 if there is none. */
int rule_find(const struct audit_rule_data *data, uint32_t field);
static inline uint32_t rule_list(const struct audit_rule_data *data)
{
    return data->flags & 0x07;
}
/* True if every system call is meant. */
bool rule_all_calls(const struct audit_rule_data *data);
bool rule_has_call(const struct audit_rule_data *data, unsigned number);
/* True if one of the rule's keys, which are separated by 0x01, is `key`. */
bool rule_has_key(const struct audit_rule_data *data, size_t len, struct bytes key);
/* True if auditctl -l would show it as -w. */
bool rule_is_watch(const struct audit_rule_data *data);

struct rule_set {
    const struct rule *rules;
    size_t count;
};
