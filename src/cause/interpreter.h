/* SPDX-License-Identifier: MIT */
/* What an interpreter runs, by its arguments: the grammar of its command line, one row an interpreter. Pure. */
#pragma once

#include <stdbool.h>

#include "cause/table.h"
#include "event/cause.h"
#include "util/bytes.h"

struct interpreter;

extern const struct name_table interpreter_table; /* their names, without a version */

/* By the base name of the executable, whatever its version: "python3.11", "lua5.4". NULL: it is none that is known. */
const struct interpreter *interpreter_find(struct bytes name);
const char *interpreter_name(const struct interpreter *i); /* "python" */
bool interpreter_is_shell(const struct interpreter *i);
/* Without anything to run it runs what its standard input says. */
bool interpreter_reads_input(const struct interpreter *i);

struct interpreted {
    enum run_kind kind;  /* RUN_SCRIPT, RUN_MODULE, RUN_TEXT, RUN_ARCHIVE, RUN_INPUT (nothing was given), RUN_UNKNOWN */
    struct bytes value;  /* the script as it was named, the module, the text; a view into args */
    bool asks;           /* an interactive shell (-i), or a login shell */
    bool serves;         /* a server: php -S */
    bool reads;          /* reads standard input: "-s", "-" */
};

/* args: argv from the interpreter's own name on, each ended by a NUL. */
void interpreter_parse(const struct interpreter *i, struct bytes args, struct interpreted *ret);
