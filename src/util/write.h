/* SPDX-License-Identifier: MIT */
/* Writing all of it. */
#pragma once

#include "util/bytes.h"

/* 0, or -errno: a part of it may be there. */
int write_all(int fd, struct bytes text);
