/* SPDX-License-Identifier: MIT */
/* What to do about it: lines of the page. */
#pragma once

#include "report/case_state.h"
#include "report/page.h"

/* Nothing where there is none to give, or where it would be advice for a product that may not be there. Views of *s and *c are not
 * kept. */
void advice_write(struct page *p, const struct case_ *c, const struct culprit *s);
