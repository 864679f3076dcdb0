/* SPDX-License-Identifier: MIT */
/* What the control socket answers (control/interface.c describes it). One thread. */
#pragma once

#include "daemon/control_options.h"
#include "daemon/viewing.h"

struct control;

/* The path is taken, and nobody is answered yet. Before privileges are given away. */
int control_open(const struct control_options *options, struct control **ret, struct err *err);
/* All is watched: clients are answered from now on, in the pipeline's loop. */
int control_start(struct control *c, struct pipeline *pipeline, struct err *err);
/* The observation is about to end: nothing is watched anew, and viewers get what is left. */
void control_end(struct control *c); /* NULL is fine */
void control_close(struct control *c); /* NULL is fine */

/* Each time the loop has done what there was. */
void control_idle(struct control *c);

/* Connections; those of them that get events. NULL: none. */
void control_count(const struct control *c, unsigned *ret_clients, unsigned *ret_viewers);

/* Those who look on; for whoever has events for them. */
struct viewing *control_viewing(struct control *c);

/* The outcome of a reload, for those who asked for it: r 0 or -errno with its text; what was wrong, one text a line. */
struct watchset_difference;
void control_reloaded(struct control *c, int r, const char *text, struct bytes problems, const struct watchset_difference *d);
