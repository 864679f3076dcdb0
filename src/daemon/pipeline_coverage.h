/* SPDX-License-Identifier: MIT */
/* What is observed, by whom, and what is not seen: for the verdict, and for the record. Called by the loop's thread. */
#pragma once

#include "daemon/pipeline_state.h"

unsigned pipeline_open_sensor_bits(const struct pipeline *p); /* enum sensor_bit */
/* Appends, in one line, what no open sensor sees; then whom none of them sees, which is a notice to the user too. */
void pipeline_write_not_seen(struct pipeline *p, struct sbuf *out);
void pipeline_name_blind(struct pipeline *p, struct sbuf *not_seen);
/* What is seen from p->from_ns (CLOCK_REALTIME) on. */
void pipeline_begin_coverage(struct pipeline *p, struct bytes not_seen);
/* The span that is open ends, and another one begins now: other sensors, or other watches. */
void pipeline_renew_coverage(struct pipeline *p);
/* New places of the watches go to the store: containers come and go. */
void pipeline_record_places(struct pipeline *p);
