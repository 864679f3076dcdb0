/* SPDX-License-Identifier: MIT */
#include "rules/field.h"

#include <libaudit.h>
#include <linux/io_uring.h>
#include <string.h>

#include "util/macro.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif

/* ---- lists and operators ---- */

static const struct {
    const char *name;
    uint32_t list;
} lists[] = {
    { "exit", AUDIT_FILTER_EXIT },         { "task", AUDIT_FILTER_TASK },
    { "user", AUDIT_FILTER_USER },         { "exclude", AUDIT_FILTER_EXCLUDE },
    { "filesystem", AUDIT_FILTER_FS },     { "io_uring", AUDIT_FILTER_URING_EXIT },
};

int list_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (strcmp(lists[i].name, name) == 0)
            return (int)lists[i].list;
    return -1;
}

const char *list_name(uint32_t list)
{
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (lists[i].list == list)
            return lists[i].name;
    return NULL;
}

const struct operator_row field_operators[OPERATOR_COUNT] = {
    [OPERATOR_EQUAL] = { "=", AUDIT_EQUAL, "" },
    [OPERATOR_NOT_EQUAL] = { "!=", AUDIT_NOT_EQUAL, "not " },
    [OPERATOR_LESS] = { "<", AUDIT_LESS_THAN, "less than " },
    [OPERATOR_LESS_EQUAL] = { "<=", AUDIT_LESS_THAN_OR_EQUAL, "at most " },
    [OPERATOR_GREATER] = { ">", AUDIT_GREATER_THAN, "more than " },
    [OPERATOR_GREATER_EQUAL] = { ">=", AUDIT_GREATER_THAN_OR_EQUAL, "at least " },
    [OPERATOR_MASK] = { "&", AUDIT_BIT_MASK, "has one of the bits of " },
    [OPERATOR_TEST] = { "&=", AUDIT_BIT_TEST, "has all bits of " },
};

const struct operator_row *field_operator_by_flag(uint32_t flag)
{
    for (unsigned i = 0; i < OPERATOR_COUNT; i++)
        if (field_operators[i].flag == (flag & AUDIT_OPERATORS))
            return &field_operators[i];
    return NULL;
}

/* ---- fields ---- */

#define LIST(x) (1u << AUDIT_FILTER_##x)
#define URING (1u << AUDIT_FILTER_URING_EXIT)
#define ON_EXIT (LIST(EXIT) | URING)
#define ALL (ON_EXIT | LIST(TASK) | LIST(USER) | LIST(EXCLUDE))
#define WHO (ON_EXIT | LIST(TASK) | LIST(USER) | LIST(EXCLUDE)) /* known of every sender */
#define TASKS (ON_EXIT | LIST(TASK))

#define EQ (1u << OPERATOR_EQUAL)
#define EQ_NE (EQ | 1u << OPERATOR_NOT_EQUAL)
#define ORDER (EQ_NE | 1u << OPERATOR_LESS | 1u << OPERATOR_LESS_EQUAL | 1u << OPERATOR_GREATER | \
               1u << OPERATOR_GREATER_EQUAL)
#define BITS (ORDER | 1u << OPERATOR_MASK | 1u << OPERATOR_TEST)

