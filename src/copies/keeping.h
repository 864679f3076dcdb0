/* SPDX-License-Identifier: MIT */
/* The keeper's own process (keeper.h), and what both sides say to each other. */
#pragma once

#include <linux/capability.h>
#include <stdint.h>

#include "copies/report.h"

/* To open what others own; a lease on it (F_SETLEASE); a mount of its own to hold it by (open_tree), so that the file's can be unmounted. */
#define KEEPING_CAPABILITIES \
    (UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_LEASE | UINT64_C(1) << CAP_SYS_ADMIN)

enum keeper_word { KEEPER_WATCH, KEEPER_WATCH_MOUNTED, KEEPER_LEAVE, KEEPER_FORGET, KEEPER_AGE, KEEPER_CHANGED, KEEPER_GONE, KEEPER_AGAIN, KEEPER_ASKED };

/* One datagram, the path behind it. KEEPER_ASKED: one that was begun anew has been asked again for all. */
struct keeper_ask {
    uint64_t time_ns; /* CLOCK_REALTIME: of the event, of the first that was missed; of KEEPER_AGE for how long copies are kept, 0: for ever */
    uint32_t word;
    uint32_t point_len; /* of KEEPER_WATCH_MOUNTED: copies_root's */
};

/* Of those that did the same before, and were killed. */
struct keeping_before {
    uint32_t killed;  /* how many */
    uint64_t lost_ns; /* CLOCK_REALTIME: when the last one was gone */
};

/* The first report says whether copies can be kept at all. What earlier ones were asked for is unknown to it. Does not return. */
_Noreturn void keeping_run(int socket, const char *directory, uint64_t limit, const struct keeping_before *before);
