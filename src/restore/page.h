/* SPDX-License-Identifier: MIT */
/* What was put back and what was not, as text or one JSON object each. */
#pragma once

#include "event/ecs.h"
#include "restore/restore.h"
#include "util/sbuf.h"

struct restore_page {
    const struct restore_items *items;
    const struct restore_summary *summary;
    const struct container *container;
    const struct ecs_host *host;
    struct bytes target; /* as the user wrote it */
    struct bytes source; /* "image shop:1.4" */
    bool still_open;     /* the source is what processes hold: RESTORE_FROM_OPEN */
    bool colour;
    bool dry_run;
    unsigned columns;    /* 0 = whole lines */
    long utc_offset_s;
};

void restore_page_text(const struct restore_page *page, struct sbuf *out);
/* One line a path, then one for all. */
void restore_page_json(const struct restore_page *page, struct sbuf *out);

struct restore_counts {
    uint64_t outcomes[RESTORE_OUTCOMES];
    uint64_t back, attributes; /* of those that are restored or planned: files; what was there, but not as it was */
    unsigned given;            /* enum given */
};
void restore_count(const struct restore_items *items, struct restore_counts *ret);
