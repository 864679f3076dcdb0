/* SPDX-License-Identifier: MIT */
/* The tree that ways.c attacks, and what it looks like. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "ways.h"

#define KEPT_FLAGS (FS_IMMUTABLE_FL | FS_APPEND_FL)

int tree_make(const char *root)
{
    /* version, then tag, permissions and id of each: owner, user 1000, group, mask, others */
    static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0,
                                         255, 255, 255, 255, 0x10, 0, 6, 0, 255, 255, 255, 255, 0x20, 0, 4, 0, 255, 255, 255, 255 };
    static const char *const folders[] = { "", "sub", "sub/deep", "empty", NULL };
    static const char *const files[] = { "f", "facl", "sub/deep/f", NULL };
    char path[4096];

    for (unsigned i = 0; folders[i]; i++) {
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -1;
    }
    for (unsigned i = 0; files[i]; i++) {
        snprintf(path, sizeof(path), "%s/%s", root, files[i]);
        if (put(path, "hello\n") < 0)
            return -1;
    }
    snprintf(path, sizeof(path), "%s/x", root);
    if (put(path, "#!/bin/sh\nexit 0\n") < 0 || chmod(path, 0755) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/f", root);
    (void)setxattr(path, "trusted.old", "1", 1, 0);
    snprintf(path, sizeof(path), "%s/facl", root);
    (void)setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0);
    return 0;
}

/* ---- what it looks like ---- */

static uint64_t sum;

static void mix(const void *bytes, size_t len)
{
    const unsigned char *b = bytes;

    while (len--)
        sum = (sum ^ *b++) * 1099511628211u;
}

static void mix_attributes(const char *path)
{
    char names[4096], value[1024];
    ssize_t n = llistxattr(path, names, sizeof(names));

    for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
        ssize_t len = lgetxattr(path, names + i, value, sizeof(value));

        if (strstr(names + i, "overlay."))
            continue; /* what overlayfs notes for itself */
        mix(names + i, strlen(names + i));
        if (len > 0)
            mix(value, (size_t)len);
    }
}

static void mix_contents(const char *path)
{
    int fd = open(path, O_RDONLY), flags = 0;
    char bytes[4096];
    ssize_t n;

    while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
        mix(bytes, (size_t)n);
    if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags &= KEPT_FLAGS;
        mix(&flags, sizeof(flags));
    }
    if (fd >= 0)
        close(fd);
}

static int each_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
    const uint64_t facts[] = { st->st_mode, st->st_uid, st->st_gid, S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size, st->st_nlink,
                               (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec };

    (void)type;
    (void)where;
    mix(path, strlen(path));
    mix(facts, sizeof(facts));
    mix_attributes(path);
    if (S_ISREG(st->st_mode))
        mix_contents(path);
    return 0;
}

uint64_t tree_digest(uint64_t start, const char *root)
{
    sum = start ? start : 1469598103934665603u;
    (void)nftw(root, each_file, 16, FTW_PHYS);
    return sum;
}
