/* SPDX-License-Identifier: MIT */
/* Programs that take a target as argument: make, ninja, npm run, git. One row a program. Pure. */
#pragma once

#include <stdbool.h>

#include "event/cause.h"
#include "util/bytes.h"

struct build_row;

/* By the name of the program, or of the script that it is. NULL: it is none of them. */
const struct build_row *build_find(struct bytes name);
const struct build_row *build_script(struct bytes script);
const char *build_row_name(size_t index); /* for tests; NULL past the end */

/* Kind, name, interpreter (the program) and directory (as it was named, or BYTES_NULL: where it was started). args: argv
 * from the program's own name on. False: it has no such argument. */
bool build_parse(const struct build_row *row, struct bytes args, struct cause_run *ret);
