/* SPDX-License-Identifier: MIT */
/* The page for people: lines with a label, wrapped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/sbuf.h"

struct page {
    struct sbuf *out;
    bool colour;
    unsigned columns; /* 0 = lines are whole */
    size_t line_at;   /* where the line begins that is being written */
    bool zone_reported;
};

/* A line "  LABEL     text"; an empty label continues the line above. */
void page_begin(struct page *p, const char *label);
/* Ends the line, wrapped to the page's width; what goes on is indented by `indent` columns. */
void page_end(struct page *p, unsigned indent);

#define PAGE_INDENT 12 /* of the text of a line with a label */
