/* SPDX-License-Identifier: MIT */
/*
 * Inodes of deleted files in the tables of ext2, ext3 and ext4: mode, owner and times survive the deletion, the name does not; the journal
 * may still have it. They are
 * looked for in the block groups of the directories that are asked for, where ext4 puts their files, and shown where they were deleted at
 * a moment. The device is opened read-only beforehand; libext2fs works in a process that has neither user nor capabilities.
 */
#include "clues/deleted.h"

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

#include "clues/deleted_names.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/mountinfo.h"

#define READ_NS (1200 * NS_PER_MS)
#define NAMES_NS (500 * NS_PER_MS)
#define NAMED_MAX 16384 /* inodes whose names are looked for */

/* What is gathered: both steps are of one process, which ends with its descriptors. */
#define OPENED "device"
struct opened_device {
    struct deleted_place place; /* its path: NULL */
    size_t path_len;
    char path[CLUE_PATH_MAX];
};

/* The device with that number, and nothing else. */
static int open_block(int root, const char *path, dev_t wanted, struct deleted_place *ret)
{
    _cleanup_close_ int fd = beneath_open(root, bytes_of(path), O_PATH);
    struct stat st;
    char self[64];

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != wanted)
        return -ENOENT;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    ret->device = open(self, O_RDONLY | O_CLOEXEC);
    if (ret->device < 0)
        return -errno;
    ret->direct = open(self, O_RDONLY | O_CLOEXEC | O_DIRECT);
    return 0;
}

/* "DEVNAME=vda": the root's source may be called /dev/root, which is nowhere. */
static int open_by_number(int root, dev_t wanted, struct deleted_place *ret)
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
        return open_block(root, path, wanted, ret);
    }
    return -ENOENT;
}

static int open_device(int root, dev_t wanted, struct deleted_place *ret)
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
        if (open_block(root, path, wanted, ret) == 0)
            return 0;
    }
    return open_by_number(root, wanted, ret);
}

/* For the directory `st`, which is to be called `path`. */
static int gather_device(int root, const struct stat *st, struct bytes path, struct gathered *g)
{
    struct opened_device *o;
    int r;

    if (path.len > sizeof(o->path))
        return -ENAMETOOLONG;
    o = calloc(1, sizeof(*o));
    if (!o)
        return -ENOMEM;
    o->place = (struct deleted_place){ .device = -EBADF, .direct = -EBADF, .directory = st->st_ino };
    o->path_len = path.len;
    memcpy(o->path, path.data, path.len);
    r = open_device(root, st->st_dev, &o->place);
    if (r < 0) {
        free(o);
        return r;
    }
    return gathered_add(g, OPENED, (char *)o, sizeof(*o));
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    struct bytes path;

    if (root < 0)
        return root;
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
        /* a container's directory goes by its own name */
        return gather_device(root, &st, q.host_path.len && path.len == q.host_path.len ? q.path : path, g);
    }
    return -ENOENT;
}

/* ---- with the device alone ---- */

struct inode_reading {
    ext2_filsys fs;
    ext2_inode_scan scan;
    struct deleted_inode *kept; /* those whose names are looked for */
    size_t kept_count;
    struct deleted_inodes found;
    uint64_t until;
};

static void keep(struct inode_reading *r, const struct deleted_inode *d)
{
    if (!deleted_is_asked_for(r->found.question, d))
        return;
    if (r->kept_count < NAMED_MAX)
        r->kept[r->kept_count++] = *d;
    else
        deleted_add(&r->found, d);
}

static int scan_group(struct inode_reading *r, dgrp_t group)
{
    _Alignas(8) char buffer[1024];
    struct ext2_inode_large *inode = (struct ext2_inode_large *)(void *)buffer;
    uint64_t last = ((uint64_t)group + 1) * r->fs->super->s_inodes_per_group;
    int size = EXT2_INODE_SIZE(r->fs->super);
    ext2_ino_t number;
    unsigned n = 0;

    if (size > (int)sizeof(buffer) || ext2fs_inode_scan_goto_blockgroup(r->scan, (int)group))
        return -EIO;
    for (;;) {
        struct deleted_inode d;
        bool large;

        if (ext2fs_get_next_inode_full(r->scan, &number, (struct ext2_inode *)inode, size))
            return -EIO;
        if (!number || number > last)
            return 0;
        if ((++n & 1023) == 0 && clock_ns(CLOCK_MONOTONIC) > r->until)
            return -ETIMEDOUT;
        if (inode->i_links_count || !inode->i_dtime || !inode->i_mode)
            continue;
        d = (struct deleted_inode){ .number = number, .mode = inode->i_mode, .deleted_s = inode->i_dtime };
        large = size > EXT2_GOOD_OLD_INODE_SIZE && inode->i_extra_isize >= 20;
        d.uid = inode_uid(*inode);
        d.gid = inode_gid(*inode);
        /* the last change of a file that is deleted is its deletion: it has the nanoseconds that the field for it lacks */
        if (large && inode->i_ctime == inode->i_dtime)
            d.deleted_ns = inode->i_ctime_extra >> 2;
        if (large && inode->i_extra_isize >= 24)
            d.born_ns = inode->i_crtime ? inode->i_crtime * NS_PER_S + (inode->i_crtime_extra >> 2) : 0;
        keep(r, &d);
    }
}

