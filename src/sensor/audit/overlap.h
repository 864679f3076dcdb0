/* SPDX-License-Identifier: MIT */
/*
 * While audit's stream changes its owner, two sockets run beside each other, so that nothing is lost between them: what
 * comes by both is handed on once, whichever is first. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

#define AUDIT_OVERLAP_MAX 65536 /* records that are remembered; beyond, some are emitted twice (the store knows their ids) */

struct audit_overlap;

struct audit_overlap *audit_overlap_new(void); /* NULL: out of memory */
void audit_overlap_free(struct audit_overlap *overlap); /* NULL is fine */
/* later: it came by the later one of the two. False: the other one had it already. */
bool audit_overlap_is_new(struct audit_overlap *overlap, bool later, uint16_t type, struct bytes payload);
