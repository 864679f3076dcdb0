/* SPDX-License-Identifier: MIT */
/* Who it was: lines of the page. */
#pragma once

#include "report/case_state.h"
#include "report/page.h"

/* The command or process, its tools, the chain of launchers, the person, the owner; what is not known is left out. */
void who_write(struct page *p, const struct culprit *s);
