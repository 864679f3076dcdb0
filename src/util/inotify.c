/* SPDX-License-Identifier: MIT */
#include "util/inotify.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

/* The kernel has one errno for both. */
static bool has_descriptors(void)
{
    int fd = eventfd(0, EFD_CLOEXEC);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

int inotify_open(struct err *err)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), r = -errno;

    if (fd >= 0)
        return fd;
    if (r == -EMFILE && has_descriptors())
        return err_say(err, -EMFILE, "programs of this user hold all inotify instances that he may have: end one, or raise "
                                     "fs.inotify.max_user_instances (sysctl)");
    return err_set(err, r, "inotify");
}
