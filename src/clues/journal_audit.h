/* SPDX-License-Identifier: MIT */
/*
 * Records of audit that only the journal keeps, where journald listens and no auditd runs: as the lines of an audit log, for what reads
 * those.
 */
#pragma once

#include "foreign/job.h"
#include "util/sbuf.h"

/* Of a question its times count. The answer: journal_audit_take(). -ENOENT: there is no journal; -EOPNOTSUPP: built without it */
extern const struct foreign_job journal_audit_job;

/* The answer's text, a view: lines in order of time. from_ns: of older ones there are more, and they are not in it; 0: that is all. -EBADMSG */
int journal_audit_take(struct bytes answer, uint64_t *ret_from_ns, struct bytes *ret_text);

/* One record. type: of _AUDIT_TYPE; message: as journald has it, "SYSCALL arch=..."; name: of _AUDIT_TYPE_NAME. False: it is none. Pure. */
bool journal_audit_line(struct sbuf *out, struct bytes type, struct bytes name, struct bytes serial, uint64_t time_us, struct bytes message);
