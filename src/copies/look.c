/* SPDX-License-Identifier: MIT */
#include "copies/look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "copies/pack.h"
#include "copies/record.h"
#include "util/beneath.h"
#include "util/cleanup.h"

/* What somebody sets; the rest is the file system's own. */
#define KEPT_FLAGS (uint32_t)(FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL)

int look_open(struct bytes path)
{
    struct bytes dir = bytes_dirname(path), base = bytes_basename(path);
    char folder[PATH_MAX], name[NAME_MAX + 1];
    _cleanup_close_ int fd = -EBADF;

    if (dir.len >= sizeof(folder) || base.len > NAME_MAX)
        return -ENAMETOOLONG;
    snprintf(folder, sizeof(folder), "%.*s", (int)dir.len, dir.data);
    snprintf(name, sizeof(name), "%.*s", (int)base.len, base.data);
    fd = beneath_open_plain(AT_FDCWD, folder, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return fd;
    return name[0] ? beneath_open_here(fd, name, O_PATH) : TAKE_FD(fd);
}

bool look_is_mounted(struct bytes path)
{
    struct bytes dir = bytes_dirname(path);
    _cleanup_close_ int above = beneath_open_host(dir, 0, O_PATH | O_DIRECTORY), at = beneath_open_host(path, 0, O_PATH | O_DIRECTORY);

    return above >= 0 && at >= 0 && beneath_mount_of(above) != beneath_mount_of(at);
}

void look_xattrs(int path_fd, struct sbuf *out)
{
    static char list[COPIES_XATTRS_MAX], value[COPIES_XATTRS_MAX];
    char path[64];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
    n = listxattr(path, list, sizeof(list) - 1);
    list[n > 0 ? n : 0] = '\0';
    for (const char *name = list; name < list + n && *name; name += strlen(name) + 1) {
        ssize_t len = getxattr(path, name, value, sizeof(value));
        uint32_t size = (uint32_t)len;

        if (len < 0 || strncmp(name, "security.selinux", 16) == 0 || out->len + strlen(name) + (size_t)len + 5 > COPIES_XATTRS_MAX)
            continue;
        sbuf_add(out, name, strlen(name) + 1);
        sbuf_add(out, (const char *)&size, sizeof(size));
        sbuf_add(out, value, (size_t)len);
    }
}

uint32_t look_flags(int path_fd)
{
    _cleanup_close_ int fd = beneath_reopen(path_fd);
    int flags = 0;

    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return 0; /* a file system without them */
    return COPY_FLAGS_KNOWN | ((uint32_t)flags & KEPT_FLAGS);
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int look_content(int path_fd, const struct stat *st, char *buffer, struct bytes *ret)
{
    _cleanup_close_ int file = beneath_reopen_file(path_fd);
    struct stat after;
    size_t len = 0;
    ssize_t n = 1;

    if (file < 0)
        return file;
    while (n > 0 && len <= COPIES_FILE_MAX) {
        n = read(file, buffer + len, COPIES_FILE_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            len += (size_t)n;
    }
    if (n < 0 || fstat(file, &after) < 0)
        return -errno;
    *ret = (struct bytes){ buffer, len };
    return len != (size_t)st->st_size || after.st_size != st->st_size || !is_same_time(&after.st_mtim, &st->st_mtim) ||
           !is_same_time(&after.st_ctim, &st->st_ctim);
}
