/* SPDX-License-Identifier: MIT */
/* Of the page for people: what was looked at, and what was not. For the files of the page. */
#pragma once

#include "clues/page.h"

/* Lines of what was read, is not here, failed or begins too late; what would have known more; what is private in the page. */
void clue_put_sources(const struct clue_page *p, struct sbuf *out);
