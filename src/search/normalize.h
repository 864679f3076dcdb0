/* SPDX-License-Identifier: MIT */
/* ausearch --format csv and text: an event as subject, action and object. 0 or -ENOMEM. */
#pragma once

#include "search/formatter.h"

/* Both append one line to `out`, with libauparse for words that only it has (one thread), begun at the first that needs it. */
int format_csv(struct search_formatter *f, const struct search_event *event,
               struct search_matcher *matcher, struct sbuf *out);
int format_text(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out);
void interpreter_free(struct word_interpreter *interpreter); /* NULL is fine */
