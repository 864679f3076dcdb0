/* SPDX-License-Identifier: MIT */
/*
 * Requests to audit that are sent by a process of their own. While audit's backlog is full, as when its owner is stopped, the
 * kernel makes whoever sends a request wait in sendmsg() for up to a minute, and no signal ends that, also none that kills: but
 * it carries the request out, and answers, before that. So whoever must not wait has it sent, and reads the answer himself.
 * One thread.
 */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

/*
 * Has `message` sent by the socket `fd` to the kernel; asks: only what can be asked again soon, for which few may wait. Returns
 * when it is sent or `fd` has something to read, after timeout_ms at the latest. -EAGAIN: all that may wait do so; -errno of sending.
 */
int audit_courier_send(int fd, struct bytes message, bool asks, unsigned timeout_ms);
/* Closes a socket that listens, which the kernel notes in audit as well, and may wait for: whoever closes it last waits. */
void audit_courier_close(int fd);
/* Ends all; one that waits ends when the kernel lets it. */
void audit_courier_end(void);
