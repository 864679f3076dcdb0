/* SPDX-License-Identifier: MIT */
/* An event that matched, as text in one of ausearch's formats or as JSON, appended to a buffer. */
#pragma once

#include "event/ecs.h"
#include "search/match.h"
#include "util/sbuf.h"

struct search_formatter;

/* `host` (for JSON) and `query` outlive it. NULL: out of memory. */
struct search_formatter *search_formatter_new(const struct search_query *query,
                                              const struct ecs_host *host);
void search_formatter_free(struct search_formatter *formatter);

/* Once before the first event: csv's header. */
void search_format_header(struct search_formatter *formatter, struct sbuf *out);
/* `matcher`: its memory of directories completes the names. 0 or -ENOMEM. */
int search_format_event(struct search_formatter *formatter, const struct search_event *event,
                        struct search_matcher *matcher, struct sbuf *out);
/* Events that were not printed because the format has no place for them (OCSF: no change of a file). */
uint64_t search_format_unprinted(const struct search_formatter *formatter);
