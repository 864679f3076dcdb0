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

#include "util/cleanup.h"
#include "util/macro.h"

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

static ssize_t read_block(int fd, char *block, size_t len, off_t at)
{
    size_t have = 0;

    while (have < len) {
        ssize_t n = pread(fd, block + have, len - have, at + (off_t)have);

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
        ssize_t n = read_block(from, block, (size_t)MIN(end - at, (off_t)BLOCK), at);
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

/* In both from `at` on there is a hole as far as this. */
static off_t skip_holes(int a, int b, off_t at, off_t size)
{
    off_t x = lseek(a, at, SEEK_DATA), y = lseek(b, at, SEEK_DATA);

    if (x < 0)
        x = errno == ENXIO ? size : at;
    if (y < 0)
        y = errno == ENXIO ? size : at;
    return MIN(x, y);
}

int content_is_equal(int a, int b)
{
    _cleanup_free_ char *x = malloc(BLOCK), *y = malloc(BLOCK);
    struct stat s, t;
    off_t at = 0;

    if (!x || !y)
        return -ENOMEM;
    if (fstat(a, &s) < 0 || fstat(b, &t) < 0)
        return -errno;
    if (s.st_size != t.st_size)
        return 0;
    for (;;) {
        ssize_t n, m;

        at = skip_holes(a, b, at, s.st_size);
        n = read_block(a, x, BLOCK, at);
        m = read_block(b, y, BLOCK, at);
        if (n < 0 || m < 0)
            return (int)(n < 0 ? n : m);
        if (n != m || memcmp(x, y, (size_t)n) != 0)
            return 0;
        if (n == 0)
            return 1;
        at += n;
    }
}
