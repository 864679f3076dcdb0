/* SPDX-License-Identifier: MIT */
/*
 * The cause of an event: whom a person would name. What was run, found by going up from whoever made the
 * change past tools (rm, sed), wrappers (sudo, xargs) and shells that only pass a command on, to the nearest
 * script, module or target; and what started that. Pure: nothing is read but the records that the event holds.
 *
 * What one process is by itself is found once and kept in its record. The tables, one row a kind:
 * interpreter.c, wrapper.c (tools as well), launcher.c, build.c, script.c, applet.c.
 */
#pragma once

#include "event/cause.h"
#include "event/event.h"

/* The actor and his launchers are known, and who they belong to. *ret is to be given to cause_done(); where
 * nothing is known its kinds are RUN_UNKNOWN and LAUNCHER_UNKNOWN. */
void cause_find(const struct event *event, struct cause *ret);
/* Find it now, for those who ask later: the cause and the suspect. What was found before is replaced. */
void cause_remember(struct event *event);
/*
 * What was found for `event` is what will be found for those that its launcher starts as it did this one: a tool, which
 * only does what a script above it wants, or that script itself. It was found by cause_remember().
 */
bool cause_suits_siblings(const struct event *event);
/* And what will be found for the tools that it launches itself: it is a script. */
bool cause_suits_tools(const struct event *event);
/*
 * Take what was found for that one, `known`, if the actor of `event`, who has a process record, is such a sibling of it,
 * or such a tool. The two have the same ids in the sensor's events: the caller looked. True: it was taken.
 */
bool cause_of_sibling(struct event *event, struct process *sibling, const struct cause *known);
bool cause_of_launcher(struct event *event, const struct cause *known);
