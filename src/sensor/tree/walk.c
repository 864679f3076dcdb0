/* SPDX-License-Identifier: MIT */
/* Looking at directories: listing a tree in pieces, looking again at one name, opening by path. */
#include "sensor/tree/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "sensor/tree/ask.h"
#include "sensor/tree/change.h"
#include "sensor/tree/state.h"
#include "sensor/tree/statx.h"
#include "sensor/tree/storage.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/limits.h"

#define OPEN_FRAMES 48          /* descriptors held while walking; deeper ones are opened again by ".." */
#define LIST_SIZE (64 * 1024)   /* bytes of directory entries read at once */
#define XATTR_LIST_SIZE 4096    /* names of attributes of one file; more are not distinguished */
#define XATTR_VALUE_SIZE 4096   /* bytes of a value that its digest covers */
#define LOOK (STATX_BASIC_STATS)
#define SYSCALL_LISTXATTRAT 465 /* one number for all architectures; the C library may be older */

/* linux/magic.h does not have these */
#define MAGIC_MQUEUE 0x19800202u
#define MAGIC_CONFIGFS 0x62656570u
#define MAGIC_FUSECTL 0x65735543u

/* What the kernel makes up: nothing is kept there, and there is no end to it. */
static const uint32_t pseudo[] = {
    PROC_SUPER_MAGIC, SYSFS_MAGIC,     CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC,
    TRACEFS_MAGIC,    BPF_FS_MAGIC,    SECURITYFS_MAGIC,   DEVPTS_SUPER_MAGIC,  NSFS_MAGIC,
    PSTOREFS_MAGIC,   EFIVARFS_MAGIC,  BINFMTFS_MAGIC,     SELINUX_MAGIC,       AUTOFS_SUPER_MAGIC,
    MAGIC_MQUEUE,     MAGIC_CONFIGFS,  MAGIC_FUSECTL,
};

static uint32_t digest(const char *data, size_t len)
{
    uint64_t h = hash_add(HASH_START, data, len); /* only "has it changed" is asked of it */

    return (uint32_t)(h ^ (h >> 32));
}

/* The kernel before 6.13 takes a path only, which leads through /proc: most files have none, and that is soon said. */
static bool has_no_xattrs(int fd, const char *name)
{
    static bool missing;
    long len;

    if (!name || __atomic_load_n(&missing, __ATOMIC_RELAXED))
        return false;
    len = syscall(SYSCALL_LISTXATTRAT, fd, name, AT_SYMLINK_NOFOLLOW, NULL, (size_t)0);
    if (len < 0 && (errno == ENOSYS || errno == EPERM))
        __atomic_store_n(&missing, true, __ATOMIC_RELAXED);
    return len == 0;
}

/* The names and digests of a file's attributes, as struct object_attributes keeps them. */
static void look_at_xattrs(int fd, const char *name, struct sbuf *out)
{
    char path[64 + LIMIT_NAME + 1], list[XATTR_LIST_SIZE], value[XATTR_VALUE_SIZE];
    ssize_t len;

    sbuf_clear(out);
    if (has_no_xattrs(fd, name))
        return;
    if (name)
        snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", fd, name);
    else
        snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
    len = llistxattr(path, list, sizeof(list));
    for (ssize_t i = 0; i < len;) {
        size_t n = strnlen(list + i, (size_t)(len - i));
        ssize_t size = n ? lgetxattr(path, list + i, value, sizeof(value)) : -1;
        uint32_t d = size >= 0 ? digest(value, (size_t)size) : 0;

        if (n > 0 && n <= LIMIT_NAME) {
            sbuf_add_char(out, (char)(unsigned char)n);
            sbuf_add(out, list + i, n);
            sbuf_add(out, (const char *)&d, sizeof(d));
        }
        i += (ssize_t)n + 1;
    }
}

static struct foreign_mounts *mounts_of(struct tree *t)
{
    if (!t->mounts)
        t->mounts = foreign_mounts_new(t->options.ns_pid);
    return t->mounts;
}

