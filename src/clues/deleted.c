/* SPDX-License-Identifier: MIT */
/*
 * Inodes of deleted files in the tables of ext2, ext3 and ext4: mode, owner and times survive the deletion, the name does not. They are
 * looked for in the block groups of the directories that are asked for, where ext4 puts their files, and shown where they were deleted at
 * a moment. The device is opened read-only beforehand; libext2fs works in a process that has neither user nor capabilities.
 */
#include "clues/source.h"

#ifdef HAVE_EXT2FS
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <ext2fs/ext2fs.h>

#include "clues/deleted_burst.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/mountinfo.h"

#define READ_NS (1200 * NS_PER_MS)

static int device = -EBADF; /* in the worker */
static uint64_t directory_inode;

/* The device with that number, and nothing else. */
static int open_block(int root, const char *path, dev_t wanted)
{
    _cleanup_close_ int fd = beneath_open(root, bytes_of(path), O_PATH);
    struct stat st;
    char self[64];

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != wanted)
        return -ENOENT;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    device = open(self, O_RDONLY | O_CLOEXEC);
    return device < 0 ? -errno : 0;
}

/* "DEVNAME=vda": the root's source may be called /dev/root, which is nowhere. */
static int open_by_number(int root, dev_t wanted)
{
    _cleanup_free_ char *text = NULL;
    struct bytes rest, line;
    char path[512];
    size_t len;

    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(wanted), minor(wanted));
    if (beneath_read_file(root, bytes_of(path), 4096, &text, &len) < 0)
        return -ENOENT;
    for (rest = (struct bytes){ text, len }; rest.len;) {
        line = bytes_next_line(&rest);
        if (!bytes_starts_with(line, bytes_of("DEVNAME=")) || line.len > 200)
            continue;
        snprintf(path, sizeof(path), "/dev/%.*s", (int)line.len - 8, line.data + 8);
        return open_block(root, path, wanted);
    }
    return -ENOENT;
}

static int open_device(int root, dev_t wanted)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct mountinfo mount;
    struct bytes rest;

    if (mountinfo_read("/proc/self/mountinfo", &text) < 0)
        return -ENOENT;
    rest = sbuf_bytes(&text);
    while (mountinfo_next(&rest, &mount)) {
        struct bytes words = mount.rest, word;
        char path[512];

        if (mount.device != wanted)
            continue;
        while ((word = bytes_next_word(&words)).len && !bytes_equal_str(word, "-"))
            ;
        (void)bytes_next_word(&words);
        word = bytes_next_word(&words);
        if (!word.len || word.data[0] != '/' || word.len >= sizeof(path))
            continue;
        snprintf(path, sizeof(path), "%.*s", (int)word.len, word.data);
        if (open_block(root, path, wanted) == 0)
            return 0;
    }
    return open_by_number(root, wanted);
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    struct clue_question q;
    struct bytes path;

    (void)g;
    if (root < 0 || clue_question_get(request, &q) < 0)
        return -EBADMSG;
    if (!q.span_count)
        return -ENOENT;
    for (path = q.host_path.len ? q.host_path : q.path; path.len > 1; path = bytes_dirname(path)) {
        _cleanup_close_ int fd = beneath_open(root, path, O_RDONLY | O_DIRECTORY);
        struct statfs fs;
        struct stat st;

        if (fd < 0)
            continue;
        if (fstatfs(fd, &fs) < 0 || fs.f_type != EXT4_SUPER_MAGIC || fstat(fd, &st) < 0)
            return -ENOENT;
        directory_inode = st.st_ino;
        return open_device(root, st.st_dev);
    }
    return -ENOENT;
}

/* ---- with the device alone ---- */

static int scan_group(ext2_filsys fs, ext2_inode_scan scan, dgrp_t group, uint64_t until, struct deleted_inodes *found)
{
    _Alignas(8) char buffer[1024];
    struct ext2_inode_large *inode = (struct ext2_inode_large *)(void *)buffer;
    ext2_ino_t number, last = (group + 1) * fs->super->s_inodes_per_group;
    int size = EXT2_INODE_SIZE(fs->super);
    unsigned n = 0;

    if (size > (int)sizeof(buffer) || ext2fs_inode_scan_goto_blockgroup(scan, (int)group))
        return -EIO;
    while (ext2fs_get_next_inode_full(scan, &number, (struct ext2_inode *)inode, size) == 0 && number && number <= last) {
        struct deleted_inode d = { .number = number, .mode = inode->i_mode, .deleted_s = inode->i_dtime };
        bool large = size > EXT2_GOOD_OLD_INODE_SIZE && inode->i_extra_isize >= 20;

        if ((++n & 1023) == 0 && clock_ns(CLOCK_MONOTONIC) > until)
            return -ETIMEDOUT;
        if (inode->i_links_count || !inode->i_dtime || !inode->i_mode)
            continue;
        d.uid = inode_uid(*inode);
        d.gid = inode_gid(*inode);
        /* the last change of a file that is deleted is its deletion: it has the nanoseconds that the field for it lacks */
        if (large && inode->i_ctime == inode->i_dtime)
            d.deleted_ns = inode->i_ctime_extra >> 2;
        if (large && inode->i_extra_isize >= 24)
            d.born_s = inode->i_crtime;
        deleted_add(found, &d);
    }
    return 0;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    uint64_t until;
    struct deleted_inodes found = { 0 };
    struct clue_question q;
    ext2_inode_scan scan = NULL;
    ext2_filsys fs = NULL;
    unsigned looked = 0;
    char name[16];
    dgrp_t own, group;
    int r = 0;

    (void)g;
    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    found.question = &q;
    until = clock_ns(CLOCK_MONOTONIC) + clue_patience(&q, READ_NS);
    snprintf(name, sizeof(name), "%d", device);
    if (ext2fs_open2(name, NULL, EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS | EXT2_FLAG_SKIP_MMP, 0, 0, unixfd_io_manager, &fs))
        return -EBADMSG;
    own = (dgrp_t)((directory_inode - 1) / fs->super->s_inodes_per_group);
    if (ext2fs_open_inode_scan(fs, 0, &scan) == 0) {
        ext2fs_inode_scan_flags(scan, EXT2_SF_SKIP_MISSING_ITABLE, 0);
        /* its own group, then those behind it and before it, farther and farther, as far as there is time */
        for (dgrp_t step = 0; step < 2 * fs->group_desc_count && r == 0; step++) {
            int64_t at = (int64_t)own + (step & 1 ? (int64_t)(step + 1) / 2 : -(int64_t)(step / 2));

            if (at < 0 || at >= (int64_t)fs->group_desc_count || (step >= DELETED_GROUPS && found.count))
                continue;
            group = (dgrp_t)at;
            r = scan_group(fs, scan, group, until, &found);
            looked += r == 0;
        }
        ext2fs_close_inode_scan(scan);
    }
    deleted_put(answer, &found);
    clue_put_cover(answer, 0, 0);
    if (looked < fs->group_desc_count)
        clue_put_note(answer, "%u of its %u groups of inodes", looked, fs->group_desc_count);
    ext2fs_close(fs);
    return 0;
}

const struct foreign_job clue_job_deleted = { "the inodes of deleted files", 1024, gather, parse, true };
#else
#include <errno.h>

static int gather(struct bytes request, struct gathered *g)
{
    (void)request;
    (void)g;
    return -ENOENT; /* built without libext2fs */
}

const struct foreign_job clue_job_deleted = { "the inodes of deleted files", 1024, gather, NULL, false };
#endif
