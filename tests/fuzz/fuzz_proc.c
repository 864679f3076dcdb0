/* SPDX-License-Identifier: MIT */
/* The input is a file of /proc/PID: mountinfo, stat (a process chooses its name), cgroup, environ. */
#include <limits.h>
#include <stdlib.h>

#include "attribution/procfs.h"
#include "fuzz.h"
#include "util/mountinfo.h"

static void read_mounts(struct bytes text)
{
    struct mountinfo mount;
    struct bytes rest = text;

    while (mountinfo_next(&rest, &mount)) {
        char *point = malloc(mount.point.len);

        if (!point || mount.point.data < text.data || mount.rest.data + mount.rest.len > text.data + text.len)
            abort();
        if (mountinfo_unescape(mount.point, point) > mount.point.len)
            abort();
        (void)mountinfo_covers(&mount, bytes_of("/mnt/My Disk/file"));
        free(point);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size }, part;
    uint64_t start = 0;
    pid_t parent = 0;

    read_mounts(text);
    if (procfs_parse_stat(text, &parent, &start) == 0 && parent < 0)
        abort();
    part = procfs_parse_cgroup(text);
    if (part.len && (part.data < text.data || part.data + part.len > text.data + text.len))
        abort();
    part = procfs_variable(text, "SSH_CONNECTION", '\0');
    if (part.len && (part.data < text.data || part.data + part.len > text.data + text.len))
        abort();
    return 0;
}
