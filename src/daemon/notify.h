/* SPDX-License-Identifier: MIT */
/*
 * What is said to a service manager (sd_notify(3)'s protocol: one datagram a state). By hand, because a daemon that is built
 * without libsystemd, in a container or under another manager that speaks it, has to say that it is ready as well.
 */
#pragma once

#include "util/macro.h"

/* socket: NOTIFY_SOCKET's value; NULL, or what cannot be written to: nothing happens. A manager that is busy is waited for, five
 * seconds at most: a READY=1 that is lost is a start that failed. */
void notify_send(const char *socket, const char *format, ...) _printf_(2, 3);
/* A sign of life: WATCHDOG=1. Never waits: the next one follows. */
void notify_sign(const char *socket);