/* The directory's own group, then those behind it and before it, farther and farther, as far as there is time: how many. */
static unsigned scan(struct inode_reading *r, uint64_t directory)
{
    dgrp_t own = directory ? (dgrp_t)((directory - 1) / MAX(r->fs->super->s_inodes_per_group, 1u)) : 0;
    unsigned looked = 0;
    int result = 0;

    if (ext2fs_open_inode_scan(r->fs, 0, &r->scan))
        return 0;
    ext2fs_inode_scan_flags(r->scan, EXT2_SF_SKIP_MISSING_ITABLE, 0);
    for (uint64_t step = 0; step < 2 * (uint64_t)r->fs->group_desc_count && result != -ETIMEDOUT; step++) {
        int64_t at = (int64_t)own + (step & 1 ? (int64_t)(step + 1) / 2 : -(int64_t)(step / 2));

        if (at < 0 || at >= (int64_t)r->fs->group_desc_count || (step >= DELETED_GROUPS && r->kept_count))
            continue;
        result = scan_group(r, (dgrp_t)at);
        looked += result == 0;
    }
    ext2fs_close_inode_scan(r->scan);
    return looked;
}

static int put(struct inode_reading *r, const struct deleted_place *where, struct sbuf *answer)
{
    static const char *const says[] = {
        [DELETED_NAMES_PART] = "its journal was not looked through whole for names",
        [DELETED_NAMES_NONE] = "it has no journal of its own with names",
        [DELETED_NAMES_BAD] = "its journal could not be read: damaged",
    };
    struct deleted_names names = { 0 };
    _cleanup_sbuf_ struct sbuf note = SBUF_INIT;
    struct arena arena = { 0 };
    unsigned looked = scan(r, where->directory), groups = r->fs->group_desc_count;
    int result = 0;

    if (!looked && clock_ns(CLOCK_MONOTONIC) <= r->until)
        return -EBADMSG; /* none of its tables can be read */
    if (r->kept_count)
        result = deleted_names_find(r->fs, where, r->kept, r->kept_count, r->until + clue_patience(r->found.question, NAMES_NS), &arena,
                                    &names);
    for (size_t i = 0; i < r->kept_count; i++)
        deleted_add(&r->found, &r->kept[i]);
    deleted_put(answer, &r->found);
    clue_put_cover(answer, 0, 0);
    if (looked < groups)
        sbuf_addf(&note, "%u of its %u groups of inodes", looked, groups);
    if (says[names.state])
        sbuf_addf(&note, "%s%s", note.len ? "; " : "", says[names.state]);
    if (names.encrypted)
        sbuf_addf(&note, "%snames in %u encrypted director%s are not known", note.len ? "; " : "", names.encrypted, names.encrypted == 1 ? "y" : "ies");
    if (r->found.left_out)
        sbuf_addf(&note, "%s%u more deleted inodes are not shown", note.len ? "; " : "", r->found.left_out);
    if (note.len)
        clue_put_note(answer, "%s", sbuf_str(&note));
    deleted_done(&r->found);
    arena_done(&arena);
    return result;
}

int deleted_read(const struct deleted_place *where, const struct clue_question *q, struct sbuf *answer)
{
    struct inode_reading r = { .found = { .question = q } };
    char name[16];
    int result;

    r.until = clock_ns(CLOCK_MONOTONIC) + clue_patience(q, READ_NS);
    snprintf(name, sizeof(name), "%d", where->device);
    if (ext2fs_open2(name, NULL, EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS | EXT2_FLAG_SKIP_MMP, 0, 0, unixfd_io_manager, &r.fs))
        return -EBADMSG;
    r.kept = calloc(NAMED_MAX, sizeof(*r.kept));
    result = r.kept ? put(&r, where, answer) : -ENOMEM;
    free(r.kept);
    ext2fs_close(r.fs);
    return result;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes gathered = gathered_get(g, OPENED);
    struct opened_device o;
    struct clue_question q;

    if (gathered.len != sizeof(o) || clue_question_get(request, &q) < 0)
        return -EBADMSG;
    memcpy(&o, gathered.data, sizeof(o));
    o.place.path = (struct bytes){ o.path, o.path_len };
    return deleted_read(&o.place, &q, answer);
}

const struct foreign_job clue_job_deleted = { "the inodes of deleted files", sizeof(struct opened_device), gather, parse, true };
#else
#include <errno.h>

static int gather(struct bytes request, struct gathered *g)
{
    (void)request;
    (void)g;
    return -ENOENT; /* built without libext2fs */
}

int deleted_read(const struct deleted_place *where, const struct clue_question *q, struct sbuf *answer)
{
    (void)where;
    (void)q;
    (void)answer;
    return -ENOENT;
}

const struct foreign_job clue_job_deleted = { "the inodes of deleted files", 1024, gather, NULL, false };
#endif
