/* SPDX-License-Identifier: MIT */
/* Programs that take a target as argument: make, ninja, npm run, git. One row a program, or class of java. Pure. */
#pragma once

#include <stdbool.h>

#include "cause/table.h"
#include "event/cause.h"
#include "util/arena.h"
#include "util/bytes.h"

struct build_row;

extern const struct name_table build_table; /* the programs' names, scripts' and classes' */

/* By the name of the program, of the script that it is, or of the class that java runs. NULL: it is none of them. */
const struct build_row *build_find(struct bytes name);
const struct build_row *build_script(struct bytes script);
const struct build_row *build_class(struct bytes name);

/* Kind, name, interpreter (the program), file, and directory (as it was named, or BYTES_NULL: where it was started). args: argv
 * from the program's own name on. Of several targets the name is a text in `arena`, else a view. False: it has no such argument. */
bool build_parse(const struct build_row *row, struct bytes args, struct arena *arena, struct cause_run *ret);
