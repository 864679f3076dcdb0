/* SPDX-License-Identifier: MIT */
/* One daemon on a host. */
#pragma once

#include <sys/types.h>

#include "util/err.h"

/*
 * Takes DIR/daemon.lock, for as long as this process lives: a record lock, which no child has, and which a dead one does
 * not hold. DIR is made with mode 0755 if it is missing. -EBUSY: another one has it, err says which; -errno.
 */
int single_take(const char *directory, struct err *err);
