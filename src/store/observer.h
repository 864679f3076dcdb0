/* SPDX-License-Identifier: MIT */
/* Who writes a span of coverage: kept with it, so that whoever reads knows at once whether that one still lives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"

#define OBSERVER_SIZE 112

/* This process: its boot, pid namespace, pid and start. "" if /proc does not say. */
void observer_write(char ret[OBSERVER_SIZE]);

/* Written in its place once that one writes elsewhere: it has ended, whoever lives. */
#define OBSERVER_NOBODY "- 0 1 0"

/* Of another boot of this machine, or of another machine; false where that is not written down. */
bool observer_is_of_another_boot(struct bytes observer);

/* Does it live? Where that cannot be seen, by beat_ns, when it last wrote. Both CLOCK_REALTIME. */
bool observer_is_alive(struct bytes observer, uint64_t beat_ns, uint64_t now_ns);
