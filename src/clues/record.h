/* SPDX-License-Identifier: MIT */
/* culprit's own record as a source. */
#pragma once

#include "clues/clues.h"

int record_ask(struct clues *c, unsigned source, struct err *err);
