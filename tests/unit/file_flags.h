/* SPDX-License-Identifier: MIT */
/* The flags of a file, changed as chattr(1) does it. */
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* "Not in dumps" becomes what it was not. False: this file system has no flags. */
static inline bool change_flags(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), flags = 0;
    bool changed = fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;

    flags ^= FS_NODUMP_FL;
    changed = changed && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    if (fd >= 0)
        close(fd);
    return changed;
}
