/* SPDX-License-Identifier: MIT */
#include "restore/copy.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compare/content.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/read.h"

#define BLOCK (128 * 1024)

static int write_all(int fd, const char *data, size_t len, off_t at)
{
    while (len) {
        ssize_t n = pwrite(fd, data, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        data += n;
        len -= (size_t)n;
        at += n;
    }
    return 0;
}

/* Where the next bytes lie that are no hole, and where they end; false: none do any more. */
static bool next_data(int fd, off_t at, off_t size, off_t *from, off_t *to)
{
    *from = lseek(fd, at, SEEK_DATA);
    if (*from < 0) {
        if (errno == ENXIO)
            return false;
        *from = at; /* the file system cannot say */
        *to = size;
        return at < size;
    }
    *to = lseek(fd, *from, SEEK_HOLE);
    if (*to < 0 || *to > size)
        *to = size;
    return *from < size;
}

static int copy_range(int from, int to, off_t at, off_t end, char *block)
{
    while (at < end) {
        ssize_t n = read_at(from, block, (size_t)MIN(end - at, (off_t)BLOCK), at);
        int r;

        if (n < 0)
            return (int)n;
        if (n == 0)
            return -ESTALE;
        r = write_all(to, block, (size_t)n, at);
        if (r < 0)
            return r;
        at += n;
    }
    return 0;
}

int copy_content(int from, int to)
{
    _cleanup_free_ char *block = NULL;
    off_t at = 0, end = 0;
    struct stat st;
    int r = 0;

    if (ioctl(to, FICLONE, from) == 0)
        return 0;
    block = malloc(BLOCK);
    if (!block || fstat(from, &st) < 0)
        return block ? -errno : -ENOMEM;
    while (r == 0 && next_data(from, end, st.st_size, &at, &end))
        r = copy_range(from, to, at, end, block);
    if (r == 0 && ftruncate(to, st.st_size) < 0)
        r = -errno;
    return r;
}

int content_is_equal(int a, int b)
{
    struct stat s, t;
    int r;

    if (fstat(a, &s) < 0 || fstat(b, &t) < 0)
        return -errno;
    if (s.st_size != t.st_size)
        return 0;
    r = content_differs(a, b, s.st_size, NULL, NULL);
    return r < 0 ? r : !r;
}
