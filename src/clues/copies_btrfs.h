/* SPDX-License-Identifier: MIT */
/* Snapshots of btrfs, whoever made them. */
#pragma once

#include "clues/fact.h"

/* While gathering: a fact that names those of the subvolume that has the path, if there are any. root: of clue_root(). */
void copies_btrfs(struct sbuf *out, int root, const struct clue_question *q);
