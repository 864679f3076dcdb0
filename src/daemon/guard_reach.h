/* SPDX-License-Identifier: MIT */
/* The socket by which a daemon finds the process that an earlier one left with its guards (guard_starter.h). Root's alone. */
#pragma once

#include "util/err.h"

/* SOCK_SEQPACKET, listening, non-blocking, in place of what was there; nobody but its owner connects. */
int guard_reach_listen(const char *path, struct err *err);
/* Who connected, if he is who we are; -EAGAIN: nobody did. */
int guard_reach_accept(int fd);
/* Non-blocking. -ENOENT, -ECONNREFUSED: nobody listens there; -EAGAIN: somebody does, and accepts nobody; -errno. */
int guard_reach_connect(const char *path);