/* Operators: audit_field_valid() of kernel/auditfilter.c. Lists: there and in auditctl(8). */
/* clang-format off */
static const struct field_row rows[] = {
    { "pid",          AUDIT_PID,          FIELD_NUMBER,    ORDER, ALL,     WHO,     "the process id is" },
    { "uid",          AUDIT_UID,          FIELD_USER,      ORDER, ALL,     WHO,     "the user is" },
    { "euid",         AUDIT_EUID,         FIELD_USER,      ORDER, ALL,     TASKS,   "the effective user is" },
    { "suid",         AUDIT_SUID,         FIELD_USER,      ORDER, ALL,     TASKS,   "the saved user is" },
    { "fsuid",        AUDIT_FSUID,        FIELD_USER,      ORDER, ALL,     TASKS,   "the filesystem user is" },
    { "gid",          AUDIT_GID,          FIELD_GROUP,     ORDER, ALL,     WHO,     "the group is" },
    { "egid",         AUDIT_EGID,         FIELD_GROUP,     ORDER, ALL,     TASKS,   "the effective group is" },
    { "sgid",         AUDIT_SGID,         FIELD_GROUP,     ORDER, ALL,     TASKS,   "the saved group is" },
    { "fsgid",        AUDIT_FSGID,        FIELD_GROUP,     ORDER, ALL,     TASKS,   "the filesystem group is" },
    { "auid",         AUDIT_LOGINUID,     FIELD_USER,      ORDER, ALL,     WHO,     "the login user is" },
    { "loginuid",     AUDIT_LOGINUID,     FIELD_USER,      ORDER, ALL,     WHO,     "the login user is" },
    { "pers",         AUDIT_PERS,         FIELD_NUMBER,    BITS,  ALL,     TASKS,   "the personality is" },
    { "arch",         AUDIT_ARCH,         FIELD_ARCH,      EQ_NE, ALL,     LIST(EXIT), "the program's architecture is" },
    { "msgtype",      AUDIT_MSGTYPE,      FIELD_MSGTYPE,   ORDER, LIST(EXCLUDE) | LIST(USER), LIST(EXCLUDE) | LIST(USER), "the record's type is" },
    { "subj_user",    AUDIT_SUBJ_USER,    FIELD_LABEL,     EQ_NE, ALL,     WHO,     "the process's SELinux user is" },
    { "subj_role",    AUDIT_SUBJ_ROLE,    FIELD_LABEL,     EQ_NE, ALL,     WHO,     "the process's SELinux role is" },
    { "subj_type",    AUDIT_SUBJ_TYPE,    FIELD_LABEL,     EQ_NE, ALL,     WHO,     "the process's SELinux type is" },
    { "subj_sen",     AUDIT_SUBJ_SEN,     FIELD_LABEL,     ORDER, ALL,     WHO,     "the process's SELinux sensitivity is" },
    { "subj_clr",     AUDIT_SUBJ_CLR,     FIELD_LABEL,     ORDER, ALL,     WHO,     "the process's SELinux clearance is" },
    { "ppid",         AUDIT_PPID,         FIELD_NUMBER,    ORDER, ON_EXIT, ON_EXIT, "the parent process is" },
    { "obj_user",     AUDIT_OBJ_USER,     FIELD_LABEL,     EQ_NE, ON_EXIT, ON_EXIT, "the file's SELinux user is" },
    { "obj_role",     AUDIT_OBJ_ROLE,     FIELD_LABEL,     EQ_NE, ON_EXIT, ON_EXIT, "the file's SELinux role is" },
    { "obj_type",     AUDIT_OBJ_TYPE,     FIELD_LABEL,     EQ_NE, ON_EXIT, ON_EXIT, "the file's SELinux type is" },
    { "obj_lev_low",  AUDIT_OBJ_LEV_LOW,  FIELD_LABEL,     ORDER, ON_EXIT, ON_EXIT, "the file's lowest SELinux level is" },
    { "obj_lev_high", AUDIT_OBJ_LEV_HIGH, FIELD_LABEL,     ORDER, ON_EXIT, ON_EXIT, "the file's highest SELinux level is" },
    { "sessionid",    AUDIT_SESSIONID,    FIELD_SESSION,   ORDER, ON_EXIT | LIST(USER) | LIST(EXCLUDE), ON_EXIT, "the login session is" },
    { "devmajor",     AUDIT_DEVMAJOR,     FIELD_NUMBER,    ORDER, ON_EXIT, ON_EXIT, "the file's device has the major number" },
    { "devminor",     AUDIT_DEVMINOR,     FIELD_NUMBER,    BITS,  ON_EXIT, ON_EXIT, "the file's device has the minor number" },
    { "inode",        AUDIT_INODE,        FIELD_NUMBER,    EQ_NE, ON_EXIT, ON_EXIT, "the file's inode is" },
    { "exit",         AUDIT_EXIT,         FIELD_ERRNO,     ORDER, ON_EXIT, ON_EXIT, "the call returned" },
    { "success",      AUDIT_SUCCESS,      FIELD_SUCCESS,   ORDER, ON_EXIT, ON_EXIT, "the call succeeded:" },
    { "path",         AUDIT_WATCH,        FIELD_PATH,      EQ,    ON_EXIT, ON_EXIT, "the file is" },
    { "dir",          AUDIT_DIR,          FIELD_DIRECTORY, EQ,    ON_EXIT, ON_EXIT, "the file is in or below" },
    { "perm",         AUDIT_PERM,         FIELD_PERM,      EQ,    LIST(EXIT), LIST(EXIT), "the kind of access is" },
    { "filetype",     AUDIT_FILETYPE,     FIELD_FILETYPE,  EQ_NE, LIST(EXIT), LIST(EXIT), "the file's type is" },
    { "fstype",       AUDIT_FSTYPE,       FIELD_FSTYPE,    EQ_NE, LIST(FS), LIST(FS), "the filesystem is" },
    { "obj_uid",      AUDIT_OBJ_UID,      FIELD_USER,      ORDER, ALL,     ON_EXIT, "the file's owner is" },
    { "obj_gid",      AUDIT_OBJ_GID,      FIELD_GROUP,     ORDER, ALL,     ON_EXIT, "the file's group is" },
    { "a0",           AUDIT_ARG0,         FIELD_SIGNED,    BITS,  ALL,     LIST(EXIT), "the first argument is" },
    { "a1",           AUDIT_ARG1,         FIELD_SIGNED,    BITS,  ALL,     LIST(EXIT), "the second argument is" },
    { "a2",           AUDIT_ARG2,         FIELD_SIGNED,    BITS,  ALL,     LIST(EXIT), "the third argument is" },
    { "a3",           AUDIT_ARG3,         FIELD_SIGNED,    BITS,  ALL,     LIST(EXIT), "the fourth argument is" },
    { "key",          AUDIT_FILTERKEY,    FIELD_KEY,       EQ_NE, ALL | LIST(FS), ALL | LIST(FS), "the key is" },
    { "exe",          AUDIT_EXE,          FIELD_EXE,       EQ_NE, ALL,     ALL,     "the program is" },
    { "saddr_fam",    AUDIT_SADDR_FAM,    FIELD_FAMILY,    ORDER, ALL,     ON_EXIT, "the socket address is of family" },
};
/* clang-format on */

