/* SPDX-License-Identifier: MIT */
/* Looking again at what is watched, and emitting what was not seen meanwhile. */
#pragma once

#include "sensor/audit/audit_state.h"

/* The gap reaches from s->gap_from_ns to now. */
void audit_emit_gap(struct sensor *s, enum lost reason, uint64_t count, const char *text);
/* The same of this object alone: the text names it. */
void audit_emit_object_gap(struct sensor *s, const struct audit_object *o, enum lost reason, const char *text);

/* Another file is at the path than the one that the rules are for. */
void audit_place_again(struct sensor *s, struct audit_object *o);
/* The indexes learn what no record said. */
void audit_rewalk(struct sensor *s);
/* Our rules are looked at within a moment. */
void audit_look_soon(struct sensor *s);
