/* SPDX-License-Identifier: MIT */
#include "cli/completion.h"

#include <string.h>

#include "cli/verbs.h"
#include "event/operation.h"
#include "util/macro.h"

void completion_words(const struct option_row *row, struct sbuf *out)
{
    if (row->completion != COMPLETE_OPERATIONS) {
        sbuf_add_str(out, row->words ? row->words : "");
        return;
    }
    for (unsigned i = 0; operation_group(i)->name; i++)
        sbuf_addf(out, "%s%s", i ? " " : "", operation_group(i)->name);
    for (unsigned i = OPERATION_NONE + 1; i < OPERATION_COUNT; i++)
        if (i != OPERATION_CREATE) /* also a group */
            sbuf_addf(out, " %s", operation_info((enum operation)i)->name);
}

void completion_first_words(const struct verb *verb, struct sbuf *out)
{
    if (verb->bit == VERB_HELP)
        for (const struct verb *v = verbs; v->name; v++)
            sbuf_addf(out, "%s%s", out->len ? " " : "", v->name);
    else if (verb->words)
        sbuf_add_str(out, verb->words);
}

struct bytes completion_summary(const char *help)
{
    static const char *const ends[] = { ": ", "; ", " (", ". " };
    size_t n = strlen(help);

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        const char *end = strlen(help) > 8 ? strstr(help + 8, ends[i]) : NULL; /* a word alone says nothing */

        if (end && (size_t)(end - help) < n)
            n = (size_t)(end - help);
    }
    return (struct bytes){ help, n };
}

/* Rows that every command has, search but for its own. */
const struct option_row *completion_option(const struct verb *verb, unsigned *next)
{
    static const struct option_row common[] = {
        { NULL, "--help", NULL, 0, NULL, "what it does, and its options" },
        { NULL, "--version", NULL, 0, NULL, "which culprit this is" },
    };
    enum { COMMON = 1u << 16 }; /* far above any row */
    const struct option_row *row = *next < COMMON ? verb_option(verb, next) : NULL;

    if (row || verb->bit == VERB_SEARCH)
        return row;
    *next = *next < COMMON ? COMMON : *next;
    return *next - COMMON < ARRAY_SIZE(common) ? &common[(*next)++ - COMMON] : NULL;
}
