/* SPDX-License-Identifier: MIT */
/* Names that come, go and move: what their events count as, once it is known what becomes of the files. */
#pragma once

#include "report/follow_step.h"

/* A step whose event made a name, or took one away: what is known of the file of that name is no longer true. It is counted, folded
 * or waits in the trace. */
void follow_created(const struct step *step);
void follow_deleted(const struct step *step);
/* The file that a rename put another one over. */
void follow_replaced(const struct step *step);
/* Its paths differ. */
void follow_renamed(const struct step *step);
