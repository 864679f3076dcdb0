/* SPDX-License-Identifier: MIT */
/* A watch follows its path and its containers. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"
#include "util/err.h"

struct watch;
struct watchset;
struct container;
struct lifecycle_event;

/* Follow a container: to be called with every moment of every container's life. */
void watchset_life(struct watchset *set, const struct lifecycle_event *life);

/* Look again for what is waited for. Called about once a second. */
void watchset_poll(struct watchset *set);

/* True if a link on the way to a watched path was changed since: what it leads to now is not watched before the next
 * watchset_poll(). */
bool watchset_leads_elsewhere(const struct watchset *set);

/* True while a watched container is down or starting, so that it is worth waiting for an engine's notifications. */
bool watchset_is_waiting(const struct watchset *set);

/* True if container `c` is the one of a watch: its moments belong into the timeline. */
bool watchset_concerns(const struct watchset *set, const struct container *c);

/* Targets that were never there while it was watched: no container, or nothing by that path then and now. What a path saw come
 * and go is known from events alone. text: as written. */
void watchset_each_absent(const struct watchset *set, void (*each)(void *data, struct bytes text), void *data);

/* Look the watch up anew: its path, its container, or all containers that match. */
int follow_resolve(struct watchset *set, struct watch *w, bool first, struct err *err);
void follow_window(struct watchset *set);
