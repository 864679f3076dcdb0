/* SPDX-License-Identifier: MIT */
/* Where cgroups of version 2 are (cgroups(7)). */
#pragma once

/* The unified hierarchy: alone, or beside those of version 1. A constant; NULL: there is none. Any thread. */
const char *cgroup_unified(void);
