/* SPDX-License-Identifier: MIT */
#include "restore/still_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/array.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"
#include "util/parse.h"
#include "util/sbuf.h"

#define GONE " (deleted)"
#define ROOT_GONE "//deleted" /* as the table of mounts has it */
#define MAPS_MAX (4 * 1024 * 1024)

/* ---- where a path is by another table of mounts ---- */

/* The mount that the path leads into: of those that cover it the deepest, and there the last. */
static bool mount_of_path(struct bytes table, struct bytes path, struct mountinfo *ret)
{
    struct mountinfo mount;
    size_t deepest = 0;

    while (mountinfo_next(&table, &mount)) {
        char text[PATH_MAX];
        struct bytes point = mountinfo_plain(mount.point, text);

        if (!point.len || point.len < deepest || !bytes_path_covers(point, path))
            continue;
        deepest = point.len;
        *ret = mount;
    }
    return deepest > 0;
}

/* base and, below it, rest. 0: it is too long */
static size_t join(struct bytes base, struct bytes rest, char *ret, size_t size)
{
    bool slash = rest.len && (!base.len || base.data[base.len - 1] != '/');
    int n = snprintf(ret, size, "%.*s%s%.*s", (int)base.len, base.data, slash ? "/" : "", (int)rest.len, rest.len ? rest.data : "");

    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

size_t still_open_place(struct bytes path, uint64_t id, struct bytes theirs, struct bytes ours, struct bytes wanted, char *ret, size_t size,
                        uint64_t *ret_mount)
{
    char point_text[PATH_MAX], root_text[PATH_MAX], inner[PATH_MAX];
    struct mountinfo mount, other, top;
    struct bytes point, root, inside = { inner, 0 };

    if (!mountinfo_by_id(theirs, id, &mount))
        return 0; /* taken away meanwhile, or the kernel's own */
    point = mountinfo_plain(mount.point, point_text);
    root = mountinfo_plain(mount.root, root_text);
    if (bytes_ends_with(root, bytes_of(ROOT_GONE))) /* the mounted directory has been removed meanwhile */
        root.len -= sizeof(ROOT_GONE) - 1;
    if (!point.len || !root.len || !bytes_path_covers(point, path))
        return 0; /* he has another root directory */
    inside.len = join(root, bytes_path_below(point, path), inner, sizeof(inner));
    for (struct bytes rest = ours; inside.len && mountinfo_next(&rest, &other);) {
        struct bytes found = { ret, 0 };

        point = mountinfo_plain(other.point, point_text);
        root = mountinfo_plain(other.root, root_text);
        if (other.device != mount.device || !root.len || !point.len || !bytes_path_covers(root, inside))
            continue;
        found.len = join(point, bytes_path_below(root, inside), ret, size);
        if (!found.len || !bytes_path_covers(wanted, found))
            continue;
        /* nothing else is mounted over it */
        if (mount_of_path(ours, found, &top) && top.id != other.id)
            continue;
        *ret_mount = other.id;
        return found.len;
    }
    return 0;
}

/* ---- what processes hold ---- */

struct open_scan {
    struct bytes wanted;
    struct sbuf ours;   /* the table of mounts that paths are found by */
    ino_t our_mounts;   /* and its namespace */
    uint64_t own_mount; /* what `wanted` lies in: whether that answers, was asked */
    struct still_open_list *list;
};

struct open_holder {
    struct open_scan *scan;
    int proc; /* his directory below /proc */
    pid_t pid;
    struct sbuf mounts; /* his table, once it was needed; empty: it is ours, or not to be trusted */
    bool read, trusted;
};

/*
 * In a user namespace of his own anybody may mount: what we read of a path and of its mount, one after the other, could be made to fit
 * each other, and root would put his file where he cannot.
 */
static bool is_of_our_users(int mounts_fd)
{
    _cleanup_close_ int users = ioctl(mounts_fd, NS_GET_USERNS);
    struct stat own, st;

    return users >= 0 && fstat(users, &st) == 0 && stat("/proc/self/ns/user", &own) == 0 && st.st_ino == own.st_ino;
}

static void read_mounts(struct open_holder *h)
{
    _cleanup_close_ int fd = openat(h->proc, "ns/mnt", O_RDONLY | O_CLOEXEC);
    struct stat st;
    char path[64];

    h->read = true;
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    if (st.st_ino == h->scan->our_mounts) {
        h->trusted = true;
        return;
    }
    snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)h->pid);
    h->trusted = is_of_our_users(fd) && mountinfo_read(path, &h->mounts) == 0 && h->mounts.len;
}

