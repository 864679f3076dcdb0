/* SPDX-License-Identifier: MIT */
/*
 * How a process was launched, beside who launched it (struct launch): the line of the crontab that cron's command came from,
 * the client on this host that asked for a process in a container. Looked up while that is still there, in a worker (foreign/foreign.h)
 * that is waited for a moment only. What is ambiguous is left out.
 */
#pragma once

#include "attribution/launch_client.h"

/* p, its earlier images and its launchers have been attributed but for this, and its launchers for this as well: `launch` of each
 * of its images is filled in. */
void launch_find(const struct launch_sources *sources, struct process *p);
