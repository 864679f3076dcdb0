/* SPDX-License-Identifier: MIT */
/* Writing all of it. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

/* 0, or -errno: a part of it may be there. */
int write_all(int fd, struct bytes text);
/*
 * What the file has becomes that, at once or not at all; path.new is used for it. sync: it survives the machine's end, too. The directory is ours.
 * -errno: it has what it had.
 */
int write_replace(const char *path, struct bytes text, bool sync);
/* A file in memory that has the text, to be read from its beginning; the caller closes it. name: of it in /proc. -errno */
int memory_file(const char *name, struct bytes text);
