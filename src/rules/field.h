/* SPDX-License-Identifier: MIT */
/* The fields of a rule: one row each, for parsing, checking and printing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/rule.h"

enum field_kind {
    FIELD_USER,     /* a name or a number; unset */
    FIELD_GROUP,
    FIELD_NUMBER,   /* not negative */
    FIELD_SIGNED,
    FIELD_ERRNO,    /* exit: a number or -NAME */
    FIELD_MSGTYPE,
    FIELD_LABEL,    /* SELinux: text */
    FIELD_PATH,     /* of a file */
    FIELD_DIRECTORY,
    FIELD_EXE,
    FIELD_KEY,
    FIELD_ARCH,
    FIELD_PERM,
    FIELD_FILETYPE,
    FIELD_FSTYPE,
    FIELD_SESSION,  /* a number; unset */
    FIELD_FAMILY,   /* of a socket address: a number */
    FIELD_SUCCESS,  /* 0 or 1 */
};

struct field_row {
    const char *name;
    uint32_t field;    /* AUDIT_UID ... of linux/audit.h */
    enum field_kind kind;
    unsigned operators; /* bits 1 << enum field_operator */
    unsigned lists;    /* bits 1 << AUDIT_FILTER_*: where it is accepted */
    unsigned useful;   /* where it can match */
    const char *meaning; /* of "NAME = VALUE": "the login user is" */
};

enum field_operator {
    OPERATOR_EQUAL,
    OPERATOR_NOT_EQUAL,
    OPERATOR_LESS,
    OPERATOR_LESS_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_MASK,  /* & */
    OPERATOR_TEST,  /* &= */
    OPERATOR_COUNT
};

struct operator_row {
    const char *text;
    uint32_t flag; /* AUDIT_EQUAL ... */
    const char *meaning;
};
extern const struct operator_row field_operators[OPERATOR_COUNT];
/* flag: AUDIT_EQUAL and the like; other bits are ignored. NULL: no operator has these. */
const struct operator_row *field_operator_by_flag(uint32_t flag);

const struct field_row *field_by_index(unsigned index); /* NULL past the end */
/* NULL: no such field. Is its value a text, and not a number? False for one that is not known. */
const struct field_row *field_by_name(const char *name);
const struct field_row *field_by_number(uint32_t field);
bool field_has_text(uint32_t field);

/* Lists: "exit" ... -1: no such list. NULL: none of that number. */
int list_by_name(const char *name);
const char *list_name(uint32_t list);

/* -C: the comparison of two fields, in either order. 0: cannot be compared. */
uint32_t comparison_by_names(const char *left, const char *right);
/* False: unknown number. */
bool comparison_names(uint32_t comparison, const char **left, const char **right);
/* Names that can be compared, for guesses; NULL past the end. */
const char *comparison_word(unsigned index);

/* io_uring operations by name and number; -1 and NULL: none. */
int uring_by_name(const char *name);
const char *uring_name(unsigned number);
