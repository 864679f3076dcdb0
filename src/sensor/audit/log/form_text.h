/* SPDX-License-Identifier: MIT */
/* Records with something in front of them: syslog, the kernel's log, the journal. */
#pragma once

#include <stdint.h>

#include "sensor/audit/log/form_state.h"
#include "util/bytes.h"

/* As audit_form_line() (form.h): 0 or 1 records. */
unsigned audit_form_text(struct audit_form *form, struct bytes line, struct sbuf *out);
/* The same of a line that another form holds, with the host that it names (BYTES_NULL = none): one in the line's own prefix wins. */
unsigned audit_form_wrapped(struct audit_form *form, struct bytes line, struct bytes host, struct sbuf *out);
/* As auditd writes it: the kernel's own log has the same without "msg=". */
bool audit_form_is_raw(struct bytes line);
/* A line of a system's log: a time and a host come first. */
bool audit_form_has_prefix(const struct audit_form *form, struct bytes line);
/* The same of a message whose host and time are known otherwise. host: BYTES_NULL = none; time_ms: 0 = unknown. */
unsigned audit_form_message(struct audit_form *form, struct bytes message, struct bytes host, uint64_t time_ms, struct sbuf *out);
/* No blanks, quotes or control characters: it may stand in a record as it is. */
bool audit_form_is_word(struct bytes text);
/* "[node=HOST ]type=NAME msg=audit(T:S): " */
void audit_form_head(struct sbuf *out, struct bytes host, struct bytes type, uint64_t time_ms, uint64_t serial);
struct bytes audit_form_trim(struct bytes line);
