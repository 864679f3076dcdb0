/* SPDX-License-Identifier: MIT */
/* The one line that people read of an event (ux.md). Pure. */
#pragma once

#include "event/container.h"
#include "event/event.h"
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
/* "0555 → 0775", "im → ugadmin", "1.2 kB": what changed, or what the file was. */
void sentence_change(struct sbuf *out, const struct event *event);
/* "/data/mid/leaf/k went with it": of a change above what is watched; nothing of others. */
void sentence_carried(struct sbuf *out, const struct event *event);
/* "moved /data/mid to /data/gone": of such a change. */
void sentence_above(struct sbuf *out, const struct event *event);
void sentence_time(struct sbuf *out, uint64_t time_ns, long utc_offset_s);  /* 14:03:22.118 */
void sentence_size(struct sbuf *out, uint64_t bytes);                      /* 1.2 kB */

/* "db, api and 3 more" of names that are each ended by a NUL; at most `max` of them. */
void sentence_names(struct sbuf *out, struct bytes names, unsigned max);
