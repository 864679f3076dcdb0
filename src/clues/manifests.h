/* SPDX-License-Identifier: MIT */
/* The manifests on this host that made what is asked for, as a source. */
#pragma once

#include "clues/clues.h"

/* As clue_source.ask (clues/source.h). Nothing for a container that no manifest made. Waits no longer than the question's time. */
int manifests_ask(struct clues *c, unsigned source, struct err *err);
