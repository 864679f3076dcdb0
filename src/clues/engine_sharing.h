/* SPDX-License-Identifier: MIT */
/* Containers that have a path of the host among their mounts or layers. */
#pragma once

#include "clues/clues.h"

/* As clue_source.ask (clues/source.h): each container is a fact. Nothing for a path of a container. 0, -ENOMEM. */
int engine_sharing_ask(struct clues *c, unsigned source, struct err *err);
