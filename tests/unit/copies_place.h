/* SPDX-License-Identifier: MIT */
/* What the tests of kept copies share: a directory for them, and files to be kept. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copies/pack.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/sbuf.h"

#define T(seconds) ((seconds) * NS_PER_S)

static inline char *make_directory(void)
{
    char *path = strdup("/tmp/culprit-copies-XXXXXX");

    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void remove_directory(char *path)
{
    char command[200];

    snprintf(command, sizeof(command), "rm -rf %s", path);
    assert_int_equal(system(command), 0);
    free(path);
}

static inline void add(struct pack *p, const char *path, unsigned seconds, const char *text)
{
    struct copy_record record = { .time_ns = T(seconds), .mode = text ? S_IFREG | 0600 : 0, .flags = text ? 0 : COPY_GONE };
    struct bytes content = bytes_of(text ? text : "");

    assert_int_equal(pack_add(p, &record, bytes_of(path), BYTES_NULL, BYTES_NULL, text ? &content : NULL), 0);
}

static inline int make_file(const char *directory, char filling, size_t size, struct stat *ret)
{
    char path[160], block[1024];
    int fd;

    snprintf(path, sizeof(path), "%s/file", directory);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    memset(block, filling, sizeof(block));
    for (size_t at = 0; at < size; at += sizeof(block))
        assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
    assert_int_equal(fstat(fd, ret), 0);
    return fd;
}