const struct field_row *field_by_index(unsigned index)
{
    return index < ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

const struct field_row *field_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const struct field_row *field_by_number(uint32_t field)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].field == field)
            return &rows[i];
    return NULL;
}

bool field_has_text(uint32_t field)
{
    const struct field_row *row = field_by_number(field);

    return row && (row->kind == FIELD_LABEL || row->kind == FIELD_PATH ||
                   row->kind == FIELD_DIRECTORY || row->kind == FIELD_EXE || row->kind == FIELD_KEY);
}

/* ---- comparisons (-C) ---- */

/* clang-format off */
static const struct {
    uint32_t comparison;
    const char *left, *right;
} comparisons[] = {
    { AUDIT_COMPARE_UID_TO_OBJ_UID,   "uid",   "obj_uid" },
    { AUDIT_COMPARE_GID_TO_OBJ_GID,   "gid",   "obj_gid" },
    { AUDIT_COMPARE_EUID_TO_OBJ_UID,  "euid",  "obj_uid" },
    { AUDIT_COMPARE_EGID_TO_OBJ_GID,  "egid",  "obj_gid" },
    { AUDIT_COMPARE_AUID_TO_OBJ_UID,  "auid",  "obj_uid" },
    { AUDIT_COMPARE_SUID_TO_OBJ_UID,  "suid",  "obj_uid" },
    { AUDIT_COMPARE_SGID_TO_OBJ_GID,  "sgid",  "obj_gid" },
    { AUDIT_COMPARE_FSUID_TO_OBJ_UID, "fsuid", "obj_uid" },
    { AUDIT_COMPARE_FSGID_TO_OBJ_GID, "fsgid", "obj_gid" },
    { AUDIT_COMPARE_UID_TO_AUID,      "uid",   "auid" },
    { AUDIT_COMPARE_UID_TO_EUID,      "uid",   "euid" },
    { AUDIT_COMPARE_UID_TO_FSUID,     "uid",   "fsuid" },
    { AUDIT_COMPARE_UID_TO_SUID,      "uid",   "suid" },
    { AUDIT_COMPARE_AUID_TO_FSUID,    "auid",  "fsuid" },
    { AUDIT_COMPARE_AUID_TO_SUID,     "auid",  "suid" },
    { AUDIT_COMPARE_AUID_TO_EUID,     "auid",  "euid" },
    { AUDIT_COMPARE_EUID_TO_SUID,     "euid",  "suid" },
    { AUDIT_COMPARE_EUID_TO_FSUID,    "euid",  "fsuid" },
    { AUDIT_COMPARE_SUID_TO_FSUID,    "suid",  "fsuid" },
    { AUDIT_COMPARE_GID_TO_EGID,      "gid",   "egid" },
    { AUDIT_COMPARE_GID_TO_FSGID,     "gid",   "fsgid" },
    { AUDIT_COMPARE_GID_TO_SGID,      "gid",   "sgid" },
    { AUDIT_COMPARE_EGID_TO_FSGID,    "egid",  "fsgid" },
    { AUDIT_COMPARE_EGID_TO_SGID,     "egid",  "sgid" },
    { AUDIT_COMPARE_SGID_TO_FSGID,    "sgid",  "fsgid" },
};
/* clang-format on */

