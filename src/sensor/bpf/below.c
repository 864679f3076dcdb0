/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/below.h"

#include <errno.h>

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
