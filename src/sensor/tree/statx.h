/* SPDX-License-Identifier: MIT */
/* What statx(2) says as a file_state. */
#pragma once

#include "event/event.h"

struct statx;

void tree_state_of_statx(const struct statx *stx, struct file_state *ret);

/* statx() of name in fd (NULL: of fd itself) as a file_state. Nothing is followed. */
int tree_stat(int fd, const char *name, struct file_state *ret);
