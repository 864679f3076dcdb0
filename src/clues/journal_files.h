/* SPDX-License-Identifier: MIT */
/* The files of this host's journal, opened in a worker as long as it may: libsystemd reads them when it may open nothing. */
#pragma once

#include <stdint.h>

#define JOURNAL_FILES_MAX 128

struct journal_files {
    int fds[JOURNAL_FILES_MAX]; /* the worker's: it ends */
    unsigned count;
};

/* Those that were written to after `earliest_ns` (CLOCK_REALTIME, 0: all). root: of clue_root(). How many. */
unsigned journal_files_open(int root, uint64_t earliest_ns, struct journal_files *ret);
