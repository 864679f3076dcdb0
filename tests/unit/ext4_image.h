/* SPDX-License-Identifier: MIT */
/* A file system of ext4 in a file, whose files were deleted, and the facts that are read from it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clues/deleted.h"
#include "util/cleanup.h"
#include "util/clock.h"

static char base[] = "/tmp/culprit-ext4.XXXXXX";

struct image {
    bool made;
    uint64_t directory, b; /* the inodes of "d" and "d/b" */
    uint64_t from_ns, to_ns;
};

static inline void make(const char *name)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/fs/d/%s", base, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("x", f);
    fclose(f);
}

static inline void in_it(int (*call)(const char *), const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/fs/%s", base, name);
    assert_int_equal(call(path), 0);
}

static inline int make_directory(const char *path)
{
    return mkdir(path, 0755);
}

static inline void write_all(void)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "%s/fs", base);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(syncfs(fd), 0);
    close(fd);
}

static inline bool is_built_in(void)
{
    struct deleted_place place = { .device = -EBADF, .direct = -EBADF, .directory = 2, .path = bytes_of("/") };
    struct clue_question q = { .path = bytes_of("/") };
    struct sbuf answer = SBUF_INIT;

    return deleted_read(&place, &q, &answer) != -ENOENT;
}

/* With the past in which these are deleted: b; sub/c with its directory; many/n150, in a directory of several blocks. */
static inline void make_image(const char *options, struct image *ret)
{
    char command[512], path[64];
    struct image image = { 0 };
    struct stat st;

    snprintf(command, sizeof(command),
             "cd %s && rm -f image && truncate -s 16M image && PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F %s image 2>/dev/null && mkdir -p fs && "
             "mount -o loop image fs 2>/dev/null",
             base, options);
    *ret = image;
    if (!is_built_in() || geteuid() != 0 || system(command) != 0)
        return; /* no libext2fs, no loop device, or no e2fsprogs */
    in_it(make_directory, "d");
    in_it(make_directory, "d/sub");
    in_it(make_directory, "d/many");
    make("a");
    make("b");
    make("sub/c");
    for (unsigned i = 0; i < 300; i++) {
        char name[96];

        snprintf(name, sizeof(name), "many/n%u-with-a-name-that-fills-blocks-of-a-directory", i);
        make(name);
    }
    write_all();
    snprintf(path, sizeof(path), "%s/fs/d", base);
    assert_int_equal(stat(path, &st), 0);
    image.directory = st.st_ino;
    snprintf(path, sizeof(path), "%s/fs/d/b", base);
    assert_int_equal(stat(path, &st), 0);
    image.b = st.st_ino;
    image.from_ns = clock_ns(CLOCK_REALTIME);
    in_it(unlink, "d/b");
    in_it(unlink, "d/sub/c");
    in_it(rmdir, "d/sub");
    in_it(unlink, "d/many/n150-with-a-name-that-fills-blocks-of-a-directory");
    write_all();
    image.to_ns = clock_ns(CLOCK_REALTIME);
    snprintf(path, sizeof(path), "%s/fs", base);
    assert_int_equal(umount(path), 0);
    image.made = true;
    *ret = image;
}

static inline struct clue_question question_of(const struct image *image)
{
    return (struct clue_question){ .path = bytes_of("/srv/d"), .now_ns = image->to_ns, .spans = { { image->from_ns, image->to_ns } }, .span_count = 1 };
}

static inline int open_image(int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/image", base);
    return open(path, flags | O_CLOEXEC);
}

/* All facts, a line each; their notes in brackets. */
static inline void read_to_text(const struct image *image, int device, struct sbuf *text)
{
    struct deleted_place place = { device, -EBADF, image->directory, bytes_of("/srv/d") };
    struct clue_question q = question_of(image);
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    struct clue_span cover;
    struct clue_fact f;
    struct bytes rest;
    int part;

    assert_int_equal(deleted_read(&place, &q, &answer), 0);
    for (rest = sbuf_bytes(&answer); (part = clue_take(&rest, &f, &cover)) > 0;)
        if (part != CLUE_PART_COVER) {
            sbuf_add_str(text, part == CLUE_PART_NOTE ? "(" : "");
            sbuf_add_bytes(text, f.text);
            sbuf_add_str(text, part == CLUE_PART_NOTE ? ")\n" : "\n");
        }
    assert_int_equal(part, CLUE_PART_END);
}

static inline int make_base(void **state)
{
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static inline int remove_base(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "umount %s/fs 2>/dev/null; rm -rf %s", base, base);
    return system(command);
}
