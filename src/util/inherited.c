/* SPDX-License-Identifier: MIT */
#include "util/inherited.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* Calls each() with the number of every descriptor below INHERITED_MAX. False: it is not known which there are. */
static bool each_descriptor(void (*each)(struct inherited *data, unsigned fd), struct inherited *data)
{
    _cleanup_closedir_ DIR *d = opendir("/proc/self/fd");

    for (struct dirent *e; d && (e = readdir(d));) {
        unsigned long fd = strtoul(e->d_name, NULL, 10);

        if (e->d_name[0] != '.' && fd < INHERITED_MAX && fd != (unsigned long)dirfd(d))
            each(data, (unsigned)fd);
    }
    return d != NULL;
}

static void note(struct inherited *data, unsigned fd)
{
    data->bits[fd / 64] |= 1ull << fd % 64;
}

static void close_other(struct inherited *data, unsigned fd)
{
    if (!(data->bits[fd / 64] >> fd % 64 & 1))
        (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

void inherited_note(struct inherited *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (!each_descriptor(note, ret))
        memset(ret, 0xff, sizeof(*ret));
}

void inherited_keep(const struct inherited *i)
{
    struct inherited copy = *i;

    (void)each_descriptor(close_other, &copy);
}
