/* SPDX-License-Identifier: MIT */
/*
 * The process connector (linux/cn_proc.h): the kernel's own stream of fork, exec, exit. It names
 * pids only; everything else is read from /proc by attribution, so a process that is gone within
 * microseconds of its exec is known by its pid and parent alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sensor/process/tracker_ops.h"

extern const struct tracker_ops connector_tracker_ops;

/*
 * One netlink message of the connector -> process event. Pure.
 * Returns 1: *ret is an event; 0: nothing of interest (a thread, an acknowledgement); -EBADMSG.
 */
int connector_decode(const void *data, size_t len, struct process_event *ret);

/*
 * Who wants changed ids only must not be woken by every fork and exit: the kernel drops what else comes before it
 * is queued in this socket (socket(7), SO_ATTACH_FILTER). Where it does not, the reader skips it.
 */
void connector_ask_for_credentials_only(int fd);
