/* SPDX-License-Identifier: MIT */
/* Counting what a culprit did. */
#pragma once

#include "report/case_state.h"

/* Where the type is not known it counts as a file, as people call it. */
bool changes_directory(const struct event *e);
/* NULL: beyond the limits. */
struct tally *case_tally(struct case_ *c, struct culprit *s, const struct event *e, enum variant variant);
/* The one of the same deed and another variant. */
struct tally *tally_of_variant(struct case_ *c, struct culprit *s, const struct tally *like, enum variant variant);
void tally_add(struct case_ *c, struct tally *t, const struct part *part, const struct sample *sample);
/* What the event says of states and bytes; before it is added. */
void tally_describe(struct case_ *c, struct tally *t, const struct event *e);
/* Is this the first of its kind in `owner`? False also where it cannot be reported any more. */
bool case_see(struct case_ *c, const void *owner, struct bytes what, bool *ret_beyond);
bool case_victim_same(const struct container *a, const struct container *b);
uint64_t tally_folded(const struct tally *t);
/* On the host, around a container that does not see it: no change of its files. */
bool tally_is_around(const struct tally *t);
