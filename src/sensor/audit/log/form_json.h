/* SPDX-License-Identifier: MIT */
/* JSON: the journal's, laurel's, auditbeat's. */
#pragma once

#include "sensor/audit/log/form_state.h"
#include "util/bytes.h"

/* As audit_form_line() (form.h): one object a line; 0: it is none of these, or holds no record. */
unsigned audit_form_json(struct audit_form *form, struct bytes line, struct sbuf *out);