static const char *const comparison_words[] = {
    "uid", "euid", "suid", "fsuid", "auid", "obj_uid", "gid", "egid", "sgid", "fsgid", "obj_gid",
};

uint32_t comparison_by_names(const char *left, const char *right)
{
    for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
        if ((strcmp(comparisons[i].left, left) == 0 && strcmp(comparisons[i].right, right) == 0) ||
            (strcmp(comparisons[i].left, right) == 0 && strcmp(comparisons[i].right, left) == 0))
            return comparisons[i].comparison;
    return 0;
}

bool comparison_names(uint32_t comparison, const char **left, const char **right)
{
    for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
        if (comparisons[i].comparison == comparison) {
            *left = comparisons[i].left;
            *right = comparisons[i].right;
            return true;
        }
    return false;
}

const char *comparison_word(unsigned index)
{
    return index < ARRAY_SIZE(comparison_words) ? comparison_words[index] : NULL;
}

/* ---- io_uring ---- */

/* Names as auditctl 3.1 has them. An older libaudit does not have them, so they are here; the numbers are
 * stable. Those that the kernel marks as not auditable (read, write, poll ...) never match. */
static const struct {
    const char *name;
    unsigned number;
} uring_operations[] = {
    { "sendmsg", IORING_OP_SENDMSG },   { "recvmsg", IORING_OP_RECVMSG },
    { "accept", IORING_OP_ACCEPT },     { "connect", IORING_OP_CONNECT },
    { "fallocate", IORING_OP_FALLOCATE }, { "openat", IORING_OP_OPENAT },
    { "close", IORING_OP_CLOSE },       { "openat2", IORING_OP_OPENAT2 },
    { "shutdown", IORING_OP_SHUTDOWN }, { "renameat", IORING_OP_RENAMEAT },
    { "unlinkat", IORING_OP_UNLINKAT }, { "mkdirat", IORING_OP_MKDIRAT },
    { "symlinkat", IORING_OP_SYMLINKAT }, { "linkat", IORING_OP_LINKAT },
    { "msg_ring", IORING_OP_MSG_RING }, { "fsetxattr", IORING_OP_FSETXATTR },
    { "setxattr", IORING_OP_SETXATTR }, { "fgetxattr", IORING_OP_FGETXATTR },
    { "getxattr", IORING_OP_GETXATTR }, { "uring_cmd", IORING_OP_URING_CMD },
    /* newer than the headers this is built with: linux/io_uring.h of 6.1 to 6.18 */
    { "sendmsg_zc", 48 }, { "waitid", 50 }, { "futex_wait", 51 }, { "futex_wake", 52 },
    { "futex_waitv", 53 }, { "fixed_fd_install", 54 }, { "ftruncate", 55 }, { "bind", 56 },
    { "listen", 57 },
};

int uring_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(uring_operations); i++)
        if (strcmp(uring_operations[i].name, name) == 0)
            return (int)uring_operations[i].number;
    return -1;
}

const char *uring_name(unsigned number)
{
    for (size_t i = 0; i < ARRAY_SIZE(uring_operations); i++)
        if (uring_operations[i].number == number)
            return uring_operations[i].name;
    return NULL;
}
