/* SPDX-License-Identifier: MIT */
#include "history/proc_root.h"

struct bytes replay_below_root(struct bytes path)
{
    static const char proc[] = "/proc/", root[] = "/root/";
    size_t at = sizeof(proc) - 1;

    if (path.len < at || memcmp(path.data, proc, at) != 0)
        return path;
    while (at < path.len && path.data[at] >= '0' && path.data[at] <= '9')
        at++;
    if (at == sizeof(proc) - 1 || path.len - at < sizeof(root) - 1 || memcmp(path.data + at, root, sizeof(root) - 1) != 0)
        return path;
    at += sizeof(root) - 2; /* the slash is the path's first byte */
    return (struct bytes){ path.data + at, path.len - at };
}
