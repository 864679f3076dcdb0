/* SPDX-License-Identifier: MIT */
#include "restore/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* ---- paths ---- */

/* Of what exists of it; the rest is added. */
static int resolve_existing(int root, struct bytes existing, struct bytes path, char *ret)
{
    _cleanup_close_ int fd = root < 0 ? beneath_open_host(existing, 0, O_PATH) : beneath_open(root, existing, O_PATH);
    struct bytes rest = bytes_path_below(existing, path);
    char link[64];
    size_t len;
    ssize_t n;

    if (fd < 0)
        return fd;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, ret, PATH_MAX);
    if (n <= 0 || n == PATH_MAX)
        return n < 0 ? -errno : -ENAMETOOLONG;
    ret[n] = '\0';
    if (!rest.len)
        return 0;
    len = (size_t)n - (ret[n - 1] == '/'); /* the root directory */
    return (size_t)snprintf(ret + len, PATH_MAX - len, "/%.*s", (int)rest.len, rest.data) < PATH_MAX - len ? 0 : -ENAMETOOLONG;
}

static bool is_directory(int root, struct bytes path)
{
    _cleanup_close_ int fd = root < 0 ? beneath_open_host(path, 0, O_PATH) : beneath_open(root, path, O_PATH);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int stage_resolve(int root, struct bytes path, char *ret, struct err *err)
{
    struct bytes existing = is_directory(root, path) ? path : bytes_dirname(path);
    int r;

    while ((r = resolve_existing(root, existing, path, ret)) == -ENOENT && existing.len > 1)
        existing = bytes_dirname(existing);
    return r < 0 ? err_set(err, r, "the target") : 0;
}

int stage_find_base(const struct container_view *view, int *ret_root, struct bytes *ret_base, struct err *err)
{
    _cleanup_close_ int root = -EBADF, merged = -EBADF;
    struct stat a, b;
    char path[64];

    if (!view->running || !view->merged.len)
        return err_say(err, -EOPNOTSUPP, "copies are of a container that runs, and has its files in an overlay: start it first");
    snprintf(path, sizeof(path), "/proc/%d/root", (int)view->container->pid);
    root = beneath_open_host(bytes_of(path), 0, O_PATH | O_DIRECTORY);
    merged = beneath_open_host(view->merged, 0, O_PATH | O_DIRECTORY);
    if (root < 0 || merged < 0 || fstat(root, &a) < 0 || fstat(merged, &b) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return err_say(err, -ESTALE, "the container's root is not mounted where its engine says");
    *ret_root = TAKE_FD(root);
    *ret_base = view->merged;
    return 0;
}

void stage_key(struct bytes base, const char *path, char ret[STAGE_KEY_SIZE])
{
    snprintf(ret, STAGE_KEY_SIZE, "%.*s%s", (int)MIN(base.len, (size_t)PATH_MAX - 1), base.len ? base.data : "", base.len && !path[1] ? "" : path);
}

int stage_open_folder(struct bytes path)
{
    struct bytes dir = bytes_dirname(path);
    char folder[PATH_MAX];

    if (dir.len >= sizeof(folder))
        return -ENAMETOOLONG;
    snprintf(folder, sizeof(folder), "%.*s", (int)dir.len, dir.data);
    return beneath_open_plain(AT_FDCWD, folder, O_PATH | O_DIRECTORY);
}

/* ---- items ---- */

/* All that a stat() says of it; times in nanoseconds, CLOCK_REALTIME. */
static struct file_state stage_state(const struct stat *st)
{
    return (struct file_state){
        .known = FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE | FILE_MTIME | FILE_CTIME,
        .mode = st->st_mode,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .size = (uint64_t)st->st_size,
        .mtime_ns = st->st_mtim.tv_sec * (int64_t)NS_PER_S + st->st_mtim.tv_nsec,
        .ctime_ns = st->st_ctim.tv_sec * (int64_t)NS_PER_S + st->st_ctim.tv_nsec,
    };
}

bool stage_has(const struct stage *s, struct bytes path)
{
    for (size_t i = 0; i < s->items->count; i++)
        if (bytes_equal(s->items->all[i].path, path))
            return true;
    return false;
}

static struct difference *make(enum difference_kind kind, struct bytes path, struct bytes xattr, const struct stat *before, const struct stat *now)
{
    struct difference *d = difference_new();

    if (!d)
        return NULL;
    d->kind = kind;
    d->path = arena_copy(&d->arena, path);
    d->xattr = arena_copy(&d->arena, xattr);
    d->before = stage_state(before);
    if (now)
        d->after = stage_state(now);
    d->changed_ns = (uint64_t)d->before.ctime_ns;
    if (d->path.data)
        return d;
    difference_free(d);
    return NULL;
}

static struct restore_item *add(const struct stage *s, struct difference *d, int *ret_r, struct err *err)
{
    int r = d ? joiner_join(s->joiner, d, err) : -ENOMEM;

    if (r < 0)
        difference_free(d);
    else
        r = restore_items_add(s->items, d);
    *ret_r = r;
    return r < 0 ? NULL : &s->items->all[s->items->count - 1];
}

struct restore_item *stage_add(const struct stage *s, struct bytes path, const struct stat *before, const struct stat *now, int *ret_r, struct err *err)
{
    return add(s, make(now ? DIFFERENCE_CONTENT : DIFFERENCE_MISSING, path, BYTES_NULL, before, now), ret_r, err);
}

struct restore_item *stage_add_attribute(const struct stage *s, enum difference_kind kind, struct bytes path, struct bytes xattr, const struct stat *before,
                                         const struct stat *now, int *ret_r, struct err *err)
{
    return add(s, make(kind, path, xattr, before, now), ret_r, err);
}

#define HOLE 4096

static bool is_zero(const char *data, size_t len)
{
    return len == 0 || (data[0] == '\0' && memcmp(data, data + 1, len - 1) == 0);
}

int stage_content(struct bytes content)
{
    _cleanup_close_ int fd = memfd_create("culprit-restore", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)content.len) < 0)
        return -errno;
    for (size_t at = 0; at < content.len;) {
        size_t len = MIN(content.len - at, (size_t)HOLE);
        ssize_t n = is_zero(content.data + at, len) ? (ssize_t)len : pwrite(fd, content.data + at, len, (off_t)at);

        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += (size_t)n;
    }
    return TAKE_FD(fd);
}

