/* SPDX-License-Identifier: MIT */
/* Every bound in one place, each with its reason. Reaching one is counted or an error, never a silent cut. */
#pragma once

#define LIMIT_ERR 512                       /* one line for a person */
#define LIMIT_PATH (16 * 1024)              /* paths grow past PATH_MAX by relative steps; 128 levels of 127 bytes fit */
#define LIMIT_NAME 255                      /* NAME_MAX */
#define LIMIT_ARGS 4096                     /* command line kept for one process; the kernel allows 2 MiB */
#define LIMIT_LINEAGE 64                    /* ancestors kept of one actor; a deeper chain is cut, and the event says so */
#define LIMIT_API_BODY (64 * 1024 * 1024)   /* one answer of a container engine: 10,000 containers are about 20 MiB */
#define LIMIT_CONTAINERS 65536              /* containers remembered, gone ones included */
#define LIMIT_GONE 512                      /* of them: destroyed ones, for events that come late */
#define LIMIT_LABEL 512                     /* one label: longer ones are documents, not selectors */
#define LIMIT_LABELS 4096                   /* all labels of one container that can be selected by */
#define LIMIT_STATE_FILE (4 * 1024 * 1024)  /* state.json, config.json of one container: about 40 kB, with seccomp rules */
#define LIMIT_RUNTIME_DIRS 16384            /* state directories of runtimes watched: two inotify watches each at most */
#define LIMIT_PROCESSES 65536               /* living processes remembered; Linux allows 4 million, hosts have some thousand */
#define LIMIT_EXITED 4096                   /* exited processes that no living one descends from: about 1 kB each */
#define LIMIT_AUDIT_EVENT_RECORDS 1024      /* records of one audit event: execve with many arguments */
#define LIMIT_AUDIT_OPEN_EVENTS 1024        /* audit events whose records interleave: one a CPU, and those whose end was lost */
#define LIMIT_AUDIT_RECORD 8970             /* MAX_AUDIT_MESSAGE_LENGTH of libaudit, the kernel's own bound */
#define LIMIT_AUDIT_STARTUP (16 * 1024 * 1024) /* records kept while a container starts: about 10,000 changes */
#define LIMIT_HISTORY_NODES 1024 /* machines in one log; a processes table and directories each */
#define LIMIT_HISTORY_PROCESSES 8192          /* processes remembered while a log is read, those last heard of: about 1.2 kB each */
#define LIMIT_IMPORT_LOOKBACK (256u << 20)       /* of a log before the place where an import goes on: who launched whom */
#define LIMIT_RULES_FILE (16 * 1024 * 1024) /* a file of audit rules; the longest in use have some thousand lines */
#define LIMIT_CONFIG_FILE (1024 * 1024)     /* one file of the daemon's configuration: 10,000 watches are some 600 kB */
#define LIMIT_CONFIG_FILES 1024             /* files in one of its directories */
#define LIMIT_CONFIG_ITEMS 1024             /* values of one list */
#define LIMIT_CONFIG_TARGETS 4096           /* targets in all: each is looked up, and has marks and an index */
#define LIMIT_FANOTIFY_STARTUP (16 * 1024 * 1024) /* events kept while a container starts: about 100,000 */
#define LIMIT_CONTROL_CALL (64 * 1024)      /* one call to the daemon: a watch of some hundred targets */
#define LIMIT_CONTROL_REPLY (8 * 1024 * 1024) /* one of its replies: all 4,096 watches with long names */
#define LIMIT_CONTROL_CLIENTS 128           /* that are connected: 64 viewers, and some who ask */
#define LIMIT_CONTROL_ROOT 16               /* places among them that only root takes */
#define LIMIT_CONTROL_OUT (4 * 1024 * 1024) /* what waits for one viewer: some 10,000 events; then it has a gap */
#define LIMIT_CONTROL_OUT_ALL (32 * 1024 * 1024) /* for all of them: beyond it nobody has more than a sixty-fourth of that */
#define LIMIT_CASE_GROUPS 4096              /* actor x operation x victim groups of one case */
#define LIMIT_CASE_SAMPLES 64               /* paths kept by name in one group; the rest is counted */
#define LIMIT_LOG_WINDOW_LOG 26             /* 64 MiB of window: `zstd --long=26`, `xz -9`; more would let a file choose our size */
#define LIMIT_LOG_WINDOW (80 * 1024 * 1024) /* what liblzma may take in all: its window of at most 64 MiB and its tables */
#define LIMIT_LOG_NO_LINE (256ull << 20)     /* bytes without a newline: what goes on like that has no records, and may never end */
#define LIMIT_LOG_LINE (256 * 1024)         /* one line of a log: the kernel's longest record is 9 kB, auditd's names triple it */
#define LIMIT_SEARCH_PLACES 16384           /* directories known by identity while a log is searched: about 3 MB */
#define LIMIT_SEARCH_TEXT (12 * 1024 * 1024) /* text of events that match and wait for their turn, or for more records */
#define LIMIT_RECORD_PATHS 200000           /* paths of which `diff` follows the changes between two moments: some 500 bytes each, and their events */
#define LIMIT_RESTORE_ITEMS 1000000         /* paths that one `restore` puts back: some 700 bytes each */
