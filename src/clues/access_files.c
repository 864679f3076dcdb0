/* SPDX-License-Identifier: MIT */
/*
 * What whoever changed the target had to write to: a file and its directory; a directory and all that is below it; where nothing is any
 * more, the nearest directory above. Only attributes are read. Where there is too much, or a file system has rules of its own, nothing is said.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "clues/access.h"
#include "clues/source.h"
#include "engine/flat.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DEPTH_MAX 8
#define ENTRIES_MAX 4000
#define ACL_MAX 1024
#define TABLE_MAX (256 * 1024)
#define TABLES_MAX 64
#define ACL_NAME "system.posix_acl_access"
#define ZFS_MAGIC 0x2fc12fc1

struct access_walk {
    struct sbuf *out;
    unsigned entries;
    dev_t device;
};

/* Is what mode and list say all that counts? Not where a server or another program decides. */
static bool goes_by_modes(int fd)
{
    static const unsigned long types[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC,
                                           F2FS_SUPER_MAGIC, RAMFS_MAGIC, ZFS_MAGIC };
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if ((unsigned long)fs.f_type == types[i])
            return true;
    return false;
}

/* `path`: a way to it that the kernel goes without following its last component. -errno */
static int put_object(struct sbuf *out, const char *path, const struct stat *st)
{
    char acl[ACL_MAX];
    ssize_t n = S_ISLNK(st->st_mode) ? 0 : lgetxattr(path, ACL_NAME, acl, sizeof(acl));
    struct access_object o = { .mode = st->st_mode, .uid = st->st_uid, .gid = st->st_gid, .changed_ns = clock_of(st->st_ctim), .changed_itself = clock_of(st->st_ctim) != clock_of(st->st_mtim) };

    if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
        return -errno;
    o.acl = (struct bytes){ acl, (size_t)MAX(n, (ssize_t)0) };
    access_put(out, &o);
    return 0;
}

static int put_opened(struct sbuf *out, int fd, struct stat *ret_st)
{
    char path[64];

    if (fstat(fd, ret_st) < 0)
        return -errno;
    if (!goes_by_modes(fd))
        return -EOPNOTSUPP;
    snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
    if (!S_ISDIR(ret_st->st_mode))
        return -ENOTDIR;
    return put_object(out, path, ret_st);
}

static int put_below(struct access_walk *w, int fd, unsigned depth)
{
    _cleanup_closedir_ DIR *dir = fdopendir(fd);
    struct dirent *entry;
    int r = 0;

    if (!dir) {
        close(fd);
        return -errno;
    }
    while (r == 0 && (entry = readdir(dir))) {
        char path[300];
        struct stat st;
        int below;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++w->entries > ENTRIES_MAX || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
            return -E2BIG;
        if (S_ISLNK(st.st_mode))
            continue;
        if (st.st_dev != w->device)
            return -EXDEV;
        snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd(dir), entry->d_name);
        r = put_object(w->out, path, &st);
        if (r < 0 || !S_ISDIR(st.st_mode))
            continue;
        below = depth < DEPTH_MAX ? openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) : -1;
        r = below < 0 ? -E2BIG : put_below(w, below, depth + 1);
    }
    return r;
}

/* The target is there: it, what it lies in, what is below it. */
static int put_target(struct sbuf *out, int root, struct bytes path)
{
    _cleanup_close_ int above = beneath_open(root, bytes_dirname(path), O_PATH | O_DIRECTORY), fd = beneath_open(root, path, O_PATH | O_NOFOLLOW);
    struct access_walk w = { .out = out };
    struct stat st;
    char full[300];
    int r, dir;

    if (fd < 0 || above < 0 || fstat(fd, &st) < 0)
        return -ENOENT;
    if (S_ISDIR(st.st_mode)) {
        w.device = st.st_dev;
        r = put_opened(out, fd, &st);
        dir = r == 0 ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        return r < 0 ? r : dir < 0 ? -errno : put_below(&w, dir, 0);
    }
    r = put_opened(out, above, &(struct stat){ 0 });
    if (r == 0 && snprintf(full, sizeof(full), "/proc/self/fd/%d/%.*s", above, (int)bytes_basename(path).len, bytes_basename(path).data) >= (int)sizeof(full))
        r = -ENAMETOOLONG;
    return r < 0 ? r : put_object(out, full, &st);
}

/* The nearest directory above that is there, which is *ret_above. */
static int put_above(struct sbuf *out, int root, struct bytes path, struct bytes *ret_above)
{
    while (path.len > 1) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        path = bytes_dirname(path);
        fd = beneath_open(root, path, O_PATH | O_DIRECTORY);
        if (fd < 0)
            continue;
        *ret_above = path;
        return put_opened(out, fd, &st);
    }
    return -ENOENT;
}

/* Who may change the names in a directory above may put another one in its place: as that is now, as its names often change. A sticky one
 * lets its owner alone, and those of what lies in it. */
static int put_all_above(struct sbuf *out, int root, struct bytes path)
{
    while (path.len > 1) {
        _cleanup_sbuf_ struct sbuf one = SBUF_INIT;
        _cleanup_close_ int fd = -EBADF;
        struct access_object o = { 0 };
        struct stat st;
        int r;

        path = bytes_dirname(path);
        fd = beneath_open(root, path, O_PATH | O_DIRECTORY);
        r = fd < 0 ? fd : put_opened(&one, fd, &st);
        if (r < 0)
            return r;
        if (access_take(&(struct bytes){ sbuf_str(&one), one.len }, &o) < 0)
            return -ENOMEM;
        o.changed_ns = 0;
        if (st.st_mode & S_ISVTX) {
            o.mode &= ~(uint32_t)(S_IWGRP | S_IWOTH);
            o.acl = BYTES_NULL;
        }
        access_put(out, &o);
    }
    return 0;
}

