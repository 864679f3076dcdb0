/* SPDX-License-Identifier: MIT */
#include "copies/ended.h"

#include "util/macro.h"
#include "util/mountinfo.h"

bool ended_is_mounted(struct bytes table, struct bytes point)
{
    char room[PATH_MAX];
    struct mountinfo mount;

    while (mountinfo_next(&table, &mount))
        if (bytes_equal(mountinfo_plain(mount.point, room), point))
            return true;
    return false;
}

size_t ended_next_look(size_t left)
{
    return MAX((size_t)ROOTS_FEW, 2 * left);
}
