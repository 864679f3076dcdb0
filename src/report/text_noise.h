/* SPDX-License-Identifier: MIT */
/* On the page for people: what a culprit did that is counted and not listed, and culprits that are noise. Pure; the page is the caller's. */
#pragma once

#include "report/case_state.h"
#include "report/page.h"

/* The line "folded": how many changes were folded, by reason; nothing where none was. */
void text_write_folded(struct page *p, const struct culprit *s);
/* The line "noise": who changed only files of their own; with --verbose why, one by one. Nothing where nobody is, or with --quiet. */
void text_write_noise(struct page *p, const struct case_ *c);
