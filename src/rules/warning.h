/* SPDX-License-Identifier: MIT */
/* Rules that the kernel takes and that cannot do what they seem to: order, contradictions, what matches everything. Pure. */
#pragma once

#include "rules/rule.h"

/* `warn` is called with the line of each such rule, and one line that says why. */
void rule_set_warnings(const struct rule_set *set, void (*warn)(void *data, unsigned line, const char *text), void *data);

/*
 * The rule before it, of the list exit, that takes what the rule `index` is to leave out or catch: of two that match the
 * first counts. NULL: none.
 */
const struct rule *rule_taken_before(const struct rule_set *set, size_t index);
