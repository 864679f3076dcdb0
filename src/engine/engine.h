/* SPDX-License-Identifier: MIT */
/*
 * Container engines: a table of one row each. They answer which containers there are, where the
 * files of one are, and what happens to them. An engine that hangs costs a time-out and a warning.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine_events.h"
#include "engine/options.h"
#include "engine/view.h"
#include "util/arena.h"
#include "util/err.h"
#include "util/log.h"
#include "util/sbuf.h"

struct engines;

/* Always succeeds but for memory: engines that are not there are simply not there, and are looked
 * for again when a name is asked for. */
int engines_new(const struct engines_options *options, struct engines **ret, struct err *err);
void engines_free(struct engines *e);

/* How long a daemon's answer is waited for, once for each that hangs: 2 s at first. A shorter time
 * while events wait; what is answered later is kept for who asks again (engines_dispatch() returns 1). */
void engines_set_patience(struct engines *e, unsigned ms);

/* A name, an id or a unique id prefix, of any engine, or of the one called `runtime` if that is not
 * empty. -ENOENT: no such container (err holds "no container "wbe"; did you mean web? (docker: web, db)");
 * -EEXIST: ambiguous, err lists the candidates; -ETIMEDOUT, -EACCES, -ENODEV: it is nowhere else, and an
 * engine hangs, refused, or none is there. err == NULL is quicker: nothing is listed. */
int engines_find(struct engines *e, struct bytes runtime, struct bytes name,
                 struct container_view *ret, struct err *err);

/* All containers that the engines have on record, running or not: short records. Stops at non-zero,
 * which is returned. An engine that does not answer is left out. */
int engines_each(struct engines *e, int (*each)(void *data, struct container *c), void *data);

/* Where a volume's files are on the host, in `arena`. -ENOENT */
int engines_volume(struct engines *e, struct bytes name, struct arena *arena, struct bytes *ret,
                   struct err *err);

/* What the container's engine (c->runtime) still remembers of what was done with it, a JSON object of its own a line, into `ret`. c->id: an
 * id, or the name of one that is gone, or ENGINE_VOLUME (options.h) and that of a volume. -ENOENT: nothing is remembered. */
int engines_recent(struct engines *e, const struct container *c, struct sbuf *ret, struct err *err);

/* Whose layers and mounts hold `host_path`? At most `max`, references owned by the caller; how many. Bounded in
 * time, also where the daemon does not answer: *ret_all says whether every container was looked at. */
size_t engines_sharing(struct engines *e, struct bytes host_path, struct container **ret, size_t max,
                       bool *ret_all);

/* The container whose cgroup or id this is: borrowed, NULL if none is known. Never asks an engine
 * for longer than a cached answer takes; an unknown id gives a record with id and runtime only. */
struct container *engines_by_cgroup(struct engines *e, struct bytes cgroup);
struct container *engines_by_pid(struct engines *e, pid_t pid); /* by its first process */
struct container *engines_by_id(struct engines *e, struct bytes id);
struct container *engines_known(struct engines *e, struct bytes id); /* nobody is asked */

/* For doctor: one line an engine, asked anew; valid until the next call. NULL past the end. */
const struct engine_state *engines_state(struct engines *e, unsigned index);
/* Those that have not answered the last question, as far as that is known by now: nobody is asked. */
void engines_each_silent(const struct engines *e, void (*each)(void *data, const char *name), void *data);
