/* SPDX-License-Identifier: MIT */
/* Entries of the journal in export format. */
#pragma once

#include "sensor/audit/log/form_state.h"
#include "util/bytes.h"

bool audit_form_is_export(struct bytes line);
unsigned audit_form_export(struct audit_form *form, struct bytes line, struct sbuf *out);