/* None are gathered where what is there says nothing for certain. */
static int gather_objects(struct gathered *g, int root, struct bytes path)
{
    _cleanup_sbuf_ struct sbuf objects = SBUF_INIT, place = SBUF_INIT;
    struct bytes above = path;
    int r = put_target(&objects, root, path);

    if (r == -ENOENT) {
        sbuf_clear(&objects);
        r = put_above(&objects, root, path, &above);
    }
    if (r == 0)
        r = put_all_above(&objects, root, above);
    if (r < 0)
        return -ENOENT;
    sbuf_add_bytes(&place, above);
    r = clue_gather_text(g, "objects", &objects);
    return r < 0 ? r : clue_gather_text(g, "place", &place);
}

/* A table as a whole, or an error: of half of it nobody would be in the rest. */
static int gather_table(struct gathered *g, int root, const char *path, uint64_t *changed_ns)
{
    _cleanup_close_ int fd = beneath_open_file(root, bytes_of(path));
    size_t before = g->count;
    struct stat st;
    int r;

    if (fd < 0)
        return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    *changed_ns = MAX(*changed_ns, clock_of(st.st_ctim));
    r = clue_gather_file(g, root, path, TABLE_MAX, false);
    return r < 0 ? r : g->count == before && st.st_size ? -EFBIG : 0;
}

static int gather_tables_of(struct gathered *g, int root, const char *directory, uint64_t *changed_ns)
{
    int fd = beneath_open(root, bytes_of(directory), O_RDONLY | O_DIRECTORY), r = 0;
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    struct stat st;
    unsigned n = 0;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return fd == -ENOENT || fd == -ENOTDIR ? 0 : -ENOENT;
    }
    if (fstat(dirfd(dir), &st) < 0)
        return -errno;
    *changed_ns = MAX(*changed_ns, clock_of(st.st_ctim));
    while (r == 0 && (entry = readdir(dir))) {
        char path[300];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        r = ++n > TABLES_MAX ? -E2BIG : gather_table(g, root, path, changed_ns);
        r = r == -EBADF ? 0 : r; /* no file: nobody reads it */
    }
    return r;
}

/* Who is who, and who may become root. */
static int gather_people(struct gathered *g, int root)
{
    static const char *const files[] = { "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/usr/etc/nsswitch.conf", "/etc/sudoers", "/usr/etc/sudoers",
                                         "/etc/sudoers-rs", "/etc/doas.conf", "/etc/subuid", "/etc/subgid" };
    static const char *const directories[] = { "/etc/sudoers.d", "/usr/etc/sudoers.d", "/etc/doas.d" };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    uint64_t changed_ns = 0;
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
        r = gather_table(g, root, files[i], &changed_ns);
    for (size_t i = 0; i < ARRAY_SIZE(directories) && r == 0; i++)
        r = gather_tables_of(g, root, directories[i], &changed_ns);
    flat_put_u64(&text, changed_ns);
    return r < 0 ? -ENOENT : clue_gather_text(g, "changed", &text);
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    int r;

    if (root < 0)
        return root;
    if (!q.extra.len) /* nobody is named of whom it is known who he was */
        return -ENOENT;
    r = gather_objects(g, root, q.host_path.len ? q.host_path : q.path);
    return r < 0 ? r : gather_people(g, root);
}

static bool is_of_sudo(struct bytes name)
{
    static const char *const beginnings[] = { "/etc/sudoers", "/usr/etc/sudoers", "/etc/doas." };

    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
        if (bytes_starts_with(name, bytes_of(beginnings[i])))
            return true;
    return false;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf sudoers = SBUF_INIT;
    struct access_world world = { .passwd = gathered_get(g, "/etc/passwd"), .group = gathered_get(g, "/etc/group"), .nsswitch = gathered_get(g, "/etc/nsswitch.conf"),
                                  .subuid = gathered_get(g, "/etc/subuid"), .subgid = gathered_get(g, "/etc/subgid") };
    struct bytes users, changed = gathered_get(g, "changed");
    struct clue_question q;

    if (clue_question_get(request, &q) < 0 || flat_get_u64(&changed, &world.changed_ns) < 0)
        return -EBADMSG;
    if (!world.nsswitch.len)
        world.nsswitch = gathered_get(g, "/usr/etc/nsswitch.conf");
    users = q.extra;
    q.extra = gathered_get(g, "place");
    for (size_t i = 0; i < g->count; i++)
        if (is_of_sudo(bytes_of(g->files[i].name))) {
            sbuf_add_bytes(&sudoers, g->files[i].content);
            sbuf_add_char(&sudoers, '\n');
        }
    world.sudoers = sbuf_bytes(&sudoers);
    return sbuf_error(&sudoers) < 0 ? -ENOMEM : access_facts(answer, &q, &world, gathered_get(g, "objects"), users);
}

const struct foreign_job clue_job_access = { "who may write there", 8 * 1024 * 1024, gather, parse, false };
