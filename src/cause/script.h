/* SPDX-License-Identifier: MIT */
/* What a script's path says: a git hook, a package's maintainer script, an ansible module. Pure. */
#pragma once

#include <stdbool.h>

#include "cause/build.h"
#include "event/cause.h"
#include "event/process.h"

/* Absolute, by the working directory, where that is known; memory of the record if it is not a view. */
struct bytes script_path(struct process *p, struct bytes path);
/* From RUN_SCRIPT and its path to what it is called. */
void script_name(struct process *p, struct cause_run *run);
/* It came with a package, for others to call: whoever calls it explains more. */
bool script_is_packaged(struct bytes path);
/* A version manager's (pyenv, rbenv, asdf): it only finds the program that it then executes in its place. */
bool script_is_shim(struct bytes path);
/* "node npm-cli.js run clean", "java -cp x CLASS clean": read from the script's, or class's, own name on. arena: as of build_parse(). False: it
 * has no such argument. */
bool script_build(const struct build_row *row, struct bytes args, struct bytes script, struct arena *arena, struct cause_run *run);
