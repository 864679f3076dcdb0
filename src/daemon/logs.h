/* SPDX-License-Identifier: MIT */
/*
 * Audit logs as attributed events: history/ tells what the log says, here it is added what is known
 * of programs and containers. For `who --from` and `import`.
 */
#pragma once

#include "history/replay.h"
#include "util/sbuf.h"

struct logs_options {
    const struct audit_log_files *files;
    const struct log *log;
    struct bytes path;      /* only this file and what is below; BYTES_NULL: everything */
    void *data;
    /* Takes over the event; non-zero ends it and is returned. */
    int (*event)(void *data, struct event *event);
    int (*progress)(void *data, const struct replay_stats *stats, uint64_t offset); /* may be NULL */
};

/* -ENOMEM, or what `event` and `progress` returned; files that cannot be read are counted in *ret. */
int logs_read(const struct logs_options *options, struct replay_stats *ret, struct err *err);

/* One line of what the log cannot tell, for the coverage: of what was read. */
void logs_not_seen(const struct replay_stats *stats, struct sbuf *out);
