/* SPDX-License-Identifier: MIT */
#include "restore/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/layers.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/macro.h"

#define XATTRS_MAX (64 * 1024) /* XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel */
#define OURS (FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL)

/* A descriptor as a path: also O_PATH ones are reached so, and a symbolic link itself. */
static const char *path_of(int fd, char text[64])
{
    snprintf(text, 64, "/proc/self/fd/%d", fd);
    return text;
}

/* Overlay's own bookkeeping; the label that an engine gives each container's files, and a policy each file. */
static bool is_given(const char *name)
{
    static const char *const not_ours[] = { "trusted.overlay.", "user.overlay.", "user.fuseoverlayfs.",
                                            "user.containers.", "security.selinux" };

    for (size_t i = 0; i < ARRAY_SIZE(not_ours); i++)
        if (strncmp(name, not_ours[i], strlen(not_ours[i])) == 0)
            return false;
    return *name != '\0';
}

static unsigned kind_of(const char *name)
{
    if (strncmp(name, "system.posix_acl_", 17) == 0)
        return GIVEN_ACL;
    return strcmp(name, "security.capability") == 0 ? GIVEN_CAPABILITIES : GIVEN_XATTR;
}

static bool in_list(const char *list, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i += strlen(list + i) + 1)
        if (strcmp(list + i, name) == 0)
            return true;
    return false;
}

static size_t list_of(int fd, char *list)
{
    ssize_t n = path_listxattr(fd, list, XATTRS_MAX);

    return n > 0 ? (size_t)n : 0; /* a file system without attributes has none */
}

struct lists {
    char from[XATTRS_MAX], to[XATTRS_MAX], is[XATTRS_MAX], value[XATTRS_MAX];
};

static int give_one(struct lists *l, int from, int to, const char *name, unsigned *given)
{
    char path[64];
    ssize_t n = path_getxattr(from, name, l->value, XATTRS_MAX), m;

    if (n < 0)
        return n == -ENODATA ? 0 : (int)n;
    m = path_getxattr(to, name, l->is, XATTRS_MAX);
    if (m == n && memcmp(l->is, l->value, (size_t)n) == 0) {
        *given |= kind_of(name); /* an ACL comes with the directory */
        return 0;
    }
    if (setxattr(path_of(to, path), name, l->value, (size_t)n, 0) < 0)
        return -errno;
    *given |= kind_of(name);
    return 0;
}

static int give_xattrs(int from, int to, unsigned *given, struct err *err)
{
    _cleanup_free_ struct lists *l = malloc(sizeof(*l));
    size_t has, had;
    char path[64];

    if (!l)
        return err_set(err, -ENOMEM, "attributes");
    had = list_of(from, l->from);
    has = list_of(to, l->to);
    for (size_t i = 0; i < has; i += strlen(l->to + i) + 1) {
        const char *name = l->to + i;

        if (!is_given(name) || in_list(l->from, had, name))
            continue;
        if (removexattr(path_of(to, path), name) < 0 && errno != ENODATA)
            return err_set(err, -errno, "removing its attribute");
        *given |= kind_of(name);
    }
    for (size_t i = 0; i < had; i += strlen(l->from + i) + 1) {
        int r = is_given(l->from + i) ? give_one(l, from, to, l->from + i, given) : 0;

        if (r < 0)
            return err_set(err, r, "its %s", kind_of(l->from + i) == GIVEN_ACL            ? "ACL"
                                             : kind_of(l->from + i) == GIVEN_CAPABILITIES ? "capabilities"
                                                                                          : "extended attributes");
    }
    return 0;
}

int attributes_give(int from, const struct stat *st, int to, unsigned *given, struct err *err)
{
    struct stat is;
    char path[64];

    if (fstat(to, &is) < 0)
        return err_set(err, -errno, "its attributes");
    if ((is.st_uid != st->st_uid || is.st_gid != st->st_gid) && fchownat(to, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
        return err_set(err, -errno, "its owner");
    *given |= GIVEN_OWNER;
    if (!S_ISLNK(st->st_mode)) { /* chown() takes set-user-ID away: the mode comes after it */
        if (chmod(path_of(to, path), st->st_mode & 07777) < 0)
            return err_set(err, -errno, "its mode");
        *given |= GIVEN_MODE;
    }
    return give_xattrs(from, to, given, err); /* chown() takes capabilities away too */
}

int attributes_give_times(const struct stat *st, int to, struct err *err)
{
    struct timespec times[2] = { st->st_atim, st->st_mtim };
    char path[64];

    return utimensat(AT_FDCWD, path_of(to, path), times, 0) < 0 ? err_set(err, -errno, "its times") : 0;
}

/* Those of its own. */
static int read_flags(int fd, const struct held_files *held, int *ret)
{
    struct stat st;

    if (ioctl(fd, FS_IOC_GETFLAGS, ret) < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!held || !(*ret & FS_IMMUTABLE_FL))
        return 0;
    if (held->holds(held->data, &st))
        *ret &= ~FS_IMMUTABLE_FL;
    else if (ioctl(fd, FS_IOC_GETFLAGS, ret) < 0) /* the guard may just have ended */
        return -errno;
    return 0;
}

int attributes_give_flags(int from, const struct stat *st, int to, bool immutable, const struct held_files *held, unsigned *given,
                          struct err *err)
{
    _cleanup_close_ int source = -EBADF, target = -EBADF;
    int was = 0, is = 0, wanted, ours = OURS & ~(immutable ? 0 : FS_IMMUTABLE_FL | FS_APPEND_FL);

    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
        return 0;
    source = beneath_reopen(from);
    target = beneath_reopen(to);
    if (source < 0 || target < 0 || read_flags(source, held, &was) < 0 || ioctl(target, FS_IOC_GETFLAGS, &is) < 0)
        return 0; /* a file system without flags */
    wanted = (is & ~ours) | (was & ours);
    if (wanted == is)
        return 0;
    if (ioctl(target, FS_IOC_SETFLAGS, &wanted) < 0)
        return err_set(err, -errno, "its flags");
    *given |= GIVEN_FLAGS;
    return 0;
}
