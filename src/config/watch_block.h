/* SPDX-License-Identifier: MIT */
/* What the values of one watch are together. */
#pragma once

#include "config/config.h"

/* That nothing is asked for which would silently not be done. -EINVAL with what is wrong. */
int check_watch(const struct config_block *block, struct err *err);
