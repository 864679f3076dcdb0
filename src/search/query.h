/* SPDX-License-Identifier: MIT */
/*
 * What is searched for: every criterion of ausearch (each an "and"; -m, -n and -k are an "or"
 * among themselves), and ours beyond it. Plain data; strings are owned by whoever made the query
 * (search_options_parse() takes them from argv).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/operation.h"
#include "util/bytes.h"

#define SEARCH_LIST_MAX 64 /* -m, -n, -k, -f, -o: more on one command line are refused */

enum search_format {
    SEARCH_RAW,
    SEARCH_DEFAULT,
    SEARCH_INTERPRET,
    SEARCH_CSV,
    SEARCH_TEXT,
    SEARCH_JSON, /* ECS, one change a line */
    SEARCH_OCSF, /* File System Activity, class 1001 */
};

enum search_escape { /* of --escape; the numbers are libauparse's */
    SEARCH_ESCAPE_RAW,
    SEARCH_ESCAPE_TTY,
    SEARCH_ESCAPE_SHELL,
    SEARCH_ESCAPE_SHELL_QUOTE,
};

struct search_query {
    /* numbers as ausearch keeps them: -1 (-2 where -1 can be asked for) means "any" */
    bool has_id, has_pid, has_ppid, has_exit, has_session;
    bool has_uid, has_euid, has_auid, has_gid, has_egid, has_syscall, has_machine;
    bool any_uid, any_gid; /* -ua, -ga: one of them is enough */
    uint64_t id;
    uint32_t pid, ppid, uid, euid, auid, gid, egid, session;
    const char *uid_name, *euid_name, *auid_name; /* given by name: compared as names */
    int syscall, machine;                         /* machine: libaudit's MACH_* */
    int64_t exit;
    int success; /* -1 any, 0 no, 1 yes */

    uint64_t start_s, end_s; /* seconds, 0 = open */
    bool start_is_checkpoint;
    uint64_t start_ms, end_ms; /* finer, of ISO times; 0 = open */

    const char *comm, *exe, *host, *terminal, *subject, *object, *uuid, *vm;
    bool any_context; /* -se: subject or object */
    bool word;        /* -w */
    const char *keys[SEARCH_LIST_MAX], *nodes[SEARCH_LIST_MAX], *files[SEARCH_LIST_MAX];
    unsigned key_count, node_count, file_count;
    int types[SEARCH_LIST_MAX];
    unsigned type_count;

    /* beyond ausearch */
    bool strict; /* --strict-ausearch: -f compares strings as ausearch does; bytes above ASCII stay as they are */
    uint64_t inodes[SEARCH_LIST_MAX];
    unsigned inode_count;
    uint64_t hints[24];      /* directories at or below -f, by inode: see learn.h */
    unsigned hint_count;
    bool no_needle;          /* there are more of them than can be looked for */
    uint64_t operations; /* bit per enum operation; 0 = any */
    const char *container;

    enum search_format format;
    enum search_escape escape;
    bool extra_keys, extra_labels, extra_obj2, extra_time;
    bool just_one, line_buffered, debug;
    uint64_t end_of_event_s; /* 0: what auditd.conf says */
};

/* The whole command line. */
struct search_options {
    struct search_query query;
    const char *inputs[SEARCH_LIST_MAX]; /* -if, or operands */
    unsigned input_count;
    bool input_logs;        /* --input-logs */
    const char *checkpoint; /* file */
    const char *store;      /* --store FILE */
    const char *control;    /* --control SOCKET */
    bool help, version;
};
