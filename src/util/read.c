/* SPDX-License-Identifier: MIT */
#include "util/read.h"

#include <errno.h>
#include <unistd.h>

ssize_t read_at(int fd, char *buffer, size_t len, off_t at)
{
    size_t have = 0;

    while (have < len) {
        ssize_t n = pread(fd, buffer + have, len - have, at + (off_t)have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}
