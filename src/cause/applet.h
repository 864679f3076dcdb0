/* SPDX-License-Identifier: MIT */
/* Which program it is: of an executable that is many, the one that it was called as. Pure. */
#pragma once

#include "event/process.h"

/* Base name of the executable, or the applet of a multi-call binary (busybox, toybox, coreutils). Where the executable is
 * not known: the name that it calls itself, with *ret_claimed set. May be empty. */
struct bytes applet_name(const struct process *p, bool *ret_claimed);
/* Its arguments from the name of the program on: without the "busybox" of "busybox sh FILE". */
struct bytes applet_args(const struct process *p);
