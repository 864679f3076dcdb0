/* SPDX-License-Identifier: MIT */
/* A container's tree against its image, and what its engine says of its life. */
#pragma once

#include "clues/clues.h"

/* As clue_source.ask (clues/source.h), the tree first, then the life. 0, -ENOMEM; a tree that cannot be compared is a state of the
 * source. Nothing for a path of the host. */
int image_ask(struct clues *c, unsigned source, struct err *err);
int image_ask_life(struct clues *c, unsigned source, struct err *err);