static struct bytes mounts_of(struct open_holder *h)
{
    if (!h->read)
        read_mounts(h);
    return !h->trusted ? BYTES_NULL : h->mounts.len ? sbuf_bytes(&h->mounts) : sbuf_bytes(&h->scan->ours);
}

/* Can it be written to by that descriptor of his? */
static bool is_written(const struct open_holder *h, const char *number)
{
    char path[64], text[512];
    _cleanup_close_ int fd = -EBADF;
    const char *flags;
    ssize_t n;

    snprintf(path, sizeof(path), "fdinfo/%.20s", number);
    fd = openat(h->proc, path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    text[n > 0 ? n : 0] = '\0';
    flags = strstr(text, "flags:");
    return flags && (strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE) != O_RDONLY;
}

static int64_t born_of(int fd, const struct stat *st)
{
    struct statx x;

    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) == 0 && (x.stx_mask & STATX_BTIME))
        return x.stx_btime.tv_sec * (int64_t)NS_PER_S + x.stx_btime.tv_nsec;
    return st->st_ctim.tv_sec * (int64_t)NS_PER_S + st->st_ctim.tv_nsec;
}

static void read_comm(const struct open_holder *h, char ret[16])
{
    _cleanup_close_ int fd = openat(h->proc, "comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, ret, 15) : 0;

    ret[n > 0 ? n : 0] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

static void name_holder(struct still_open *o, const struct open_holder *h, bool writes)
{
    o->pid = h->pid;
    o->writes = writes;
    read_comm(h, o->comm);
}

static int add_new(struct still_open_list *list, struct still_open *new)
{
    if (list->count == STILL_OPEN_MAX)
        return -E2BIG;
    if (ARRAY_ROOM(list->all, list->count, list->size, 16) < 0)
        return -ENOMEM;
    list->all[list->count++] = *new;
    return 0;
}

static void still_open_done(struct still_open *o)
{
    closep(&o->fd);
    free(o->path);
}

/* Takes `new` over. The same file again, or another one that had its path: one of them stays. */
static int add(struct still_open_list *list, struct still_open *new)
{
    for (size_t i = 0; i < list->count; i++) {
        struct still_open *old = &list->all[i];
        bool same = old->st.st_dev == new->st.st_dev && old->st.st_ino == new->st.st_ino;

        if (!same && strcmp(old->path, new->path) != 0)
            continue;
        if (same ? new->writes && !old->writes : new->born_ns > old->born_ns) {
            new->older = old->older || !same;
            still_open_done(old);
            *old = *new;
        } else {
            old->older |= !same;
            still_open_done(new);
        }
        return 0;
    }
    return add_new(list, new);
}

static bool is_deleted(int dir, const char *link, char *text, size_t size, struct bytes *ret)
{
    ssize_t n = readlinkat(dir, link, text, size);

    *ret = (struct bytes){ text, n > 0 ? (size_t)n : 0 };
    if (!bytes_ends_with(*ret, bytes_of(GONE)) || ret->data[0] != '/')
        return false;
    ret->len -= sizeof(GONE) - 1;
    return true;
}

/* link: of a descriptor or a mapping, in `dir`. What it leads to is opened first, and then asked for its path: he may exchange it. */
static int consider(struct open_holder *h, int dir, const char *link, bool writes)
{
    struct still_open new = { .fd = openat(dir, link, O_PATH | O_CLOEXEC), .writes = writes };
    char own[64], text[PATH_MAX + sizeof(GONE)];
    int64_t id = new.fd < 0 ? -1 : beneath_mount_of(new.fd);
    struct open_scan *s = h->scan;
    struct mountinfo mount;
    char found[PATH_MAX];
    struct bytes path;
    size_t len = 0;
    int r = 0;

    snprintf(own, sizeof(own), "/proc/self/fd/%d", new.fd);
    if (id > 0 && is_deleted(AT_FDCWD, own, text, sizeof(text), &path))
        len = still_open_place(path, (uint64_t)id, mounts_of(h), sbuf_bytes(&s->ours), s->wanted, found, sizeof(found), &new.mount);
    if (len && (new.mount == s->own_mount || (mountinfo_by_id(sbuf_bytes(&s->ours), new.mount, &mount) && !mountinfo_may_hang(&mount))) &&
        /* what has a name may have that one, which happens to end so */
        fstat(new.fd, &new.st) == 0 && S_ISREG(new.st.st_mode) && new.st.st_nlink == 0) {
        new.born_ns = born_of(new.fd, &new.st);
        new.path = strndup(found, len);
        name_holder(&new, h, writes);
        r = new.path ? add(s->list, &new) : -ENOMEM;
        if (r == 0)
            return 0;
    }
    still_open_done(&new);
    return r;
}

static int look_at_descriptors(struct open_holder *h)
{
    int fd = openat(h->proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!dir) {
        closep(&fd);
        return 0; /* it has ended */
    }
    while (r == 0 && (entry = readdir(dir))) {
        char text[PATH_MAX + sizeof(GONE)];
        struct bytes path;

        if (is_deleted(dirfd(dir), entry->d_name, text, sizeof(text), &path))
            r = consider(h, dirfd(dir), entry->d_name, is_written(h, entry->d_name));
    }
    return r;
}

/* "FROM-TO rwxs OFFSET DEVICE INODE   PATH (deleted)" */
static int look_at_mapping(struct open_holder *h, struct bytes line)
{
    struct bytes rest = line, range = bytes_next_word(&rest), access = bytes_next_word(&rest);
    char link[64];

    snprintf(link, sizeof(link), "map_files/%.*s", (int)MIN(range.len, (size_t)40), range.data);
    return consider(h, h->proc, link, access.len == 4 && access.data[1] == 'w' && access.data[3] == 's');
}

/* The text has all mappings at once; following each link of map_files would be slow. */
static int look_at_mappings(struct open_holder *h)
{
    _cleanup_close_ int fd = openat(h->proc, "maps", O_RDONLY | O_CLOEXEC);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int r = 0;

    if (fd < 0 || sbuf_add_file(&text, fd, MAPS_MAX) < 0)
        return 0;
    for (struct bytes rest = sbuf_bytes(&text); r == 0 && rest.len;) {
        struct bytes line = bytes_next_line(&rest);

        if (bytes_ends_with(line, bytes_of(GONE)))
            r = look_at_mapping(h, line);
    }
    return r;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct still_open *)a)->path, ((const struct still_open *)b)->path);
}

