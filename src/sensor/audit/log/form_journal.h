/* SPDX-License-Identifier: MIT */
/* Entries of the journal in export format. */
#pragma once

#include "sensor/audit/log/form_state.h"
#include "util/bytes.h"

/*
 * May what the message says be a record? _TRANSPORT and _UID are the journal's own word (BYTES_NULL: the entry has none): what others
 * than the kernel, audit and root's programs (audispd) logged is their own.
 */
bool audit_form_is_trusted(struct bytes transport, struct bytes uid);
/* Does an entry begin with that line? The second one as audit_form_line() (form.h): nothing until the empty line that ends the entry. */
bool audit_form_is_export(struct bytes line);
unsigned audit_form_export(struct audit_form *form, struct bytes line, struct sbuf *out);
