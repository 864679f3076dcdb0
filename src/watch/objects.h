/* SPDX-License-Identifier: MIT */
/* The objects of a watch: what the sensors observe. */
#pragma once

#include "watch/state.h"

/* Make what the instance uses equal to `places`: objects that stay are not touched, so that no change is missed. */
int objects_set(struct watchset *set, struct instance *i, const struct place *places, size_t n,
                struct err *err);
/* Take away what is seen in the mount namespace of the instance's processes, which are gone. */
void objects_drop_seen_inside(struct watchset *set, struct instance *i);
/* Its container was removed: what is left of what it uses are volumes, by their place on the host. False: there are none. */
bool objects_keep_volumes(struct watchset *set, struct instance *i);
/* Does it use what is there, and no instance whose container there is uses it? */
bool objects_concern(const struct instance *i);
/* True also where its file system does not answer. */
bool object_is_there(const struct object *o);
void objects_free(struct watch *w);
/* Forget those of whom nothing more is coming; all: every one. */
void objects_forget_retired(struct watchset *set, bool all);
/* Who uses it: the one that runs first. */
const struct use *object_use(const struct object *o);
