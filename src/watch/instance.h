/* SPDX-License-Identifier: MIT */
/* The containers of a watch, as a list that the watch owns. Which there are is follow's to find out. One thread. */
#pragma once

#include "util/err.h"

struct container;
struct instance;
struct watch;
struct watchset;

/* A new instance of the watch, which owns it; NULL: out of memory, or more than INSTANCES_MAX; err says that. */
struct instance *instance_add(struct watchset *set, struct watch *w, struct err *err);
/* The watch's instance of that container, by runtime and id; NULL: it has none. Valid until it is removed. */
struct instance *instance_find(const struct watch *w, const struct container *c);
/* With its objects: the sensors give them up. `i` is freed. */
void instance_remove(struct watchset *set, struct instance *i);
/* Of a plural watch: those whose containers were removed and whose volumes are gone too, or another container's now; and of more than
 * a few the oldest. */
void instances_forget_removed(struct watchset *set, struct watch *w);
void instances_free(struct watch *w); /* all of them; their objects were given up before */
