/* SPDX-License-Identifier: MIT */
/*
 * The watches of one run: each target is resolved to objects, which are added to the sensors; containers are
 * followed through restart and recreation, and what a sensor reports is put into the victim's terms.
 */
#pragma once

#include "engine/engine.h"
#include "event/coverage.h"
#include "event/event.h"
#include "event/watch_object.h"
#include "util/err.h"
#include "util/log.h"
#include "watch/coverage.h"
#include "watch/follow.h"
#include "watch/new_life.h"
#include "watch/options.h"
#include "watch/target.h"

struct watchset;

/* The options are copied, what they point to is borrowed until watchset_free(). -ENOMEM. One thread. */
int watchset_new(const struct watchset_options *options, struct watchset **ret, struct err *err);
void watchset_free(struct watchset *set); /* NULL is fine */

/* Takes over `target` (also on failure). A container that does not exist yet is waited for. */
int watchset_add(struct watchset *set, struct target *target, struct err *err);

/*
 * Give the event its watch, victim, key and both paths. event->object says which object matched.
 * The watch's text and key are lent: for a minute at least.
 * Returns false if it is not ours (its object is gone, or it lies outside what the user asked for).
 */
bool watchset_event(struct watchset *set, struct event *event);

/* All targets as written, separated by one space. Valid until the next add or change. */
struct bytes watchset_text(const struct watchset *set);
void watchset_make_text(struct watchset *set); /* anew, for change.h */

