/* SPDX-License-Identifier: MIT */
/* What an audit log is replayed with, and what was found on the way. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/coverage.h"
#include "event/event.h"
#include "history/numbers.h"
#include "history/outages.h"
#include "sensor/audit/log/reader.h"
#include "util/err.h"
#include "util/log.h"

struct replay_position {
    size_t file;     /* index into the files */
    uint64_t offset; /* decoded bytes */
};

struct replay_stats {
    uint64_t lines, records_decoded, events, changes;
    uint64_t damaged;        /* lines that are no records, cut, or too long */
    uint64_t incomplete;     /* events of which records are missing */
    uint64_t lost_calls;     /* events that changed something, and whose system call's record is missing */
    uint64_t nameless;       /* changes without the name of the file: their path is the directory's, which ends in a slash */
    uint64_t foreign_calls;  /* events of an architecture whose system calls are not known here */
    struct missing missing;  /* serial numbers that it does not have */
    uint64_t unsure;         /* changes whose directory the log does not name: left out if a path was asked for */
    uint64_t first_ms, last_ms; /* of all records, CLOCK_REALTIME */
    bool enriched;           /* it holds names of users */
    struct outages outages;
    struct audit_log_stats log;
    unsigned left_open;      /* events whose records were still being written (options.live) */
    struct replay_position safe; /* a later reading that goes on here misses nothing */
};

struct replay_options {
    const struct audit_log_files *files;
    const struct log *log;
    const char *host;      /* of logs without node=: part of an event's id */
    bool local;            /* written on this machine: its users' names may be looked up here */
    /* Only changes of this file and below; BYTES_NULL: all. What cannot matter is not decoded. */
    struct bytes path;
    bool through_roots;    /* also below /proc/PID/root, of whichever process */
    uint64_t start_offset; /* of the first file, decoded bytes */
    /* What comes before was emitted by an earlier reading: it is read only to learn processes and directories. */
    struct replay_position emit_from;
    /* The last file may be written to right now: a line or an event of the last seconds that is not whole yet is left for the
     * next reading. */
    bool live;
    void *data;
    /* Takes over the event; non-zero ends the replay and is returned. Paths are the host's. */
    int (*event)(void *data, struct event *event);
    /* After each block of the pass that emits, and while a pipe is silent: for progress, and to stop (non-zero). May be NULL. */
    int (*progress)(void *data, const struct replay_stats *stats, uint64_t offset);
    void *progress_data;
};
