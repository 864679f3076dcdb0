/* SPDX-License-Identifier: MIT */
#include "engine/overlay_marks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "util/macro.h"

ssize_t path_getxattr(int fd, const char *name, void *value, size_t size)
{
    char path[64];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fgetxattr() refuses O_PATH */
    n = getxattr(path, name, value, size);
    return n < 0 ? -errno : n;
}

ssize_t path_listxattr(int fd, char *list, size_t size)
{
    char path[64];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    n = listxattr(path, list, size);
    return n < 0 ? -errno : n;
}

bool xattr_is_listed(const char *list, size_t size, const char *name)
{
    for (size_t i = 0; i < size; i += strlen(list + i) + 1)
        if (strcmp(list + i, name) == 0)
            return true;
    return false;
}

bool xattr_is_own(const char *name)
{
    static const char *const not_ours[] = { "trusted.overlay.", "user.overlay.", "user.fuseoverlayfs.",
                                            "user.containers.", "security.selinux" };

    for (size_t i = 0; i < ARRAY_SIZE(not_ours); i++)
        if (strncmp(name, not_ours[i], strlen(not_ours[i])) == 0)
            return false;
    return *name != '\0';
}

/* "trusted." as root's overlay writes it, "user." in a user namespace (kernel 5.11) and fuse-overlayfs.
 * A file of the image may carry "user." ones as a trick: the worst is a wrong answer about that image. */
ssize_t overlay_xattr(int fd, const char *what, char *value, size_t size)
{
    static const char *const prefixes[] = { "trusted.overlay.", "user.overlay.", "user.fuseoverlayfs." };

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        char name[64];
        ssize_t n;

        snprintf(name, sizeof(name), "%s%s", prefixes[i], what);
        n = path_getxattr(fd, name, value, size);
        if (n >= 0)
            return n;
    }
    return -ENODATA;
}

bool overlay_is_whiteout(int fd, const struct stat *st)
{
    char value[8];

    if (S_ISCHR(st->st_mode))
        return st->st_rdev == makedev(0, 0);
    return S_ISREG(st->st_mode) && st->st_size == 0 && overlay_xattr(fd, "whiteout", value, sizeof(value)) >= 0;
}

static bool has_name(int fd, const char *prefix, const char *name)
{
    char text[NAME_MAX + 16];
    struct stat st;

    return snprintf(text, sizeof(text), "%s%s", prefix, name) < (int)sizeof(text) &&
           fstatat(fd, text, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool overlay_is_opaque(int fd)
{
    char value[8];

    return (overlay_xattr(fd, "opaque", value, sizeof(value)) == 1 && value[0] == 'y') ||
           has_name(fd, ".wh..wh..opq", "");
}

bool overlay_has_whiteout_file(int fd, const char *name)
{
    return has_name(fd, ".wh.", name);
}
