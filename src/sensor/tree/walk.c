/* SPDX-License-Identifier: MIT */
/* Looking at directories: listing a tree in pieces. */
#include "sensor/tree/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "sensor/tree/ask.h"
#include "sensor/tree/change.h"
#include "sensor/tree/look.h"
#include "sensor/tree/open_directory.h"
#include "sensor/tree/state.h"
#include "sensor/tree/statx.h"
#include "sensor/tree/storage.h"
#include "util/cleanup.h"

#define OPEN_FRAMES 48          /* descriptors held while walking; deeper ones are opened again by ".." */
#define LIST_SIZE (64 * 1024)   /* bytes of directory entries read at once */
#define EXPECTED_BYTES 16       /* of a directory's size for each name in it, beside the name */
#define EXPECTED_MAX 2000000u   /* names that room is made for in advance, whatever size a directory says it has */
#define DIRECTORY_STEPS 50      /* to open and list a directory takes as long as to look at so many names, or less */

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

static void frame_done(struct frame *f)
{
    closep(&f->fd);
    sbuf_done(&f->pending);
}

void tree_walk_done(struct tree *t)
{
    tree_expect(t, 0, 0);
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
    r = tree_look(t, fd, NULL, &xattrs, &seen);
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
    uint64_t steps, most; /* done and allowed; 0: as many as there are */
};

static bool is_enough(const struct directory_listing *l)
{
    return l->most && l->steps >= l->most;
}

static int put(struct directory_listing *l, const struct frame *f, struct bytes name, const struct tree_seen *seen, uint32_t *ret_object)
{
    bool known = l->found && tree_child(l->t, f->object, name) != 0;
    struct tree_change change;
    int r = tree_put_seen(l->t, f->object, name, seen, &change);

    if (r < 0)
        return r;
    if (l->found && (!known || !change.same_object))
        l->found(l->data, change.name);
    *ret_object = change.object;
    return 0;
}

/* Look at it by its name. Is it a directory? -ENOMEM. */
static int look_at(struct directory_listing *l, const struct frame *f, const char *name)
{
    struct tree_seen seen;
    uint32_t object;
    int r = tree_look(l->t, f->fd, name, &l->xattrs, &seen);

    if (r == 0 && l->t->options.names_only && !S_ISDIR(seen.state.mode))
        return 0;
    if (r == 0)
        r = put(l, f, bytes_of(name), &seen, &object);
    if (r < 0)
        return r == -ENOMEM ? r : 0; /* gone since */
    return S_ISDIR(seen.state.mode);
}

/* A directory that will be opened is looked at by its descriptor: by its name as well is one walk more. But of what has
 * extended attributes all is looked at together. */
static bool opens_first(const struct tree *t)
{
    return t->options.names_only || !t->options.xattrs;
}

static int add_entry(struct directory_listing *l, struct frame *f, const struct linux_dirent64 *d)
{
    struct bytes name = bytes_of(d->d_name);
    int r = 1;

    if (bytes_equal_str(name, ".") || bytes_equal_str(name, ".."))
        return 0;
    if (l->t->options.names_only && d->d_type != DT_DIR && d->d_type != DT_UNKNOWN)
        return 0;
    if (d->d_type != DT_DIR || !opens_first(l->t))
        r = look_at(l, f, d->d_name);
    if (r > 0)
        sbuf_add(&f->pending, d->d_name, name.len + 1);
    return r < 0 ? r : sbuf_error(&f->pending);
}

/* Does a directory's count of links say how many directories it holds? Not where its file system counts otherwise (btrfs, overlay). */
static bool counts_links(struct tree *t, const struct frame *f)
{
    struct statfs fs;

    if (t->counted_device != f->device || !t->counted) {
        t->counted_device = f->device;
        t->counted = true;
        t->counts_links = fstatfs(f->fd, &fs) == 0 &&
                          (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC);
    }
    return t->counts_links;
}

/* reported: what was made since it was looked at is reported. Else it is looked at again, after the mark was placed. */
static bool has_directories(struct tree *t, const struct frame *f, bool reported)
{
    struct file_state state;

    if (!counts_links(t, f))
        return true;
    if (reported)
        tree_state(t, f->object, &state);
    else if (tree_stat(f->fd, NULL, &state) < 0)
        return true;
    return state.links != 2;
}

/* The mark first, then the list: what appears after the mark is reported by it. False: there is nothing to be listed. */
static bool begin(struct tree *t, struct frame *f)
{
    int r = 0;

    if (!foreign_mounts_device_answers(tree_mounts(t), f->device, f->fd, "."))
        r = -ETIMEDOUT;
    else if (t->options.directory)
        r = t->options.directory(t->options.data, f->fd, f->object);
    if (r < 0)
        t->unreadable++;
    return r >= 0 && !(t->options.names_only && !has_directories(t, f, r > 0));
}

/* A directory that fills the whole buffer is a large one, and its size says about how many names it has: all file systems that
 * count it have some 16 bytes or more for each beside the name. Rather too few: what is missing is made room for as it comes. */
