/* SPDX-License-Identifier: MIT */
/* The thread that answers for leases. */
#pragma once

/* held: struct held_all. Until its `stop`. */
void *held_watch(void *held);
