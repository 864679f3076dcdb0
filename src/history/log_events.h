/* SPDX-License-Identifier: MIT */
/* A group of records becomes events. */
#pragma once

#include "history/replay_state.h"

/* The grouper's callback; data: struct replay. */
void replay_on_group(void *data, const struct audit_group *g);
/* A directory at or below the path that is asked for; others are passed over. data: struct replay. */
void replay_add_inside(void *data, uint64_t inode, struct bytes path);
