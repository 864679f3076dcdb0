/* SPDX-License-Identifier: MIT */
/*
 * Audit records in the forms that other programs give them, made into auditd's own: one record a line, beginning with
 * [node=HOST ]type=NAME msg=audit(SECONDS.MILLISECONDS:SERIAL): . Understood are
 *   - lines with something in front: indentation, a byte order mark, syslog's and the kernel's prefixes
 *     (audispd:, audit: type=1300 audit(...)), and carriage returns behind
 *   - ausearch's output, raw and interpreted (-i); its separators are no records
 *   - the journal: short lines (audit[200]: SYSCALL ...), export format, JSON
 *   - laurel's and auditbeat's JSON
 *   - lines in a member of JSON, as docker, filebeat, fluentd, vector and Elasticsearch keep them; a Kubernetes node's (CRI);
 *     what grep puts before a file's lines
 * What these forms do not hold (the serial number in short journal lines, the numbers of users in interpreted ones) stays
 * unknown: users are given by name, serial numbers are made up for each event. A host in a prefix becomes node=.
 * Pure, but for the time zone and the year of today where a form has neither.
 */
#pragma once

#include "sensor/audit/log/form_state.h"
#include "util/bytes.h"

/* Frees what it has collected. What an entry without its end held is lost: audit_form_end() comes before. */
void audit_form_done(struct audit_form *form);

/* True if the text (the beginning of a log, whole lines) has another form than auditd's. */
bool audit_form_is_foreign(struct bytes text, time_t now);

/*
 * One line, without its newline: what it holds is added to `out`, as none, one or several lines, each with its newline. A
 * line that names no record is dropped; one that seems to be a record and cannot be understood is passed on as it is,
 * so that whoever reads `out` counts it. Returns how many records were understood.
 */
unsigned audit_form_line(struct audit_form *form, struct bytes line, struct sbuf *out);
/* The end of the log: what was begun. */
unsigned audit_form_end(struct audit_form *form, struct sbuf *out);
