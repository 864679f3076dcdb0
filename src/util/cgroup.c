/* SPDX-License-Identifier: MIT */
#include "util/cgroup.h"

#include <linux/magic.h>
#include <stddef.h>
#include <sys/vfs.h>

#include "util/macro.h"

const char *cgroup_unified(void)
{
    static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
    struct statfs type;

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (statfs(places[i], &type) == 0 && type.f_type == CGROUP2_SUPER_MAGIC)
            return places[i];
    return NULL;
}
