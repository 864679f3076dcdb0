/* SPDX-License-Identifier: MIT */
/* run --junit: what happens is collected for each target, and written at the end. */
#pragma once

#include "cli/output_file.h"
#include "cli/watch_args.h"
#include "report/junit.h"

struct junit_file {
    struct output_file file;
    struct junit junit;
};

/* Before anything runs, so that a place where nothing can be written is said at once. 0, or an exit code after having
 * said why. */
int junit_file_open(struct junit_file *j, const struct watch_args *args);
/* COMMAND has been started. */
void junit_file_set_command(struct junit_file *j, pid_t pid);
void junit_file_event(struct junit_file *j, const struct event *event);
/* case_: of all targets, judged. 0, or an exit code after having said why. */
int junit_file_write(struct junit_file *j, struct case_ *all, struct bytes command, int status);
void junit_file_close(struct junit_file *j); /* one that was never opened is fine if it is JUNIT_FILE_INIT */

#define JUNIT_FILE_INIT ((struct junit_file){ .file = OUTPUT_FILE_INIT })
