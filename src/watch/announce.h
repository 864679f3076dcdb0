/* SPDX-License-Identifier: MIT */
/*
 * What is said to the user of the containers and paths of a watch: notices, by the watchset's notice(), and explanations for the
 * timeline, by its explain(). Nothing here changes what is watched. One thread: the one of the watchset.
 */
#pragma once

#include "watch/state.h"

/* The watch found its container `i`, which has its record by now. Of a plural watch only the first few are said one by one. */
void announce_resolved(struct watchset *set, const struct instance *i);

/* What is not there is waited for, and the wait is said, once a watch: a slip of the pen shows at once. places: n of them. begins: nothing was
 * there before, as far as the watch knows. */
void announce_missing(struct watchset *set, struct watch *w, const struct place *places, size_t n, bool begins);

/* Nobody has the name (why: as the engine put it, without end of line): said once, until w->waiting_said is false again. */
void announce_waiting(struct watchset *set, struct watch *w, const char *why);

/* A tmpfs is empty after each start, without anybody deleting its files. previous_start_ns: CLOCK_REALTIME, 0 = not known. */
void announce_tmpfs(struct watchset *set, const struct instance *i, const struct place *places,
                    size_t n, uint64_t previous_start_ns);

/* Made anew under the same name: a volume that it does not have any more is still on the host. To be called while `i` still uses what
 * it had. places: n of them, what it has now. */
void announce_mounted(struct watchset *set, const struct instance *i, const struct place *places, size_t n);

/* Made anew under the same name: its layer went with the one before it, unless it is the same. To be called while `i` still has
 * the record and layer from before `view`; lets go of i->previous. */
void announce_recreated(struct watchset *set, struct instance *i, const struct container_view *view);
