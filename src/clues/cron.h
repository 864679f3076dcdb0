/* SPDX-License-Identifier: MIT */
/* Cron's tables and schedules. Pure. */
#pragma once

#include <stdbool.h>

#include "clues/fact.h"

/* Is the minute of time_ns (local time) one at which the line runs? Behind the schedule *line goes on. 1, 0; -1: not understood, or
 * not a time of day ("@reboot"). */
int cron_due(struct bytes *line, uint64_t time_ns);

/* Each line of a table that gives a command; with_user: it names a user behind the schedule. */
void cron_table(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text, bool with_user);
/* tmpreaper's configuration (Debian), which its script in /etc/cron.daily reads. */
void cron_tmpreaper(struct sbuf *answer, const struct clue_question *q, struct bytes text);
