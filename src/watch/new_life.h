/* SPDX-License-Identifier: MIT */
/* New lives of watched containers, as the kernel reports them. */
#pragma once

#include "util/bytes.h"

struct watch;
struct watchset;

/* A program was executed in this cgroup: it may be the next life of a container that is watched. Looks at nothing itself, so that it
 * may be called while an event is handled; that does watchset_look_for_new_lives(). */
void watchset_process(struct watchset *set, struct bytes cgroup);
void watchset_look_for_new_lives(struct watchset *set);

/* Look for those of one watch; their engines are to be asked. */
void new_life_look(struct watchset *set, struct watch *w);