/* The directory is not asked for that: the kernel knows it, as long as no newer answer is wanted. */
static bool directory_answers(struct tree *t, int fd)
{
    struct statx stx;

    if (!foreign_mounts_any(mounts_of(t)) || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0)
        return true;
    return foreign_mounts_device_answers(t->mounts, makedev(stx.stx_dev_major, stx.stx_dev_minor), fd, ".");
}

bool tree_answers(struct tree *t, int fd, const char *name)
{
    return directory_answers(t, fd) && foreign_mounts_answer(t->mounts, fd, name);
}

uint64_t tree_take_unanswered(struct tree *t)
{
    return t ? foreign_mounts_take_unanswered(t->mounts) : 0;
}

static int look(struct tree *t, int fd, const char *name, struct sbuf *xattrs, struct tree_seen *ret)
{
    bool answers = name ? tree_answers(t, fd, name) : directory_answers(t, fd);
    int r = answers ? tree_stat(fd, name, &ret->state) : -ETIMEDOUT;

    if (r < 0)
        return r;
    ret->xattrs = NULL;
    ret->xattr_len = 0;
    if (t->options.xattrs && !t->options.names_only && !(name && strlen(name) > LIMIT_NAME)) {
        look_at_xattrs(fd, name, xattrs);
        if (sbuf_error(xattrs))
            return -ENOMEM;
        ret->xattrs = xattrs->data;
        ret->xattr_len = xattrs->len;
    }
    return 0;
}

/* ---- looking again at one name ---- */

int tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name,
                 struct tree_change *ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf xattrs = SBUF_INIT;
    char text[LIMIT_NAME + 1];
    struct tree_seen seen;
    int r;

    if (name.len == 0 || name.len > LIMIT_NAME || memchr(name.data, '\0', name.len))
        return err_set(err, -EINVAL, "name of %zu bytes", name.len);
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    r = look(t, fd, text, &xattrs, &seen);
    if (r == -ENOENT) {
        tree_remove(t, tree_child(t, directory, name), ret);
        return 0;
    }
    if (r == 0)
        r = tree_put_seen(t, directory, name, &seen, ret);
    return r < 0 ? err_set(err, r, "looking at a file") : 0;
}

int tree_refresh_object(struct tree *t, int fd, uint32_t object, struct tree_change *ret,
                        struct err *err)
{
    _cleanup_sbuf_ struct sbuf xattrs = SBUF_INIT;
    struct tree_change c = { .object = object, .name = tree_first_name(t, object) };
    struct tree_seen seen;
    int r = look(t, fd, NULL, &xattrs, &seen);

    if (r < 0)
        return err_set(err, r, "looking at a directory");
    tree_state(t, object, &c.before);
    if (!tree_is_that(t, object, &seen.state))
        return -ESTALE;
    if (t->options.xattrs)
        tree_compare_xattrs(tree_xattrs(t, object), (struct bytes){ seen.xattrs, seen.xattr_len },
                            &c);
    r = tree_set_seen(t, object, &seen);
    if (r < 0)
        return err_set(err, r, "index of the tree");
    c.same_object = true;
    c.after = seen.state;
    *ret = c;
    return 0;
}

/* ---- walking ---- */

static void frame_done(struct frame *f)
{
    closep(&f->fd);
    sbuf_done(&f->pending);
}

void tree_walk_done(struct tree *t)
{
    while (t->frame_count)
        frame_done(&t->frames[--t->frame_count]);
    closep(&t->root_fd);
    t->root_fd = -EBADF;
}

bool tree_is_walking(const struct tree *t)
{
    return t->frame_count > 0;
}

