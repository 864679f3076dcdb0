/* SPDX-License-Identifier: MIT */
/* What to do about it: lines of the page. */
#pragma once

#include "report/case_state.h"
#include "report/page.h"

void advice_write(struct page *p, const struct case_ *c, const struct culprit *s);
