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

#include "copies/record.h"
#include "engine/overlay_marks.h"
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

static unsigned kind_of(const char *name)
{
    if (strncmp(name, "system.posix_acl_", 17) == 0)
        return GIVEN_ACL;
    return strcmp(name, "security.capability") == 0 ? GIVEN_CAPABILITIES : GIVEN_XATTR;
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

        if (!xattr_is_own(name) || xattr_is_listed(l->from, had, name))
            continue;
        if (removexattr(path_of(to, path), name) < 0 && errno != ENODATA)
            return err_set(err, -errno, "removing its attribute");
        *given |= kind_of(name);
    }
    for (size_t i = 0; i < had; i += strlen(l->from + i) + 1) {
        int r = xattr_is_own(l->from + i) ? give_one(l, from, to, l->from + i, given) : 0;

        if (r < 0)
            return err_set(err, r, "its %s", kind_of(l->from + i) == GIVEN_ACL            ? "ACL"
                                             : kind_of(l->from + i) == GIVEN_CAPABILITIES ? "capabilities"
                                                                                          : "extended attributes");
    }
    return 0;
}

int attributes_give_owner(const struct stat *st, int to, unsigned *given, struct err *err)
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
    return 0;
}

int attributes_give(int from, const struct stat *st, int to, unsigned *given, struct err *err)
{
    int r = attributes_give_owner(st, to, given, err);

    return r < 0 ? r : give_xattrs(from, to, given, err); /* chown() takes capabilities away too */
}

struct saved_attribute {
    const char *name; /* ends with 0 */
    struct bytes value;
};

/* The next one that was written down; 1, 0: there is none; -EBADMSG. */
static int next_saved(struct bytes *saved, struct saved_attribute *ret)
{
    const char *end = saved->len ? bytes_char(*saved, '\0') : NULL;
    size_t head = end ? (size_t)(end - saved->data) + 1 : 0;
    uint32_t len;

    if (!saved->len)
        return 0;
    if (!head || saved->len - head < sizeof(len))
        return -EBADMSG;
    memcpy(&len, saved->data + head, sizeof(len));
    head += sizeof(len);
    if (len > saved->len - head)
        return -EBADMSG;
    *ret = (struct saved_attribute){ saved->data, { saved->data + head, len } };
    *saved = (struct bytes){ saved->data + head + len, saved->len - head - len };
    return 1;
}

int attributes_give_saved(struct bytes saved, int to, unsigned *given, struct err *err)
{
    struct saved_attribute a;
    char path[64];
    int r;

    while ((r = next_saved(&saved, &a)) > 0) {
        if (!xattr_is_own(a.name))
            continue;
        if (setxattr(path_of(to, path), a.name, a.value.data, a.value.len, 0) < 0)
            return err_set(err, -errno, "its extended attributes");
        *given |= kind_of(a.name);
    }
    return r < 0 ? err_set(err, r, "its extended attributes") : 0;
}

static bool is_saved(struct bytes saved, const char *name)
{
    struct saved_attribute a;

    while (next_saved(&saved, &a) > 0)
        if (strcmp(a.name, name) == 0)
            return true;
    return false;
}

/* What it has now was not written down, though there was room for it. n: of its value. */
static bool is_added(struct bytes saved, const char *name, ssize_t n)
{
    return xattr_is_own(name) && n >= 0 && saved.len + strlen(name) + (size_t)n + 5 <= XATTRS_MAX && !is_saved(saved, name);
}

int attributes_match_saved(struct bytes saved, int to, unsigned *given, struct err *err)
{
    _cleanup_free_ struct lists *l = malloc(sizeof(*l));
    size_t has = l ? list_of(to, l->to) : 0;
    char path[64];

    if (!l)
        return err_set(err, -ENOMEM, "attributes");
    for (size_t i = 0; i < has; i += strlen(l->to + i) + 1) {
        if (!is_added(saved, l->to + i, path_getxattr(to, l->to + i, l->is, XATTRS_MAX)))
            continue;
        if (removexattr(path_of(to, path), l->to + i) < 0 && errno != ENODATA)
            return err_set(err, -errno, "removing its attribute");
        *given |= kind_of(l->to + i);
    }
    return attributes_give_saved(saved, to, given, err);
}

int attributes_differ(struct bytes saved, int fd, char name[ATTRIBUTES_NAME_SIZE])
{
    _cleanup_free_ struct lists *l = malloc(sizeof(*l));
    size_t has = l ? list_of(fd, l->to) : 0;
    struct bytes rest = saved;
    struct saved_attribute a;
    int r;

    if (!l)
        return -ENOMEM;
    name[0] = '\0';
    while ((r = next_saved(&rest, &a)) > 0) {
        ssize_t n = xattr_is_own(a.name) ? path_getxattr(fd, a.name, l->is, XATTRS_MAX) : -ENODATA;

        if (xattr_is_own(a.name) && (n < 0 || !bytes_equal(a.value, (struct bytes){ l->is, (size_t)n })))
            return snprintf(name, ATTRIBUTES_NAME_SIZE, "%s", a.name), 0;
    }
    for (size_t i = 0; r == 0 && i < has; i += strlen(l->to + i) + 1)
        if (is_added(saved, l->to + i, path_getxattr(fd, l->to + i, l->is, XATTRS_MAX)))
            return snprintf(name, ATTRIBUTES_NAME_SIZE, "%s", l->to + i), 0;
    return r;
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

/* saved: copy_record's; nothing where it does not say them. */
int attributes_give_saved_flags(uint32_t saved, int to, bool last, unsigned *given, struct err *err)
{
    _cleanup_close_ int target = saved & COPY_FLAGS_KNOWN ? beneath_reopen(to) : -EBADF;
    int is = 0, wanted, ours = OURS & ~FS_IMMUTABLE_FL & ~(last ? 0 : FS_APPEND_FL);

    if (target < 0 || ioctl(target, FS_IOC_GETFLAGS, &is) < 0)
        return 0;
    wanted = (is & ~ours) | ((int)(saved & ~COPY_FLAGS_KNOWN) & ours);
    if (wanted == is)
        return 0;
    if (ioctl(target, FS_IOC_SETFLAGS, &wanted) < 0)
        return err_set(err, -errno, "its flags");
    *given |= GIVEN_FLAGS;
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
