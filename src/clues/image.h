/* SPDX-License-Identifier: MIT */
/* A container's tree against its image, and what its engine says of its life. */
#pragma once

#include "clues/clues.h"

int image_ask(struct clues *c, unsigned source, struct err *err);
int image_ask_life(struct clues *c, unsigned source, struct err *err);
