/* SPDX-License-Identifier: MIT */
/*
 * What the observing process can do without once all is opened: system calls that run programs, look into other
 * processes, mount, load code into the kernel or change the machine. A refused call fails with EPERM and is in the
 * kernel's log (type 1326), and culprit goes on.
 */
#pragma once

#include <stdbool.h>

#include "daemon/choose.h"

/* Nothing is given up where culprit is built with a sanitizer, which needs ptrace(). */
bool seccomp_built_in(void);

/* In every thread, for good. Whatever these sensors (of `choice`) need stays. As seccomp_give_up(). */
int seccomp_confine(const struct choice *choice);

/* Does this kernel have filters? For doctor. */
bool seccomp_works(void);

