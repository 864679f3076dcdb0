/* SPDX-License-Identifier: MIT */
/* How far copies are kept. */
#pragma once

#include <stdint.h>

struct copies_report {
    uint64_t walks;      /* of the watched folders, that came to their end */
    uint64_t files;      /* that are there and kept */
    uint64_t bytes, limit; /* on disk */
    uint64_t held;       /* of these: not copied before they change */
    uint64_t lost;       /* of these, since the beginning: changed, and could not be copied; lost_error: why the last one */
    uint64_t busy;       /* now: somebody has them open for writing; they are kept once he has closed them */
    uint64_t too_large, unreadable; /* of the last walk: not kept */
    uint64_t unwatched;  /* mounts below, which are not entered */
    uint32_t killed;     /* so often the process that keeps them was killed and begun anew */
    int lost_error;
    int error;           /* 0; else why nothing is kept now: -EFBIG: what is there is more than the limit has room for; -ENOSPC */
};
