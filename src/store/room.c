/* SPDX-License-Identifier: MIT */
#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define PLENTY (8ull * ROOM_SIZE) /* free: no other program takes that while a log waits to go into the file */

static const char *name_of(const char *store_path, struct sbuf *name)
{
    sbuf_addf(name, "%s-reserve", store_path);
    return sbuf_error(name) ? NULL : sbuf_str(name);
}

/* For us: some file systems keep a part for root alone. */
static uint64_t free_bytes(const char *store_path)
{
    struct statvfs vfs;

    if (statvfs(store_path, &vfs) < 0)
        return 0;
    return (uint64_t)(geteuid() == 0 ? vfs.f_bfree : vfs.f_bavail) * vfs.f_frsize;
}

static int make_file(const char *name, off_t size)
{
    int fd, r;

    (void)unlink(name); /* half of one, or a link that somebody put there */
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = -posix_fallocate(fd, 0, size); /* it writes where the file system (ext2, NFS 4.1) has no fallocate(2) */
    close(fd);
    if (r < 0)
        (void)unlink(name);
    return r;
}

int room_keep(const char *store_path)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    const char *name = name_of(store_path, &text);
    struct stat st;

    if (!name)
        return -ENOMEM;
    if (lstat(name, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == ROOM_SIZE)
        return 0;
    if (!room_is_enough(store_path)) /* what comes needs it more */
        return -ENOSPC;
    return make_file(name, ROOM_SIZE);
}

void room_hold(const char *store_path, unsigned part)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    const char *name = name_of(store_path, &text);
    uint64_t size = MIN((uint64_t)ROOM_SIZE, free_bytes(store_path) / part);

    if (name && size)
        (void)make_file(name, (off_t)size);
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
    return free_bytes(store_path) >= 2ull * ROOM_SIZE;
}

uint64_t room_for_log(const char *store_path)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    const char *name = name_of(store_path, &text);
    uint64_t left = free_bytes(store_path), kept;
    struct stat st;

    if (!name || lstat(name, &st) < 0 || !S_ISREG(st.st_mode))
        return left / 2; /* nothing is sure */
    kept = (uint64_t)st.st_size;
    return kept - kept / 8 + (left > PLENTY ? (left - PLENTY) / 2 : 0); /* the file system keeps books of it, too */
}
