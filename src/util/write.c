/* SPDX-License-Identifier: MIT */
#include "util/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/sbuf.h"

int write_all(int fd, struct bytes text)
{
    while (text.len) {
        ssize_t n = write(fd, text.data, text.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        text = (struct bytes){ text.data + n, text.len - (size_t)n };
    }
    return 0;
}

int write_replace(const char *path, struct bytes text, bool sync)
{
    _cleanup_sbuf_ struct sbuf new = SBUF_INIT;
    _cleanup_close_ int fd = -EBADF;
    int r;

    sbuf_addf(&new, "%s.new", path);
    r = sbuf_error(&new);
    if (r < 0)
        return r;
    fd = open(new.data, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
    r = fd < 0 ? -errno : write_all(fd, text);
    if (r == 0 && ((sync && fdatasync(fd) < 0) || rename(new.data, path) < 0))
        r = -errno;
    if (r < 0)
        (void)unlink(new.data);
    return r;
}

int memory_file(const char *name, struct bytes text)
{
    _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC);
    int r = fd < 0 ? -errno : write_all(fd, text);

    if (r < 0)
        return r;
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : TAKE_FD(fd);
}
