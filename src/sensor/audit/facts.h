/* SPDX-License-Identifier: MIT */
/*
 * A group of records as one struct: what the kernel said of one system call, with every string
 * un-encoded. Pure. Nothing is interpreted here: what it means for which file is meaning.h's job.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/event.h"
#include "sensor/audit/call.h"
#include "sensor/audit/group.h"

#define AUDIT_PATHS_MAX 32 /* rename has at most 6, execve 3; an overlay adds up to 14 of its layers */

enum audit_nametype {
    AUDIT_NAME_UNKNOWN, /* looked up, nothing found */
    AUDIT_NAME_NORMAL,
    AUDIT_NAME_PARENT,
    AUDIT_NAME_DELETE,
    AUDIT_NAME_CREATE,
};

/* One PATH record. `file` holds inode, device, mode, owner, all as they were when the name was
 * looked up: before a chmod, after a creation. */
struct audit_path {
    enum audit_nametype type;
    struct bytes name; /* as the caller wrote it; BYTES_NULL = "(null)". Of a PARENT: often wrong, see meaning.h */
    struct file_state file;
    unsigned item; /* its place among the call's names, as the record says; of one that does not, that of the record before it */
    bool typed;    /* the record said its type; false: an older kernel's (before 3.8), or inferred since */
    /* An overlay's work in the layers behind it: recorded in the same event, without a name. */
    bool nested;
    bool name_is_last; /* in the record, and in digits: perhaps not all of them */
};

struct audit_facts {
    uint64_t time_ms, serial;
    bool complete;     /* the group's end was seen */
    bool damaged;      /* a field that matters could not be read */
    bool cut;          /* a record of it ends too early: what it would say further is not known */
    bool has_syscall;  /* a SYSCALL or URINGOP record is there */
    enum route route;
    uint32_t arch;
    int number;        /* of the system call, or the io_uring operation; -1 = unknown */
    enum audit_call call;
    bool success;
    int64_t exit;
    uint64_t args[4];
    unsigned args_known; /* bit i: args[i] */
    unsigned items;    /* PATH records that the kernel announced */
    bool items_known;  /* false: the record is cut before it says so */

    pid_t pid;         /* the process (tgid, since Linux 4.9); which thread made the call is not recorded */
    pid_t parent_pid;
    struct credentials cred;
    uint32_t login_uid, session;
    struct bytes tty, name, executable, key; /* name: comm. key: several are joined by 0x01 */
    struct bytes cwd;
    struct bytes args_text; /* proctitle: argv, each ended by NUL, cut to 128 bytes by the kernel */
    struct bytes argv;      /* EXECVE records: whole */
    struct bytes saddr;     /* struct sockaddr as the kernel has it */
    bool nameless;          /* PATH records that say what came or went have no name at all */
    bool openat2;           /* OPENAT2 record: the flags of openat2() */
    uint64_t openat2_flags, openat2_mode;
    bool config_change;     /* CONFIG_CHANGE record: rules were changed */
    struct bytes config_op; /* "remove_rule", "updated_rules" ... */
    struct bytes config_key;

    struct audit_path paths[AUDIT_PATHS_MAX];
    unsigned path_count;
};

/* Memory for what has to be un-encoded; grows as needed and is used again for the next group. */
struct audit_scratch {
    char *data;
    size_t size;
};
