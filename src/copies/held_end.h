/* SPDX-License-Identifier: MIT */
/* What becomes of a content that was held (held.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HELD_WRITER_MS 5000 /* so long a writer waits at most for a copy, as far as we decide it */

/* What became of one: it is not held any more. */
struct held_end {
    int error;       /* 0: it was copied; -ENOSPC; -EFBIG: no room; -ETIMEDOUT: it took too long; -ESTALE: it had been changed without notice; others: of the disk */
    bool written;    /* somebody opened it for writing; else it has gone from its path */
    uint64_t size;
    unsigned char sha256[32];
    char path[];     /* its name, as it was held */
};
