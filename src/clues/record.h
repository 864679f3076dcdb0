/* SPDX-License-Identifier: MIT */
/* culprit's own record as a source. */
#pragma once

#include "clues/clues.h"

/* The audit logs, which the command has asked too. */
int record_ask_audit(struct clues *c, unsigned source, struct err *err);
int record_ask(struct clues *c, unsigned source, struct err *err);
