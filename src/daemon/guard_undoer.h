/* SPDX-License-Identifier: MIT */
/*
 * A process that undoes the guards that were there when the daemon began, each once whoever holds it is dead: the daemon has given away by
 * then what that needs, and it may be long until somebody calls another command.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/err.h"

#define GUARD_UNDOER_TEXT 4096 /* bytes of what it says at once, at most */

struct guard_undoer {
    int socket; /* -EBADF: there is none */
    pid_t pid;
};

#define GUARD_UNDOER_NULL ((struct guard_undoer){ .socket = -EBADF })

/*
 * With one thread, and before privileges are given away. Where there is no guard it is not started, and *ret is GUARD_UNDOER_NULL. It
 * ends with the calling thread, and once there is nothing left of what there was. directory: of the states, borrowed for ever.
 */
int guard_undoer_start(const char *directory, struct guard_undoer *ret, struct err *err);
/* When the socket is readable. True: one line for people, escaped, of what was undone; "": something is about to be. False: nothing now, or
 * it has ended. */
bool guard_undoer_read(struct guard_undoer *u, char text[GUARD_UNDOER_TEXT]);
/* It ends. Also of GUARD_UNDOER_NULL. */
void guard_undoer_end(struct guard_undoer *u);
