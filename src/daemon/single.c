/* SPDX-License-Identifier: MIT */
#include "daemon/single.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/escape.h"

int single_take(const char *directory, struct err *err)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT, shown = SBUF_INIT;
    char pid[24];
    int fd, n, r;

    sbuf_addf(&path, "%s/daemon.lock", directory);
    escape_terminal(&shown, sbuf_bytes(&path));
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return err_set(err, -errno, "%s", sbuf_str(&shown));
    fd = open(sbuf_str(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
    if (fd < 0)
        return err_set(err, -errno, "%s", sbuf_str(&shown));
    if (fcntl(fd, F_SETLK, &lock) < 0) {
        r = errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
        if (r == -EBUSY && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
            r = err_say(err, r, "another culprit daemon runs (pid %d)", (int)lock.l_pid);
        else if (r == -EBUSY)
            r = err_say(err, r, "another culprit daemon runs");
        else
            r = err_set(err, r, "%s", sbuf_str(&shown));
        close(fd);
        return r;
    }
    /* for people; the lock is what counts. The descriptor stays open: closing it would give the lock away. */
    n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)n, 0) != n)
        return 0;
    return 0;
}
