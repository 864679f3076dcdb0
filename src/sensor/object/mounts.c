/* SPDX-License-Identifier: MIT */
#include "sensor/object/mounts.h"

#include <stdio.h>

int mounts_read(pid_t ns_pid, struct sbuf *out)
{
    char path[48] = "/proc/self/mountinfo";

    if (ns_pid)
        snprintf(path, sizeof(path), "/proc/%d/mountinfo", ns_pid);
    return mountinfo_read(path, out);
}

bool mounts_next(struct bytes *text, struct bytes path, struct sbuf *room, struct mount_seen *ret)
{
    while (mountinfo_next(text, &ret->mount)) {
        char *point;

        sbuf_clear(room);
        point = sbuf_room(room, ret->mount.point.len + 1);
        if (!point)
            return false;
        ret->point = (struct bytes){ point, mountinfo_unescape(ret->mount.point, point) };
        if (bytes_equal(ret->point, path))
            ret->where = MOUNT_AT;
        else if (bytes_path_covers(path, ret->point))
            ret->where = MOUNT_BELOW;
        else if (bytes_path_covers(ret->point, path))
            ret->where = MOUNT_ABOVE;
        else
            continue;
        return true;
    }
    return false;
}