static int push(struct tree *t, int fd, uint32_t object, bool chained)
{
    struct file_state state;
    struct frame *f;

    if (t->frame_count == t->frame_size) {
        size_t size = t->frame_size ? t->frame_size * 2 : 64;
        struct frame *frames = reallocarray(t->frames, size, sizeof(*frames));

        if (!frames) {
            close(fd);
            return -ENOMEM;
        }
        t->frames = frames;
        t->frame_size = size;
    }
    tree_state(t, object, &state);
    f = &t->frames[t->frame_count++];
    *f = (struct frame){ .fd = fd,
                         .object = object,
                         .device = state.device,
                         .inode = state.inode,
                         .chained = chained };
    if (t->frame_count > OPEN_FRAMES) {
        struct frame *far = &t->frames[t->frame_count - 1 - OPEN_FRAMES];

        /* only what can be found again by ".." from the one above it */
        if (far[1].chained && far->listed) {
            closep(&far->fd);
            far->fd = -EBADF;
        }
    }
    return 0;
}

static int open_for_listing(int fd, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int opened = openat(fd, name, flags | O_NOATIME);

    /* not ours and not root: the access time is then changed as by anybody */
    if (opened < 0 && errno == EPERM)
        opened = openat(fd, name, flags);
    return opened < 0 ? -errno : opened;
}

int tree_queue(struct tree *t, int fd, uint32_t directory, struct err *err)
{
    int opened = open_for_listing(fd, "."), r;

    if (opened < 0) {
        if (opened != -ENOENT)
            t->unreadable++;
        return err_set(err, opened, "opening a directory");
    }
    r = push(t, opened, directory, false);
    return r < 0 ? err_set(err, r, "index of the tree") : 0;
}

void tree_set_names_only(struct tree *t, bool names_only)
{
    t->options.names_only = names_only;
}

int tree_start(struct tree *t, int fd, struct err *err)
{
    _cleanup_sbuf_ struct sbuf xattrs = SBUF_INIT;
    struct tree_seen seen;
    int r;

    tree_walk_done(t);
    tree_clear(t);
    r = look(t, fd, NULL, &xattrs, &seen);
    if (r < 0)
        return err_set(err, r, "looking at the root of the tree");
    r = tree_set_root_seen(t, &seen);
    return r < 0 ? err_set(err, r, "index of the tree") : 0;
}

int tree_set_root(struct tree *t, int fd, struct err *err)
{
    int r = tree_start(t, fd, err);

    if (r < 0 || !tree_is_directory(t, t->root))
        return r;
    t->root_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return tree_queue(t, fd, t->root, err);
}

static bool is_pseudo(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(pseudo); i++)
        if ((uint32_t)fs.f_type == pseudo[i])
            return true;
    return false;
}

static bool still_that(const struct tree *t, const struct frame *f)
{
    struct file_state state;

    tree_state(t, f->object, &state);
    return state.known && state.inode == f->inode && state.device == f->device;
}

struct linux_dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
};

struct directory_listing {
    struct tree *t;
    void (*found)(void *data, uint32_t name);
    void *data;
    struct sbuf xattrs;
    char *buffer;
};

static int add_entry(struct directory_listing *l, struct frame *f, const struct linux_dirent64 *d)
{
    struct bytes name = bytes_of(d->d_name);
    struct tree_change change;
    struct tree_seen seen;
    bool known;
    int r;

    if (bytes_equal_str(name, ".") || bytes_equal_str(name, ".."))
        return 0;
    if (l->t->options.names_only && d->d_type != DT_DIR && d->d_type != DT_UNKNOWN)
        return 0;
    r = look(l->t, f->fd, d->d_name, &l->xattrs, &seen);
    if (r < 0)
        return r == -ENOMEM ? r : 0; /* gone since */
    if (l->t->options.names_only && !S_ISDIR(seen.state.mode))
        return 0;
    known = tree_child(l->t, f->object, name) != 0;
    r = tree_put_seen(l->t, f->object, name, &seen, &change);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    if (S_ISDIR(seen.state.mode))
        sbuf_add(&f->pending, d->d_name, name.len + 1);
    if (l->found && (!known || !change.same_object))
        l->found(l->data, change.name);
    return sbuf_error(&f->pending);
}

