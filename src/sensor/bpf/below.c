/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "sensor/object/mounts.h"
#include "util/cleanup.h"

int bpf_mounts_parse(struct bytes mountinfo, struct bytes path, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf room = SBUF_INIT;
    struct mount_seen seen;
    int count = 0;

    while (mounts_next(&mountinfo, path, &room, &seen)) {
        if (seen.where != MOUNT_BELOW)
            continue;
        sbuf_add_bytes(out, seen.point);
        sbuf_add_char(out, '\0');
        count++;
    }
    return sbuf_error(out) || sbuf_error(&room) ? -ENOMEM : count;
}

int bpf_mounts_below(struct bytes path, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int r = mounts_read(0, &text);

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
