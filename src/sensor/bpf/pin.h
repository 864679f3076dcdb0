/* SPDX-License-Identifier: MIT */
/*
 * Opening a watched path in its mount namespace, and keeping it pinned so that the address of its
 * inode stays its own. The pin is a detached clone of the mount: unlike a plain descriptor it does
 * not keep the user from unmounting.
 */
#pragma once

#include <sys/types.h>

#include "util/bytes.h"
#include "util/err.h"

struct pin {
    int fd;          /* O_PATH, to ask the kernel about; close it soon */
    int clone_fd;    /* the pin; -EBADF: not permitted, `fd` has to be kept */
    size_t missing;  /* bytes of the path that do not exist yet; fd is the deepest directory that does */
};

#define PIN_NULL ((struct pin){ .fd = -EBADF, .clone_fd = -EBADF })

/*
 * ns_pid: a process in whose root `path` (absolute, normalised) is meant; 0: our own.
 * The last component is not followed if it is a link. Work in another namespace is done in a child.
 */
int pin_open(pid_t ns_pid, struct bytes path, struct pin *ret, struct err *err);
void pin_close(struct pin *pin);
