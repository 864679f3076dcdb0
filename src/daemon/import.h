/* SPDX-License-Identifier: MIT */
/*
 * Audit logs into the store, once: what was imported before is not read again, whatever the log is called by now. Each
 * event has an id made from what the log says of it, so that one that is read twice all the same is stored once.
 */
#pragma once

#include "daemon/logs.h"
#include "store/query.h"

struct import_options {
    struct store *store; /* open for writing, patient */
    const struct audit_log_files *files;
    const struct log *log;
    void *data;
    /* After each block; non-zero stops it, and is returned. May be NULL. */
    int (*progress)(void *data, const struct replay_stats *stats);
};

struct import_result {
    struct replay_stats stats; /* of what was read now */
    uint64_t passed_files;     /* imported to their end before */
    uint64_t passed_bytes;     /* decoded, imported before of the file that was gone on with */
    bool nothing_new;
};

/* 0; what `progress` returned; -errno with err. All of it is on disk on return, also when it was stopped. */
int import_run(const struct import_options *options, struct import_result *ret, struct err *err);
