/* SPDX-License-Identifier: MIT */
/* Memory that is not needed any more goes back to the kernel. */
#pragma once

#include <stdint.h>

/*
 * What the heap does not use, and the pages of executable and libraries that were read while they were loaded:
 * they come back from the page cache when somebody needs them. Some 10 MB of resident memory, at the price of a
 * look at /proc/self/smaps (a few milliseconds). Call it once, when everything is set up.
 */
void memory_give_back(void);

/* What a busy time has left unused between what is in use. Some milliseconds for each 20 MB: now and then. */
void memory_trim(void);

/* From now on what is freed is kept for what comes next: for whoever reads much, piece by piece, and ends. */
void memory_keep(void);

/* Bytes that are in memory now; 0: not known. */
uint64_t memory_resident(void);