/* The mark first, then the list: what appears after the mark is reported by it. */
static int list(struct directory_listing *l, struct frame *f)
{
    struct tree *t = l->t;
    int r = 0;

    f->listed = true;
    if (!still_that(t, f))
        return 0;
    if (!foreign_mounts_device_answers(mounts_of(t), f->device, f->fd, ".")) {
        t->unreadable++;
        return 0;
    }
    if (t->options.directory)
        r = t->options.directory(t->options.data, f->fd, f->object);
    if (r < 0) {
        t->unreadable++;
        return 0;
    }
    for (;;) {
        long n = syscall(SYS_getdents64, f->fd, l->buffer, LIST_SIZE);

        if (n < 0 && errno != ENOENT) /* ENOENT: removed while it was read */
            t->unreadable++;
        if (n <= 0)
            return 0;
        for (long i = 0; i < n;) {
            const struct linux_dirent64 *d = (const void *)(l->buffer + i);

            r = add_entry(l, f, d);
            if (r < 0)
                return r;
            i += d->d_reclen;
        }
    }
}

/* Back in a directory whose descriptor was closed: by ".." of the one that was just finished. */
static int reopen(struct tree *t, struct frame *f, int child_fd)
{
    struct file_state state;
    int fd = open_for_listing(child_fd, "..");

    if (fd >= 0 && tree_stat(fd, NULL, &state) == 0 && state.device == f->device &&
        state.inode == f->inode) {
        f->fd = fd;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    /* moved meanwhile: the index knows where it is, if the events have said so */
    if (!still_that(t, f) || t->root_fd < 0)
        return -ESTALE;
    fd = tree_open_directory(t, t->root_fd, f->object, NULL);
    if (fd < 0)
        return fd;
    f->fd = open_for_listing(fd, ".");
    close(fd);
    return f->fd < 0 ? f->fd : 0;
}

static void pop(struct tree *t)
{
    struct frame *f = &t->frames[t->frame_count - 1];

    if (f->chained && t->frame_count > 1 && f[-1].fd < 0 && reopen(t, &f[-1], f->fd) < 0) {
        t->unreadable++;
        sbuf_clear(&f[-1].pending);
        f[-1].at = 0;
    }
    frame_done(f);
    t->frame_count--;
}

/* Open the next subdirectory of `f` and put it on the stack. */
static int descend(struct tree *t, struct frame *f, const char *name)
{
    uint32_t n = tree_child(t, f->object, bytes_of(name));
    uint32_t object = tree_object_of(t, n);
    struct file_state state, known;
    int fd;

    if (!tree_is_directory(t, object) || object == t->root ||
        tree_first_name(t, object) != n) /* seen under another name: a bind mount, maybe a circle */
        return 0;
    if (!foreign_mounts_device_answers(mounts_of(t), f->device, f->fd, ".") ||
        !foreign_mounts_answer_below(t->mounts, f->fd, name)) /* mounted since it was listed, or now is the time to list it */
        return 0;
    fd = open_for_listing(f->fd, name);
    if (fd < 0) {
        if (fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP)
            t->unreadable++;
        return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : 0;
    }
    if (tree_stat(fd, NULL, &state) < 0) {
        close(fd);
        t->unreadable++;
        return 0;
    }
    tree_state(t, object, &known);
    if (state.device != known.device || state.inode != known.inode) {
        struct tree_seen seen = { .state = state };
        struct tree_change change;

        /* statx() does not trigger an automount, open() does; or it was replaced in between */
        if (tree_put_seen(t, f->object, bytes_of(name), &seen, &change) < 0) {
            close(fd);
            return 0;
        }
        object = change.object;
    }
    if (state.device != f->device && (!t->options.cross_mounts || is_pseudo(fd))) {
        close(fd);
        return 0;
    }
    return push(t, fd, object, true);
}

/* Until only so many frames are left. */
static int walk(struct tree *t, unsigned directories, size_t frames, void (*found)(void *data, uint32_t name),
                void *data, struct err *err)
{
    struct directory_listing l = { .t = t, .found = found, .data = data, .buffer = NULL };
    unsigned listed = 0;
    int r = 0;

    if (t->frame_count <= frames)
        return 0;
    l.buffer = malloc(LIST_SIZE);
    if (!l.buffer)
        return err_set(err, -ENOMEM, "index of the tree");
    while (t->frame_count > frames && r == 0) {
        struct frame *f = &t->frames[t->frame_count - 1];

        if (!f->listed) {
            if (directories && listed == directories)
                break;
            listed++;
            r = list(&l, f);
        } else if (f->at < f->pending.len && still_that(t, f)) {
            const char *name = f->pending.data + f->at;

            f->at += strlen(name) + 1;
            r = descend(t, f, name);
        } else {
            pop(t);
        }
    }
    sbuf_done(&l.xattrs);
    free(l.buffer);
    if (r < 0)
        return err_set(err, r, "listing the tree");
    if (t->frame_count)
        return 1;
    closep(&t->root_fd);
    t->root_fd = -EBADF;
    return 0;
}

int tree_walk(struct tree *t, unsigned directories, void (*found)(void *data, uint32_t name),
              void *data, struct err *err)
{
    return walk(t, directories, 0, found, data, err);
}

int tree_walk_queued(struct tree *t, void (*found)(void *data, uint32_t name), void *data, struct err *err)
{
    return walk(t, 0, t->frame_count ? t->frame_count - 1 : 0, found, data, err);
}

/* ---- opening by path ---- */

static int open_path(int fd, const char *path, bool one_component)
{
    int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct open_how how = { .flags = (unsigned)flags,
                            .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    int opened = one_component ? openat(fd, path, flags)
                               : (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));

    return opened < 0 ? -errno : opened;
}

static size_t component_end(struct bytes path, size_t at)
{
    while (at < path.len && path.data[at] != '/')
        at++;
    return at;
}

int tree_open_directory(const struct tree *t, int root_fd, uint32_t directory, struct err *err)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    _cleanup_close_ int fd = -EBADF;
    struct file_state state, known;
    size_t at = 0, most = PATH_MAX - 1; /* bytes of path handed over at once */
    int r = tree_directory_path(t, directory, &path);

    if (r < 0)
        return err_set(err, r, "path of a directory");
    tree_state(t, directory, &known);
    if (!foreign_mounts_device_answers(t->mounts, known.device, root_fd, path.len ? sbuf_str(&path) : "."))
        return err_set(err, -ETIMEDOUT, "opening a directory of the tree");
    fd = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "opening the root of the tree");
    while (at < path.len) {
        size_t end = component_end(sbuf_bytes(&path), at), next;
        int opened;

        while (end < path.len) {
            next = component_end(sbuf_bytes(&path), end + 1);
            if (next - at > most)
                break;
            end = next;
        }
        path.data[end] = '\0'; /* the buffer has room for one behind the text */
        opened = open_path(fd, path.data + at, most == 0);
        if (end < path.len)
            path.data[end] = '/';
        if (most && (opened == -ENOSYS || opened == -EPERM)) {
            most = 0; /* openat2 is new in 5.6: one component at a time needs nothing but O_NOFOLLOW */
            continue;
        }
        if (opened == -ENOENT || opened == -ENOTDIR || opened == -ELOOP)
            opened = -ESTALE;
        if (opened < 0)
            return err_set(err, opened, "opening a directory of the tree");
        close(fd);
        fd = opened;
        at = end + (end < path.len);
    }
    r = tree_stat(fd, NULL, &state);
    if (r < 0)
        return err_set(err, r, "opening a directory of the tree");
    if (state.device != known.device || state.inode != known.inode)
        return err_set(err, -ESTALE, "opening a directory of the tree");
    return TAKE_FD(fd);
}