static int look_at_all(struct open_scan *s)
{
    _cleanup_closedir_ DIR *dir = opendir("/proc");
    struct dirent *entry;
    int r = 0;

    if (!dir)
        return -errno;
    while (r == 0 && (entry = readdir(dir))) {
        struct open_holder h = { .scan = s, .mounts = SBUF_INIT };
        uint32_t pid;

        if (parse_u32(bytes_of(entry->d_name), 10, &pid) < 0 || (pid_t)pid == getpid())
            continue;
        h.pid = (pid_t)pid;
        h.proc = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (h.proc < 0)
            continue;
        r = look_at_descriptors(&h);
        if (r == 0)
            r = look_at_mappings(&h);
        sbuf_done(&h.mounts);
        close(h.proc);
    }
    return r;
}

/* Whose paths are meant. */
static int read_viewer(struct open_scan *s, pid_t viewer, struct err *err)
{
    char who[32], path[64];
    _cleanup_close_ int fd = -EBADF;
    struct stat st;
    int r;

    snprintf(who, sizeof(who), viewer ? "%d" : "self", (int)viewer);
    snprintf(path, sizeof(path), "/proc/%s/ns/mnt", who);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, errno == ENOENT ? -ESRCH : -errno, "the table of mounts");
    if (viewer && !is_of_our_users(fd))
        return err_say(err, -EOPNOTSUPP, "the container's mounts belong to another user namespace: whose paths those are is not known for sure");
    snprintf(path, sizeof(path), "/proc/%s/mountinfo", who);
    r = mountinfo_read(path, &s->ours);
    s->our_mounts = st.st_ino;
    return r < 0 ? err_set(err, r, "the table of mounts") : 0;
}

int still_open_find(pid_t viewer, struct bytes path, struct still_open_list *ret, struct err *err)
{
    struct open_scan s = { .wanted = path, .ours = SBUF_INIT, .list = ret };
    struct mountinfo mount;
    int r = read_viewer(&s, viewer, err);

    if (r < 0) {
        sbuf_done(&s.ours);
        return r;
    }
    s.own_mount = mount_of_path(sbuf_bytes(&s.ours), path, &mount) ? mount.id : 0;
    r = look_at_all(&s);
    sbuf_done(&s.ours);
    if (ret->count)
        qsort(ret->all, ret->count, sizeof(*ret->all), by_path);
    if (r == -E2BIG)
        return err_say(err, r, "more than %d deleted files are still open there: ask for a part of them", STILL_OPEN_MAX);
    return r < 0 ? err_set(err, r, "what processes still hold open") : 0;
}

void still_open_list_done(struct still_open_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        still_open_done(&list->all[i]);
    free(list->all);
    *list = (struct still_open_list){ 0 };
}
