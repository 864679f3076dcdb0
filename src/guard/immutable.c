/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "guard/guard.h"
#include "guard/tree.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"
#include "util/sbuf.h"

static const struct guard_lack lacks[] = {
    { "whoever clears the flags first (chattr -i, which takes root's CAP_LINUX_IMMUTABLE)", LACK_ALWAYS },
    { "a rename of a folder above, a mount over it, the block device; symbolic links themselves", LACK_ALWAYS },
    { "on tmpfs what was open for writing or mapped before", LACK_OF_TMPFS },
    { "everybody is denied, the container's own processes and docker cp too; docker rm and rmi wait for the guard's end", LACK_OF_CONTAINERS },
    { "files of an image's layer are held for all containers of that image", LACK_OF_CONTAINERS },
    { NULL, LACK_ALWAYS },
};

/* ---- what there is ---- */

struct collecting {
    const struct guard_set *others;
    struct guard_list *list;
    struct err *err;
    dev_t device; /* of the last one */
};

static bool may_be_held(mode_t mode)
{
    return S_ISREG(mode) || S_ISDIR(mode);
}

/* Where the file is mounted; without that, what is not found counts as gone, as it is once a tmpfs is unmounted. */
static int add_mount(struct collecting *c, int fd, dev_t device)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    char text[PATH_MAX];
    struct mountinfo mount;
    struct statfs type;
    struct bytes point;
    int64_t id;

    if (device == c->device)
        return 0;
    c->device = device;
    id = beneath_mount_of(fd);
    if (id < 0 || fstatfs(fd, &type) < 0 || type.f_type == TMPFS_MAGIC || type.f_type == RAMFS_MAGIC)
        return 0;
    (void)mountinfo_read("/proc/self/mountinfo", &table);
    if (!mountinfo_by_id(sbuf_bytes(&table), (uint64_t)id, &mount))
        return 0;
    point = mountinfo_plain(mount.point, text);
    return point.len ? guard_list_add_mount(c->list, point) : 0;
}

static int add(void *data, int fd, const struct stat *st)
{
    struct collecting *c = data;
    char link[64], path[PATH_MAX];
    _cleanup_close_ int opened = -EBADF;
    int flags = 0, r;
    ssize_t n;

    if (!may_be_held(st->st_mode))
        return 0;
    opened = beneath_reopen(fd);
    if (opened < 0)
        return err_set(c->err, opened, "a file of the target");
    if (ioctl(opened, FS_IOC_GETFLAGS, &flags) < 0)
        return err_say(c->err, -EOPNOTSUPP, "the file system of the target has no immutable flag");
    if ((flags & FS_IMMUTABLE_FL) && !guard_set_has(c->others, st->st_dev, st->st_ino))
        return 0; /* somebody's own: it stays */
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0 || n == sizeof(path) - 1)
        return err_set(c->err, n < 0 ? -errno : -ENAMETOOLONG, "the path of a file");
    path[n] = '\0';
    r = add_mount(c, fd, st->st_dev);
    if (r < 0)
        return r;
    r = guard_list_add(c->list, path, st->st_dev, st->st_ino, S_ISDIR(st->st_mode));
    return r == -E2BIG ? err_say(c->err, r, "more than %d files: guard a part of them", LIMIT_GUARD_FILES) : r;
}

static int collect(const struct guard_target *target, const struct guard_set *others, struct guard_list *list, struct err *err)
{
    struct collecting c = { .others = others, .list = list, .err = err };

    return guard_tree_layers(target, add, &c, err);
}

/* ---- holding and releasing ---- */

/* The file that it was, and no other. -ESTALE, -errno */
static int open_entry(const struct guard_entry *e, bool any_device)
{
    _cleanup_close_ int fd = beneath_open_plain(AT_FDCWD, e->path, O_PATH);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_ino != e->inode || (!any_device && st.st_dev != e->device) || S_ISDIR(st.st_mode) != e->directory || !may_be_held(st.st_mode))
        return -ESTALE;
    return beneath_reopen(fd);
}

static int hold(const struct guard_list *list, size_t from, struct err *err)
{
    for (size_t i = from; i < list->count; i++) {
        _cleanup_close_ int fd = open_entry(&list->entries[i], false);
        int flags = 0;

        if (fd == -ENOENT || fd == -ESTALE)
            continue; /* gone meanwhile */
        if (fd < 0)
            return err_set(err, fd, "holding a file");
        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
            return err_set(err, -errno, "the flags of a file");
        flags |= FS_IMMUTABLE_FL;
        if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
            return errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL
                       ? err_say(err, -EOPNOTSUPP, "the file system of the target cannot hold a file immutable (tmpfs can since kernel 6.6)")
                   : errno == EROFS ? err_say(err, -EROFS, "the file system of the target is read-only: nothing of it can be changed, nor its flags")
                                    : err_set(err, -errno, "the immutable flag");
    }
    guard_tree_forget();
    return 0;
}

/* There is nothing by that path that we have held. */
static bool is_gone(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ESTALE;
}

/* 1: the flag is taken away; 0: somebody was here before; -errno: it is still there, or may be. */
static int release_entry(const struct guard_list *list, struct bytes mounts, const struct guard_entry *e)
{
    /* a device has another number after a restart of the machine: the path, the inode and the flag say which file it is */
    _cleanup_close_ int fd = open_entry(e, true);
    int flags = 0;

    if (fd < 0)
        return is_gone(fd) && guard_list_is_mounted(list, mounts, e->path) ? 0 : fd;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return errno == ENOTTY || errno == EOPNOTSUPP ? 0 : -errno;
    if (!(flags & FS_IMMUTABLE_FL))
        return 0;
    flags &= ~FS_IMMUTABLE_FL;
    return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 1;
}

static struct guard_released release(const struct guard_list *list, const struct guard_set *others)
{
    _cleanup_sbuf_ struct sbuf mounts = SBUF_INIT;
    struct guard_released released = { 0 };

    (void)mountinfo_read("/proc/self/mountinfo", &mounts);
    for (size_t i = list->count; i-- > 0;) {
        const struct guard_entry *e = &list->entries[i];
        bool shared = guard_set_has(others, e->device, e->inode);
        int r = shared ? 0 : release_entry(list, sbuf_bytes(&mounts), e);

        released.shared += shared;
        released.failed += r < 0;
        released.other += r == 0 && !shared;
    }
    guard_tree_forget();
    return released;
}

/* ---- is it denied? ---- */

struct testing {
    size_t denied, all;
};

/*
 * The kernel's own judgement of writing, as it meets whoever comes through the container's overlay: EPERM to root is the flag and
 * nothing else. Where that is so, a change that would change nothing is tried in earnest.
 */
static int judge(void *data, int fd, const struct stat *st)
{
    struct testing *t = data;
    char path[64];

    if (!may_be_held(st->st_mode))
        return 0;
    t->all++;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 || errno != EPERM)
        return 0;
    if (chmod(path, st->st_mode & 07777) < 0 && errno == EPERM)
        t->denied++;
    return 0;
}

static int test(const struct guard_target *target, size_t *ret_denied, size_t *ret_all, struct err *err)
{
    struct testing t = { 0 };
    int r = guard_tree_view(target, judge, &t, err);

    *ret_denied = t.denied;
    *ret_all = t.all;
    return r;
}

const struct guard_method guard_immutable = { "immutable", lacks, collect, hold, release, test };