static void leave(const struct stage *s, struct restore_item *item)
{
    const struct difference *d = item->difference;

    item->outcome = RESTORE_NEWER;
    if (S_ISDIR(d->after.mode) && !S_ISDIR(d->before.mode)) {
        snprintf(item->reason, sizeof(item->reason), "a folder has its name by now: that is not replaced");
        return;
    }
    snprintf(item->reason, sizeof(item->reason), "%s: --force replaces it", s->newer);
}

static void copy_name(const struct restore_item *item, char ret[NAME_MAX + 1])
{
    struct bytes base = bytes_basename(item->path);

    snprintf(ret, NAME_MAX + 1, "%.*s", (int)MIN(base.len, (size_t)NAME_MAX), base.data);
}

void stage_put(const struct stage *s, int folder, const struct put_source *source, struct restore_item *item)
{
    bool missing = item->kinds & RESTORE_BIT(DIFFERENCE_MISSING);
    char name[NAME_MAX + 1];
    struct err err = ERR_INIT;
    sigset_t old;
    int r;

    if (!missing && !s->options->force) {
        leave(s, item);
        return;
    }
    if (s->options->dry_run && (folder >= 0 || stage_has(s, bytes_dirname(item->path)))) {
        item->outcome = RESTORE_PLANNED;
        return;
    }
    copy_name(item, name);
    put_hold_signals(&old);
    r = folder < 0 ? folder : put_new(folder, name, source, !missing, &item->given, &err);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    if (r == -ENOENT || r == -ENOTDIR)
        r = err_say(&err, r, "the folder that it was in is gone too: make it, and ask again");
    if (r < 0)
        restore_item_fail(item, r, &err);
    else
        item->outcome = RESTORE_DONE;
}

void stage_put_attributes(const struct stage *s, int folder, const struct put_source *source, struct restore_item *item)
{
    char name[NAME_MAX + 1];
    struct err err = ERR_INIT;
    sigset_t old;
    int r;

    if (s->options->dry_run) {
        item->outcome = RESTORE_PLANNED;
        return;
    }
    copy_name(item, name);
    put_hold_signals(&old);
    r = put_attributes(folder, name, source, &item->difference->after, &item->given, &err);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    if (r < 0)
        restore_item_fail(item, r, &err);
    else
        item->outcome = RESTORE_DONE;
}
