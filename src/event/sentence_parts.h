/* SPDX-License-Identifier: MIT */
/* Times and sizes as people read them. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/sbuf.h"

void sentence_time(struct sbuf *out, uint64_t time_ns, long utc_offset_s);  /* 14:03:22.118 */
void sentence_size(struct sbuf *out, uint64_t bytes);                      /* 1.2 kB */
/* value / unit (a multiple of 10) with one digit after the point, as "%.1f" writes it of doubles, which is exact enough for this unless it
 * is halfway between two tenths: then false and nothing written, and how doubles round it decides. */
bool sentence_tenths(struct sbuf *out, uint64_t value, uint64_t unit);
