/* SPDX-License-Identifier: MIT */
/* What the files of the forms share. Not for others. */
#pragma once

#include "sensor/audit/log/form.h"

/* ---- form_text.c: something stands in front of the record ---- */

unsigned audit_form_text(struct audit_form *form, struct bytes line, struct sbuf *out);
/* As auditd writes it: the kernel's own log has the same without "msg=". */
bool audit_form_is_raw(struct bytes line);
/* A line of a system's log: a time and a host stand in front. */
bool audit_form_has_prefix(const struct audit_form *form, struct bytes line);
/* The same of a message whose host and time are known otherwise. host: BYTES_NULL = none; time_ms: 0 = unknown. */
unsigned audit_form_message(struct audit_form *form, struct bytes message, struct bytes host, uint64_t time_ms, struct sbuf *out);
/* "[node=HOST ]type=NAME msg=audit(T:S): " */
void audit_form_head(struct sbuf *out, struct bytes host, struct bytes type, uint64_t time_ms, uint64_t serial);
struct bytes audit_form_trim(struct bytes line);

/* ---- form_interpreted.c: ausearch -i ---- */

bool audit_form_is_interpreted(struct bytes line);
unsigned audit_form_interpreted(struct bytes line, struct sbuf *out);
/* A string as the kernel writes what others control: quoted or hexadecimal. */
void audit_form_untrusted(struct sbuf *out, struct bytes value);
/* argv, each ended by a space or NUL, as the kernel's hexadecimal proctitle. */
void audit_form_proctitle(struct sbuf *out, struct bytes args, char separator);
/* "unlink" on "x86_64" as the kernel's numbers; false: not known. */
bool audit_form_call(struct bytes arch, struct bytes name, uint32_t *ret_arch, int *ret_number);
/* "ENOENT(No such file or directory)" or "-2" */
bool audit_form_exit(struct bytes value, int64_t *ret);

/* ---- form_journal.c: entries in export format ---- */

bool audit_form_is_export(struct bytes line);
unsigned audit_form_export(struct audit_form *form, struct bytes line, struct sbuf *out);

/* ---- form_json.c ---- */

unsigned audit_form_json(struct audit_form *form, struct bytes line, struct sbuf *out);
