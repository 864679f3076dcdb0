/* SPDX-License-Identifier: MIT */
/*
 * Does a file system answer? Whoever waits for FUSE or a dead NFS server may not be killed by anything: what a user
 * names is asked for by a process of its own first. Later the file system may still stop to answer.
 */
#pragma once

#include <stdbool.h>

/*
 * False: the path, or the directory that it is, gave no answer in that time; nor in up to twelve times as long where the process that asks had no
 * processor in the meantime, or where the whole machine is so slow that a program that serves a file system needs it. True also where the answer is an error.
 * The process that asks is killed, and left behind where it cannot be; it keeps no descriptor of ours.
 */
bool foreign_answers(const char *path, unsigned timeout_ms);
/* The same, and never longer, of a path from the directory behind `dir`, which itself answers; AT_FDCWD: from where we are. */
bool foreign_answers_at(int dir, const char *path, unsigned timeout_ms);
/* Also of all that is below it on the same file system: false: a look at one of it gave no answer in timeout_ms. One that answers
 * for so long that total_ms have passed is not looked at to its end. */
bool foreign_answers_below(int dir, const char *path, unsigned timeout_ms, unsigned total_ms);
