/* SPDX-License-Identifier: MIT */
/* What the values of one sink are together. */
#pragma once

#include "config/config.h"

/* Its name, and the values that belong to its type. -EINVAL with what is wrong. */
int check_sink(const struct config_block *block, struct err *err);
