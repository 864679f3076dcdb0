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
    struct bytes store;  /* for commands that are named; BYTES_NULL: the default one */
    struct bytes asked;  /* "--from copies ": the other options that belong to the question, for a shell; in front of the target */
    bool in_pieces;      /* the source has single files and need not have all: "nothing is missing that would be found in ..." */
    bool colour;
    bool dry_run;
    unsigned columns;    /* 0 = whole lines */
    long utc_offset_s;
};

/* For people: lists are shortened but for what failed or is planned. */
void restore_page_text(const struct restore_page *page, struct sbuf *out);
/* One line a path, then one for all. */
void restore_page_json(const struct restore_page *page, struct sbuf *out);

struct restore_counts {
    uint64_t outcomes[RESTORE_OUTCOMES];
    uint64_t back, attributes; /* of those that are restored or planned: files; what was there, but not as it was */
    unsigned given;            /* enum given */
};
/* Counts them anew; *ret is overwritten. */
void restore_count(const struct restore_items *items, struct restore_counts *ret);
