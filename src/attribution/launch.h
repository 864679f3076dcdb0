/* SPDX-License-Identifier: MIT */
/*
 * How a process was launched, beside who launched it (struct launch): the line of the crontab that cron's command came from,
 * the client on this host that asked for a process in a container. Looked up while that is still there, in a worker (foreign/foreign.h)
 * that is waited for a moment only. What is ambiguous is left out.
 */
#pragma once

#include "attribution/ci_job.h"
#include "engine/engine.h"
#include "attribution/process_table.h"
#include "attribution/users.h"

struct launch_sources { /* all borrowed */
    struct process_table *table;
    struct engines *engines; /* NULL: only containers that run are looked into */
    struct users *users;
    struct ci_jobs *ci_jobs; /* NULL: none are known */
    bool *timers_hang;       /* of timer_find() */
};

/* p, its earlier images and its launchers have been attributed but for this, and its launchers for this as well: `launch` of each
 * of its images is filled in. */
void launch_find(const struct launch_sources *sources, struct process *p);

/* Pure. Does this command line ("docker exec -it web sh", "kubectl exec pod -- sh", each argument ended by a NUL) ask for
 * `args` in a container that one of `names` (each ended by a NUL) means? script: what became its interpreter by #!, as `args`
 * have it; the client asked for it by that path, or by its name. BYTES_NULL: none. */
bool launch_client_asks(struct bytes client, struct bytes names, struct bytes args, struct bytes script);
/* Pure. Does this command line ("docker cp a web:/prd/b") copy into a container's directory `destination`, or to a name in it? */
bool launch_client_copies(struct bytes client, struct bytes destination);
