/* SPDX-License-Identifier: MIT */
#pragma once

#include "util/err.h"

/* An inotify instance, close-on-exec and non-blocking; the caller's. Where the user has no more (all programs of one uid share them, those
 * of containers without a user namespace too), err says which limit it is. -errno */
int inotify_open(struct err *err);
