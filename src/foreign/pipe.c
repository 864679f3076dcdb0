/* SPDX-License-Identifier: MIT */
#include "foreign/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/sbuf.h"

#define CGROUP_MAX (64 * 1024)

/* dir: of /proc, which is this process's for ever. */
static bool is_in_cgroup(int dir, struct bytes part)
{
    _cleanup_close_ int fd = openat(dir, "cgroup", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    return fd >= 0 && part.len && sbuf_add_file(&text, fd, CGROUP_MAX) == 0 && memmem(text.data, text.len, part.data, part.len) != NULL;
}

static bool is_pipe(int fd)
{
    struct statfs fs;
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

int foreign_pipe_open(pid_t pid, int number, struct bytes cgroup, struct err *err)
{
    _cleanup_close_ int dir = -EBADF, held = -EBADF;
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || !is_in_cgroup(dir, cgroup))
        return err_say(err, -ESRCH, "process %d is gone", (int)pid);
    snprintf(path, sizeof(path), "fd/%d", number);
    held = openat(dir, path, O_PATH | O_CLOEXEC); /* not opened yet, and nothing else than what is looked at */
    if (held < 0 && errno != ENOENT)
        return err_set(err, -errno, "descriptor %d of process %d", number, (int)pid);
    if (held < 0 || !is_pipe(held))
        return err_say(err, -ENOTSUP, "descriptor %d of process %d is no pipe", number, (int)pid);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? err_set(err, -errno, "descriptor %d of process %d", number, (int)pid) : fd;
}
