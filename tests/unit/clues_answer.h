/* SPDX-License-Identifier: MIT */
/* What the tests of sources share: a question, and the facts of an answer. */
#pragma once

#include <sys/acct.h>

#include "clues/fact.h"

#define SECOND NS_PER_S
#define AT (UINT64_C(1795896800) * SECOND) /* Sat 2026-11-28 20:13:20 UTC */

static inline struct clue_question question_of(const char *path)
{
    return (struct clue_question){ .path = bytes_of(path), .now_ns = AT + 86400 * SECOND, .spans = { { AT, AT } }, .span_count = 1 };
}

/* The only fact of an answer. */
static inline struct clue_fact only(struct sbuf *answer)
{
    struct bytes rest = sbuf_bytes(answer);
    struct clue_fact f = { 0 }, more;
    struct clue_span cover;

    assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
    assert_int_equal(clue_take(&rest, &more, &cover), CLUE_PART_END);
    return f;
}

static inline unsigned count_of(const struct sbuf *answer)
{
    struct bytes rest = sbuf_bytes(answer);
    struct clue_span cover;
    struct clue_fact f;
    unsigned n = 0;

    while (clue_take(&rest, &f, &cover) > 0)
        n++;
    return n;
}
