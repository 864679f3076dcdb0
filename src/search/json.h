/* SPDX-License-Identifier: MIT */
/* The changes of an event as ECS or OCSF, one a line. 0 or -ENOMEM. */
#pragma once

#include "search/formatter.h"

/* Changes that do not match are left out. Where an event has no change of a file, json writes its records, ocsf counts it in
 * f->no_file. */
int format_json(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out);
int format_ocsf(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out);
