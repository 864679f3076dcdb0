/* SPDX-License-Identifier: MIT */
/*
 * An engine's daemon works for many clients: its records while it removes what one of them asked for. Owned by attribution; one thread.
 */
#pragma once

#include "attribution/launch_client.h"
#include "event/event.h"
#include "util/fingerprint.h"

#define WORKS 8 /* containers and volumes that are being removed at a time */

struct engine_work {
    struct fingerprint what;              /* the container and the volume */
    struct process *daemon;               /* owned references; NULL: nothing is known here */
    struct process *client, *record;      /* NULL: no client asked for it, as far as is known */
    uint64_t until_ns;                    /* CLOCK_BOOTTIME: where none is known, then it is asked again */
};

struct works {
    struct engine_work list[WORKS];
    unsigned next;
};

/* The actor, which is attributed, becomes its record for the client; another actor, or one whose client is not known, stays. */
void works_take(struct works *w, const struct launch_sources *sources, struct event *e);
void works_done(struct works *w);
