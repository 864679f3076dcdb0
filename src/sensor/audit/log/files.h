/* SPDX-License-Identifier: MIT */
/*
 * Which files make up a log, oldest first. A log is named by its newest file (audit.log); what it
 * was rotated to is found beside it: audit.log.1, audit.log.1.gz, audit.log-20261124,
 * audit.log-20261124.xz, audit.log.2026-11-24 ... Each file is known by device and inode, so that
 * one that is rotated on between listing and reading is still read, once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "util/err.h"

struct audit_log_file {
    char *path;            /* "-": standard input */
    dev_t dev;             /* 0 of standard input */
    ino_t ino;
    uint64_t size;         /* bytes when it was listed; 0 where that means nothing (pipe) */
    uint64_t first_ms;     /* time of its first readable record, CLOCK_REALTIME; 0 = none found */
    struct timespec mtime; /* when it was listed */
    bool is_newest;        /* may still be written to: the one that the log is named by */
};

struct audit_log_files {
    struct audit_log_file *files; /* in the order to be read */
    size_t count;
};

void audit_log_files_done(struct audit_log_files *files); /* frees the list and its paths, not the struct */

enum audit_log_rotations {
    AUDIT_LOG_ROTATIONS_ALL,      /* every one that is there */
    AUDIT_LOG_ROTATIONS_AUSEARCH, /* as ausearch: plain .1, .2 ... up to the first that is missing */
};

/*
 * Append what one argument names: "-", a file (that file alone), a directory (its audit.log and
 * the rotations; without one, of its only "*.log"). -ENOENT, -EACCES, -EISDIR ...: err says why
 * and names the argument. Nothing is appended twice: a file that is listed already is passed over.
 */
int audit_log_files_add(struct audit_log_files *files, const char *argument,
                        enum audit_log_rotations rotations, struct err *err);

/* Append a log and its rotations: `path` is its newest file (auditd.conf's log_file). It may be
 * missing as long as a rotation is there. */
int audit_log_files_add_log(struct audit_log_files *files, const char *path,
                            enum audit_log_rotations rotations, struct err *err);

/* Order by the time of their first records; files without any keep their place behind the one
 * before them. Rotations of one log are in order already: this is for several arguments. */
void audit_log_files_sort(struct audit_log_files *files);

/* Open one for reading, wherever it has been rotated to since. -ENOENT: it is gone (err says so). */
int audit_log_file_open(const struct audit_log_file *file, int *ret_fd, struct err *err);
