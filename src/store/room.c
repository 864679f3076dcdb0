/* SPDX-License-Identifier: MIT */
#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/sbuf.h"

static const char *name_of(const char *store_path, struct sbuf *name)
{
    sbuf_addf(name, "%s-reserve", store_path);
    return sbuf_error(name) ? NULL : sbuf_str(name);
}

int room_keep(const char *store_path)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    const char *name = name_of(store_path, &text);
    struct stat st;
    int fd, r;

    if (!name)
        return -ENOMEM;
    if (lstat(name, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == ROOM_SIZE)
        return 0;
    if (!room_is_enough(store_path)) /* what comes needs it more */
        return -ENOSPC;
    (void)unlink(name); /* half of one, or a link that somebody put there */
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = -posix_fallocate(fd, 0, ROOM_SIZE); /* it writes where the file system (ext2, NFS 4.1) has no fallocate(2) */
    close(fd);
    if (r < 0)
        (void)unlink(name);
    return r;
}

void room_give_up(const char *store_path)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    const char *name = name_of(store_path, &text);

    if (name)
        (void)unlink(name);
}

bool room_is_enough(const char *store_path)
{
    struct statvfs vfs;

    return statvfs(store_path, &vfs) == 0 && (unsigned long long)vfs.f_bavail * vfs.f_frsize >= 2ull * ROOM_SIZE;
}
