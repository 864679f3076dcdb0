/* SPDX-License-Identifier: MIT */
/* Rules in plain words: what each catches, what it cannot, and what a set of them lacks. Pure. */
#pragma once

#include "rules/rule.h"

/* Some lines for rule `index` of the set, each indented and ended by a newline. */
void rule_explain(const struct rule_set *set, size_t index, struct sbuf *out);
/* What no rule of the set can catch, whatever it says: once, at the end. */
void rule_set_limits(const struct rule_set *set, struct sbuf *out);
