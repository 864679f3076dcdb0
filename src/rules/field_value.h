/* SPDX-License-Identifier: MIT */
/* The values of a rule's fields: words to numbers as auditctl takes them, and numbers to words as it prints them. */
#pragma once

#include "rules/field.h"

/* The value as a number, of a field whose value is no text (field_has_text()). Users and groups are asked of this machine.
 * -EINVAL: err says what is wrong with the word `text`. */
int field_value(const struct field_row *row, const char *text, uint32_t *ret, struct err *err);
/* As auditctl prints a value that is no text, appended to `out`. names: another machine's architecture and "unset" by their names
 * (auditctl -i). */
void field_print_value(const struct field_row *row, uint32_t value, bool names, struct sbuf *out);
