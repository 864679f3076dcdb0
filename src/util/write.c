/* SPDX-License-Identifier: MIT */
#include "util/write.h"

#include <errno.h>
#include <unistd.h>

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
