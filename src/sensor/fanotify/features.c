/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/features.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/fanotify/decode.h"
#include "util/cleanup.h"

#define BASE (FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS | \
              FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME)

static int init(unsigned flags)
{
    int fd = fanotify_init(flags, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static bool works(unsigned flags)
{
    _cleanup_close_ int fd = init(flags);

    return fd >= 0;
}

/* A mask that is not known is refused as such; a file system that cannot be marked otherwise. */
static bool knows(int group, unsigned how, uint64_t mask)
{
    return fanotify_mark(group, FAN_MARK_ADD | how, mask, AT_FDCWD, "/") == 0 || errno != EINVAL;
}

/* chattr makes no event on older kernels. Tried on a file in memory that nobody else has. */
static bool reports_flags(void)
{
    _cleanup_close_ int group = init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_FID);
    _cleanup_close_ int file = memfd_create("culprit", MFD_CLOEXEC);
    char path[64], event[256];
    int flags = 0;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (group < 0 || file < 0 || fanotify_mark(group, FAN_MARK_ADD, FAN_ATTRIB, AT_FDCWD, path) < 0 ||
        ioctl(file, FS_IOC_GETFLAGS, &flags) < 0)
        return false;
    flags ^= FS_NODUMP_FL;
    return ioctl(file, FS_IOC_SETFLAGS, &flags) == 0 && read(group, event, sizeof(event)) > 0;
}

int fanotify_probe(struct fanotify_features *ret, struct err *err)
{
    struct fanotify_features f = { 0 };
    _cleanup_close_ int group = init(BASE);

    if (group == -EPERM)
        return err_say(err, -EPERM, "needs root (CAP_SYS_ADMIN)");
    if (group == -ENOSYS)
        return err_say(err, -ENOSYS, "this kernel is built without fanotify");
    if (group == -EINVAL)
        return err_say(err, -EINVAL, "this kernel's fanotify does not report names (Linux 5.9 does)");
    if (group < 0)
        return err_set(err, group, "fanotify");
    f.names = true;
    f.target = works(BASE | FANOTIFY_REPORT_TARGET_FID);
    f.pidfd = works(BASE | FANOTIFY_REPORT_PIDFD);
    f.rename = knows(group, FAN_MARK_INODE, FANOTIFY_RENAME | FAN_ONDIR);
    f.errors = knows(group, FAN_MARK_FILESYSTEM, FANOTIFY_FS_ERROR);
    f.flags = reports_flags();
    *ret = f;
    return 0;
}

int fanotify_group_open(const struct fanotify_features *features, bool bounded, struct err *err)
{
    int fd = init(BASE | (bounded ? 0u : FAN_UNLIMITED_QUEUE) |
                  (features->target ? FANOTIFY_REPORT_TARGET_FID : 0u) |
                  (features->pidfd ? FANOTIFY_REPORT_PIDFD : 0u));

    if (fd == -EMFILE)
        return err_say(err, fd, "too many fanotify groups; raise fs.fanotify.max_user_groups");
    return fd < 0 ? err_set(err, fd, "fanotify") : fd;
}
