/* SPDX-License-Identifier: MIT */
/*
 * Audit logs as attributed events: history/ emits what the log says, here it is added what is known
 * of programs and containers. For `who --from` and `import`.
 */
#pragma once

#include "history/replay.h"
#include "util/sbuf.h"

struct logs_options {
    const struct audit_log_files *files;
    const struct log *log;
    const struct agents *agents; /* known products: outlive every event, whose processes point into them. NULL: none */
    bool own;               /* they are this machine's, wherever they lie */
    struct bytes path;      /* only this file and what is below; BYTES_NULL: everything */
    bool through_roots;
    uint64_t start_offset;  /* as history/replay.h has them */
    struct replay_position emit_from;
    bool live;
    void *data;
    /* Takes over the event; non-zero ends it and is returned. */
    int (*event)(void *data, struct event *event);
    int (*progress)(void *data, const struct replay_stats *stats, uint64_t offset); /* may be NULL */
};

/* -ENOMEM, or what `event` and `progress` returned; files that cannot be read are counted in *ret. */
int logs_read(const struct logs_options *options, struct replay_stats *ret, struct err *err);

/* The spans of time that the log covers: those in which auditd ran and auditing was on. At least one, if a record was read. */
int logs_each_span(const struct replay_stats *stats, int (*each)(void *data, uint64_t from_ns, uint64_t to_ns), void *data);
/* What is lost or was not watched between `since_ns` and `until_ns` (0 = open): records that the kernel dropped, auditing
 * switched off, auditd killed, what cannot be read. An orderly stop is a span that ends, no gap. */
int logs_each_gap(const struct replay_stats *stats, uint64_t since_ns, uint64_t until_ns,
                  int (*each)(void *data, const struct gap *gap), void *data);

/* -EINVAL, with the first file's name: something was read, and none of it was a record of audit's. An empty log is one. */
int logs_check(const struct audit_log_files *files, const struct replay_stats *stats, struct err *err);
/* One line of what the log cannot say, for the coverage: of what was read. */
void logs_not_seen(const struct replay_stats *stats, struct sbuf *out);
