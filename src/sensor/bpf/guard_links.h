/* SPDX-License-Identifier: MIT */
/* Files of guarded folders that have other names too, perhaps outside: they are registered by themselves. */
#pragma once

#include "sensor/bpf/objects.h"

#define LIMIT_GUARD_LINKS 65536 /* as the programs' map has it */

/*
 * All that are there now at and below what is watched; the programs refuse changes of them by any name from then on. fd of a
 * place, as objects have it. -E2BIG: more than that; -ELOOP: too deep; -errno. What cannot be listed is an error: it is not known
 * what is in it.
 */
int guard_links_register(struct programs *programs, struct bpf_objects *objects, struct err *err);
