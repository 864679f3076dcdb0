/* SPDX-License-Identifier: MIT */
/* The output of ausearch -i. */
#pragma once

#include <stdint.h>

#include "sensor/audit/log/form_state.h"
#include "util/bytes.h"

/* Is it a record of that output? The second one as audit_form_line() (form.h): 0 or 1 records, added to `out`. */
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
