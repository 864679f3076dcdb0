/* SPDX-License-Identifier: MIT */
/* The places that the watches look at, for the record. */
#pragma once

#include "event/coverage.h"

struct watchset;

/* Where the watches look, for the record: each place once, when it comes to be known. Borrowed for the call; its
 * time is left 0. */
void watchset_each_new_place(struct watchset *set, void (*each)(void *data, const struct coverage_place *place),
                             void *data);
/* Hands them out anew. */
void watchset_forget_places(struct watchset *set);
