/* SPDX-License-Identifier: MIT */
/*
 * What must be in one of an event's lines for the event to match: found in whole blocks before
 * anything is parsed. A needle has several forms (the text, and the hexadecimal that the kernel
 * writes for text with blanks or quotes in it); no form in any line means no match.
 */
#pragma once

#include "search/query.h"

#define NEEDLE_FORMS_MAX (2 * SEARCH_LIST_MAX + 26) /* two of each text, and the hints */

struct needle_form {
    struct bytes text;
    bool fold;              /* hexadecimal: either case; `text` is in lower case */
    unsigned first, second; /* two offsets in it whose bytes are rare in audit logs */
};

struct needle {
    struct needle_form forms[NEEDLE_FORMS_MAX];
    unsigned count; /* 0: every event may match */
    char *memory;
};

/* Takes the most selective criterion of the query. -ENOMEM. */
int needle_of_query(const struct search_query *query, struct needle *ret);
void needle_done(struct needle *needle);

/* First occurrence at or behind `from`; NULL if there is none. */
const char *needle_find(const struct needle_form *form, const char *from, const char *end);
