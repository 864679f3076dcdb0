/* SPDX-License-Identifier: MIT */
#include "search/format_internal.h"

int format_json(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out)
{
    (void)f; (void)event; (void)matcher; (void)out;
    return 0;
}

int format_ocsf(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out)
{
    (void)f; (void)event; (void)matcher; (void)out;
    return 0;
}
