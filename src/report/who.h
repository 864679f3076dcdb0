/* SPDX-License-Identifier: MIT */
/* Who it was: lines of the page. */
#pragma once

#include "report/case_state.h"
#include "report/page.h"

void who_write(struct page *p, const struct culprit *s);
