/* SPDX-License-Identifier: MIT */
/* What an event changed, and changes above what is watched, in words: escaped for terminals. Pure. */
#pragma once

#include "event/event.h"
#include "util/sbuf.h"

/* "0555 → 0775", "im → ugadmin", "1.2 kB": what changed, or what the file was. */
void sentence_change(struct sbuf *out, const struct event *event);
/* "/data/mid/leaf/k went with it": of a change above what is watched; nothing of others. */
void sentence_carried(struct sbuf *out, const struct event *event);
/* "moved /data/mid to /data/gone": of such a change. */
void sentence_above(struct sbuf *out, const struct event *event);
