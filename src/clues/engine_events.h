/* SPDX-License-Identifier: MIT */
/* What a container's engine remembers of what was done with it. */
#pragma once

#include "clues/clues.h"

/* One line of dockerd's events: a command that was run in the container, a copy into it, a signal, its end. Pure. */
void engine_event(struct sbuf *answer, const struct clue_question *q, const struct container *container, struct bytes line);

/* As clue_source.ask (clues/source.h), of the container's engine: nothing where no container or no engine is asked about. 0,
 * -ENOMEM; an engine that fails is a state of the source. */
int engine_events_ask(struct clues *c, unsigned source, struct err *err);
