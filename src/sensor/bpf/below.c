/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/mountinfo.h"

int bpf_mounts_parse(struct bytes mountinfo, struct bytes path, struct sbuf *out)
{
    struct mountinfo mount;
    int count = 0;

    while (mountinfo_next(&mountinfo, &mount)) {
        char *room = sbuf_room(out, mount.point.len + 1);
        struct bytes point;

        if (!room)
            return -ENOMEM;
        point = (struct bytes){ room, mountinfo_unescape(mount.point, room) };
        if (point.len <= path.len || !bytes_path_covers(path, point))
            continue;
        sbuf_added(out, point.len);
        sbuf_add_char(out, '\0');
        count++;
    }
    return sbuf_error(out) ? -ENOMEM : count;
}

int bpf_mounts_below(struct bytes path, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int r = mountinfo_read("/proc/self/mountinfo", &text);

    return r < 0 ? r : bpf_mounts_parse(sbuf_bytes(&text), path, out);
}

bool bpf_mount_answers(struct foreign_mounts *mounts, struct bytes point, struct bytes *silent)
{
    struct bytes name = bytes_basename(point), in = bytes_dirname(point);
    _cleanup_close_ int fd = -EBADF;
    char path[PATH_MAX];

    if (silent->len && bytes_path_covers(*silent, point))
        return false;
    if (!name.len || point.len >= sizeof(path))
        return true;
    memcpy(path, in.data, in.len);
    path[in.len] = '\0';
    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    memcpy(path, name.data, name.len);
    path[name.len] = '\0';
    if (fd < 0 || foreign_mounts_answer(mounts, fd, path))
        return true;
    *silent = point;
    return false;
}
