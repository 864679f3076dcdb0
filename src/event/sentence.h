/* SPDX-License-Identifier: MIT */
/* The one line that people read of an event (ux.md). Pure. */
#pragma once

#include "event/container.h"
#include "event/event.h"
#include "event/sentence_change.h"
#include "event/sentence_parts.h"
#include "util/sbuf.h"

struct sentence_style {
    bool colour;
    unsigned columns;    /* width to fit, 0 = whole */
    bool containers;     /* show the column of seconds since the victim's start */
    long utc_offset_s;   /* of local time */
};

/* Without a newline. */
void sentence_event(struct sbuf *out, const struct event *event, const struct sentence_style *style);
void sentence_life(struct sbuf *out, const struct lifecycle_event *life, const struct sentence_style *style);
void sentence_gap(struct sbuf *out, const struct gap *gap, const struct sentence_style *style);
/* "s1-agent[2211] root · host" */
void sentence_actor(struct sbuf *out, const struct event *event, const struct sentence_style *style);

/* "db, api and 3 more" of names that are each ended by a NUL; at most `max` of them. */
void sentence_names(struct sbuf *out, struct bytes names, unsigned max);