static void expect_names(struct tree *t, const struct frame *f, const char *buffer, long len)
{
    const struct linux_dirent64 *d;
    uint64_t names = 0, text = 0, more;
    struct file_state state;

    if (t->options.names_only || len < LIST_SIZE / 2)
        return;
    for (long i = 0; i < len; i += d->d_reclen, names++) {
        d = (const void *)(buffer + i);
        text += strlen(d->d_name);
    }
    tree_state(t, f->object, &state);
    more = state.known & FILE_SIZE ? state.size / (text / names + EXPECTED_BYTES) : 0;
    tree_expect(t, f->object, (uint32_t)MIN(more, (uint64_t)EXPECTED_MAX));
}

/* As much of it as is allowed; f->more says whether that was all. */
static int list(struct directory_listing *l, struct frame *f)
{
    struct tree *t = l->t;
    bool goes_on = f->more;

    f->listed = true;
    f->more = false;
    if (!still_that(t, f) || (!goes_on && !begin(t, f)))
        return 0;
    for (;;) {
        long n = syscall(SYS_getdents64, f->fd, l->buffer, LIST_SIZE);

        if (n < 0 && errno != ENOENT) /* ENOENT: removed while it was read */
            t->unreadable++;
        if (n <= 0 && t->expecting == f->object)
            tree_expect(t, 0, 0);
        if (n <= 0)
            return 0;
        if (!goes_on) /* only with the first piece */
            expect_names(t, f, l->buffer, n);
        goes_on = true;
        for (long i = 0; i < n; l->steps++) {
            const struct linux_dirent64 *d = (const void *)(l->buffer + i);
            int r = add_entry(l, f, d);

            if (r < 0)
                return r;
            i += d->d_reclen;
        }
        if (is_enough(l)) {
            f->more = true;
            return 0;
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

/* Is it to be entered, by what is known of it? Seen under another name it is not: a bind mount, maybe a circle. */
static bool is_entered(const struct tree *t, const struct frame *f, const char *name, uint32_t object)
{
    return tree_is_directory(t, object) && object != t->root && tree_first_name(t, object) == tree_child(t, f->object, bytes_of(name));
}

/* What was opened, as the index has it. 0: it is not entered. */
static uint32_t opened_object(struct directory_listing *l, struct frame *f, const char *name, const struct file_state *state)
{
    struct tree_seen seen = { .state = *state };
    uint32_t object = 0;

    if (!opens_first(l->t)) {
        object = tree_object_of(l->t, tree_child(l->t, f->object, bytes_of(name)));
        if (tree_is_that(l->t, object, state))
            return object;
        /* statx() does not trigger an automount, open() does; or it was replaced in between */
    }
    if (put(l, f, bytes_of(name), &seen, &object) < 0 || !is_entered(l->t, f, name, object))
        return 0;
    return object;
}

static int open_next(struct directory_listing *l, struct frame *f, const char *name)
{
    struct tree *t = l->t;
    int fd = -ETIMEDOUT;

    if (!opens_first(t) && !is_entered(t, f, name, tree_object_of(t, tree_child(t, f->object, bytes_of(name)))))
        return -ENOENT;
    /* mounted since it was listed, or now is the time to list it */
    if (foreign_mounts_device_answers(tree_mounts(t), f->device, f->fd, ".") && foreign_mounts_answer_below(t->mounts, f->fd, name))
        fd = open_for_listing(f->fd, name);
    if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP && fd != -ETIMEDOUT)
        t->unreadable++;
    if (fd < 0 && opens_first(t) && look_at(l, f, name) == -ENOMEM)
        return -ENOMEM;
    return fd;
}

/* Open the next subdirectory of `f` and put it on the stack. */
static int descend(struct directory_listing *l, struct frame *f, const char *name)
{
    struct tree *t = l->t;
    struct file_state state;
    uint32_t object;
    int fd = open_next(l, f, name);

    if (fd < 0)
        return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : 0;
    if (tree_stat(fd, NULL, &state) < 0) {
        close(fd);
        t->unreadable++;
        return 0;
    }
    object = opened_object(l, f, name, &state);
    if (!object || (state.device != f->device && (!t->options.cross_mounts || is_pseudo(fd)))) {
        close(fd);
        return 0;
    }
    return push(t, fd, object, true);
}

/* Until only so many frames are left. */
static int walk(struct tree *t, unsigned steps, size_t frames, void (*found)(void *data, uint32_t name),
                void *data, struct err *err)
{
    struct directory_listing l = { .t = t, .found = found, .data = data, .buffer = NULL, .most = steps };
    int r = 0;

    if (t->frame_count <= frames)
        return 0;
    l.buffer = malloc(LIST_SIZE);
    if (!l.buffer)
        return err_set(err, -ENOMEM, "index of the tree");
    while (t->frame_count > frames && r == 0) {
        struct frame *f = &t->frames[t->frame_count - 1];

        if (!f->listed || f->more) {
            if (is_enough(&l))
                break;
            l.steps += f->more ? 0 : DIRECTORY_STEPS;
            r = list(&l, f);
        } else if (f->at < f->pending.len && still_that(t, f)) {
            const char *name = f->pending.data + f->at;

            f->at += strlen(name) + 1;
            r = descend(&l, f, name);
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

int tree_walk(struct tree *t, unsigned steps, void (*found)(void *data, uint32_t name),
              void *data, struct err *err)
{
    return walk(t, steps, 0, found, data, err);
}

int tree_walk_queued(struct tree *t, void (*found)(void *data, uint32_t name), void *data, struct err *err)
{
    return walk(t, 0, t->frame_count ? t->frame_count - 1 : 0, found, data, err);
}
