/* SPDX-License-Identifier: MIT */
/*
 * The client on this host that asked an engine for something: an exec in a container, its start, a copy into it; and what called that
 * client. Looked for among the processes that are remembered. launch_find() (launch.h) says what of a process is known before.
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
    /* Attributes a client that was found, and its launchers: what called it is said then. NULL: it is not looked for. */
    void (*attribute)(void *data, struct process *p);
    void *data;
};

/* It came into its container by itself, not as the child of somebody who was there. Pure. */
bool launch_came_in(const struct process *p);
/* Of one that did: its `launch`, and that of its earlier images, where one client asked for it and no other may have. */
void launch_find_client(const struct launch_sources *sources, struct process *p);
/* Of the engine's part of a copy; any other process is left as it is. */
void launch_find_copier(const struct launch_sources *sources, struct process *p);
/* The client that had an engine's daemon remove that, and waited for it at some time of those (CLOCK_BOOTTIME); NULL: none is known, or
 * several. Borrowed from the table. */
struct removal;
struct process *launch_find_remover(const struct launch_sources *sources, const struct removal *removal, uint64_t from_ns, uint64_t to_ns);
/* p: the daemon as it works for that client. */
void launch_set_remover(const struct launch_sources *sources, struct process *p, struct process *client);

/* Pure. Does this command line ("docker exec -it web sh", "kubectl exec pod -- sh", each argument ended by a NUL) ask for
 * `args` in a container that one of `names` (each ended by a NUL) means? script: what became its interpreter by #!, as `args`
 * have it; the client asked for it by that path, or by its name. BYTES_NULL: none. */
bool launch_client_asks(struct bytes client, struct bytes names, struct bytes args, struct bytes script);
/* Pure. Does this command line ("docker cp a web:/prd/b") copy into a container's directory `destination`, or to a name in it? */
bool launch_client_copies(struct bytes client, struct bytes destination);
