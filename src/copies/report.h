/* SPDX-License-Identifier: MIT */
/* How far copies are kept. */
#pragma once

#include <stdint.h>

struct copies_report {
    uint64_t walks;      /* of the watched folders, that came to their end */
    uint64_t files;      /* that are there and kept */
    uint64_t bytes, limit; /* on disk */
    uint64_t too_large, unreadable; /* of the last walk: not kept */
    uint64_t unwatched;  /* mounts below, which are not entered */
    uint64_t held;       /* not copied: that is done when somebody changes or removes them (holding.h) */
    uint64_t written;    /* not held, because others had them open for writing, since the beginning: copied as they were just then */
    uint64_t unheld;     /* of these so many were changed or removed, since the beginning, and their content is not kept */
    uint32_t killed;     /* so often the process that keeps them was killed and begun anew */
    uint32_t holding_killed; /* the same of the one that holds */
    int32_t holding;     /* its number; 0: there is none */
    int unheld_error;    /* of the last of `unheld`: -ETIME: whoever changed it would have waited too long; -ESTALE: it was changed without being opened for writing;
                            -E2BIG, -ENOSPC: there was no room; -EPIPE: the process that held it was killed */
    int error;           /* 0; else why nothing is kept now: -EFBIG: what is there is more than the limit has room for; -ENOSPC */
    uint32_t reserved;
};
