/* SPDX-License-Identifier: MIT */
/* Which line of a script made a change, where that is readable text and one line alone comes into question. */
#pragma once

#include <stdint.h>

#include "event/process.h"
#include "util/sbuf.h"

/*
 * `p` ran the script `path`, as it is called where p lives. tool: the program that made the change ("rm"; empty: the script's
 * interpreter itself); changed: one of the files. 0 and "NUMBER: LINE" with its blanks cut, raw bytes; -ENOENT: no line, or several;
 * -ESTALE: the script was written after `before_ns` (CLOCK_REALTIME). Reads by foreign/, and waits for that: up to
 * two seconds. One thread.
 */
int script_line(const struct process *p, struct bytes path, struct bytes tool, struct bytes changed, uint64_t before_ns,
                struct sbuf *ret);

/* Pure: the same of a text. *ret_number counts from 1. */
int script_line_find(struct bytes text, struct bytes tool, struct bytes changed, unsigned *ret_number, struct bytes *ret_line);
