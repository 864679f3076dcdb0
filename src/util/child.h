/* SPDX-License-Identifier: MIT */
/* A process that was forked to go on by itself, beside its parent. */
#pragma once

/*
 * Gives away what is the parent's: all descriptors but `keep` (standard input, output and error become /dev/null, unless keep is one of them), the
 * directory, signals for the parent's end. name: of the process, 15 bytes at most.
 */
void child_begin(int keep, const char *name);
