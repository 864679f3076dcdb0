/* SPDX-License-Identifier: MIT */
/* What the tests of the tree share: a directory that each makes anew, files in it, and a tree of it. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/tree/tree.h"
#include "util/cleanup.h"

static char scratch[64];

static inline int make_scratch(void **state)
{
    (void)state;
    snprintf(scratch, sizeof(scratch), "/tmp/test_tree.XXXXXX");
    assert_non_null(mkdtemp(scratch));
    return 0;
}

/* nftw() gives up at PATH_MAX: remove level by level. */
static inline void remove_all(int fd)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;

    while ((e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) == 0)
            continue;
        int below = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

        if (below >= 0)
            remove_all(below);
        unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

static inline int remove_scratch(void **state)
{
    int fd = open(scratch, O_RDONLY | O_DIRECTORY);

    (void)state;
    if (fd >= 0)
        remove_all(fd);
    rmdir(scratch);
    return 0;
}

static inline int open_scratch(void)
{
    int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static inline void touch(int fd, const char *name, const char *text)
{
    int f = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(f >= 0);
    assert_int_equal(write(f, text, strlen(text)), strlen(text));
    close(f);
}

static inline struct tree *walked(int fd, const struct tree_options *options)
{
    struct tree *t = NULL;

    assert_int_equal(tree_new(options, &t, NULL), 0);
    assert_int_equal(tree_set_root(t, fd, NULL), 0);
    assert_int_equal(tree_walk(t, 0, NULL, NULL, NULL), 0);
    return t;
}

static inline struct tree_counts counted(const struct tree *t)
{
    struct tree_counts counts;

    tree_count(t, &counts);
    return counts;
}

static inline int put_statx(struct tree *t, uint32_t directory, struct bytes name, const struct statx *stx, struct tree_change *ret)
{
    struct file_state state;

    tree_state_of_statx(stx, &state);
    return tree_put_state(t, directory, name, &state, ret);
}

static inline uint32_t at(const struct tree *t, const char *path)
{
    return tree_find_path(t, bytes_of(path));
}

static inline void assert_path(const struct tree *t, uint32_t name, const char *expected)
{
    struct sbuf path = SBUF_INIT;
    char room[LIMIT_NAME + 1];

    assert_int_equal(tree_directory_path(t, tree_parent_of(t, name), &path), 0);
    if (path.len)
        sbuf_add_char(&path, '/');
    sbuf_add_bytes(&path, tree_name(t, name, room));
    assert_bytes(sbuf_bytes(&path), expected);
    sbuf_done(&path);
}
