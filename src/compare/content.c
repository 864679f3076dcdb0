/* SPDX-License-Identifier: MIT */
#include "compare/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/macro.h"
#include "util/read.h"

#define BLOCK (128 * 1024)

/* Where the next bytes lie that are no hole; a file of exabytes may have none. */
static off_t next_data(int fd, off_t at, off_t size)
{
    off_t found = lseek(fd, at, SEEK_DATA);

    if (found >= at)
        return found;
    return found < 0 && errno == ENXIO ? size : at; /* else the file system cannot say */
}

int content_differs(int a, int b, off_t size, void (*alive)(void *data), void *data)
{
    _cleanup_free_ char *p = malloc(BLOCK), *q = malloc(BLOCK);
    off_t at = 0;

    if (!p || !q)
        return -ENOMEM;
    for (;;) {
        ssize_t n, m;

        at = MIN(next_data(a, at, size), next_data(b, at, size));
        n = read_at(a, p, BLOCK, at);
        m = read_at(b, q, BLOCK, at);
        if (n < 0 || m < 0)
            return (int)(n < 0 ? n : m);
        if (n != m || memcmp(p, q, (size_t)n) != 0)
            return 1;
        if (n == 0)
            return 0;
        at += n;
        if (alive)
            alive(data);
    }
}
