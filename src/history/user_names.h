/* SPDX-License-Identifier: MIT */
/* Names of users: by the records' own words, or by this machine's users. */
#pragma once

#include "history/replay_state.h"

/* The names of euid, uid and auid: by the records' own words, or where the log is this machine's by its users. The views
 * are valid until the next call. enriched: what auditd added to the SYSCALL record. */
void replay_name(struct replay *p, struct bytes enriched, struct sighting *s);
