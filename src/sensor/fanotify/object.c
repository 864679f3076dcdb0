/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sensor/fanotify/layer.h"
#include "sensor/fanotify/state.h"
#include "util/cleanup.h"

int fanotify_object_new(struct sensor *s, const struct watch_object *wanted,
                        struct fanotify_object **ret, struct err *err)
{
    struct fanotify_object *o = calloc(1, sizeof(*o));
    int r = o ? watched_init(&o->watched, wanted, err) : err_set(err, -ENOMEM, "watch");

    if (r < 0) {
        free(o);
        return r;
    }
    o->sensor = s;
    o->root_fd = o->directory_fd = -EBADF;
    *ret = o;
    return 0;
}

void fanotify_object_drop_ancestors(struct fanotify_object *o)
{
    while (o->ancestors) /* their marks stay: they report moves only, and nobody listens */
        (void)fanotify_handles_remove(o->sensor->handles,
                                      &(struct fanotify_user){ o, --o->ancestors, true });
}

void fanotify_object_free(struct fanotify_object *o)
{
    if (!o)
        return;
    fanotify_object_close(o);
    fanotify_object_drop_ancestors(o);
    tree_free(o->tree);
    watched_done(&o->watched);
    free(o);
}

/* ---- descriptors of one batch ---- */

void fanotify_object_note_open(struct fanotify_object *o)
{
    o->sensor->opened_count += !o->opened;
    o->opened = true;
}

void fanotify_object_close(struct fanotify_object *o)
{
    if (!o->opened)
        return;
    o->opened = false;
    o->sensor->opened_count--;
    closep(&o->root_fd);
    closep(&o->directory_fd);
    o->root_fd = o->directory_fd = -EBADF;
    o->directory = 0;
    fanotify_layer_free(TAKE_PTR(o->layer));
    o->layer_mount = 0;
}

const struct fanotify_layer *fanotify_object_layer(struct fanotify_object *o, int directory)
{
    char table[48] = "/proc/self/mountinfo";
    uint64_t mount = fanotify_layer_mount(directory);

    if (o->layer_mount == mount)
        return o->layer;
    fanotify_layer_free(TAKE_PTR(o->layer)); /* of another overlay below the path */
    o->layer_mount = mount;
    fanotify_object_note_open(o);
    if (o->wanted.ns_pid)
        snprintf(table, sizeof(table), "/proc/%d/mountinfo", o->wanted.ns_pid);
    (void)fanotify_layer_find(mount, table, (struct bytes){ o->host_path, o->wanted.host_path.len - o->wanted.path.len }, &o->layer);
    return o->layer;
}

static bool is_on(int fd, uint64_t fsid)
{
    struct statfs fs;

    return fd >= 0 && fstatfs(fd, &fs) == 0 && memcmp(&fs.f_fsid, &fsid, sizeof(fsid)) == 0;
}

static int open_it(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);

    return fd < 0 ? -errno : fd;
}

int fanotify_object_near(struct fanotify_object *o, uint64_t fsid)
{
    int above = o->tree ? fanotify_object_directory(o, tree_root(o->tree)) : -ESTALE;
    size_t len = o->parent.len;

    if (above >= 0) {
        _cleanup_close_ int top = -EBADF;

        if (is_on(o->directory_fd, fsid)) /* the last one that was asked for: most often where the event is from */
            return open_it(o->directory_fd);
        if (!is_on(above, fsid) && fanotify_object_top(o)) /* it may be a mount point itself */
            top = tree_open_directory(o->tree, above, tree_object_of(o->tree, fanotify_object_top(o)), NULL);
        return open_it(is_on(top, fsid) ? top : above);
    }
    /* it went with a directory above, which another one replaced */
    for (;; len = len > 1 ? bytes_dirname((struct bytes){ o->parent.data, len }).len : 0) {
        int fd = watched_open_above(&o->watched, len > 1 ? len : 1, O_RDONLY | O_DIRECTORY | O_NOATIME);

        if (is_on(fd, fsid))
            return fd;
        closep(&fd);
        if (len <= 1)
            return -ESTALE;
    }
}

int fanotify_object_directory(struct fanotify_object *o, uint32_t directory)
{
    int fd;

    if (o->gone || !o->tree)
        return -ESTALE;
    if (o->directory == directory && o->directory_fd >= 0)
        return o->directory_fd;
    if (o->root_fd < 0)
        o->root_fd = watched_open_above(&o->watched, o->parent.len, O_PATH | O_DIRECTORY);
    fanotify_object_note_open(o);
    if (o->root_fd < 0)
        return -ESTALE;
    if (directory == tree_root(o->tree))
        return o->root_fd;
    fd = tree_open_directory(o->tree, o->root_fd, directory, NULL);
    if (fd < 0)
        return fd;
    closep(&o->directory_fd);
    o->directory_fd = fd;
    o->directory = directory;
    return fd;
}

/* ---- what is covered ---- */

bool fanotify_object_covers(const struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    return !o->base.len || directory != tree_root(o->tree) || bytes_equal(name, o->base);
}

uint32_t fanotify_object_top(const struct fanotify_object *o)
{
    return o->tree && o->base.len ? tree_child(o->tree, tree_root(o->tree), o->base) : 0;
}

/* ---- what is there now ---- */

/* Made anew with the inode number of the one that was there: its handle differs all the same. On an overlay
 * copying up changes the handle of the same directory. */
static bool is_another(const struct fanotify_object *o, int fd)
{
    const struct fanotify_user root = { (struct fanotify_object *)(uintptr_t)o, tree_root(o->tree), false };
    char buffer[FANOTIFY_HANDLE_MAX];
    struct fanotify_handle handle;
    struct statfs fs;
    uint64_t fsid;

    if (!fanotify_handles_has(o->sensor->handles, &root) || fstatfs(fd, &fs) < 0 ||
        fs.f_type == OVERLAYFS_SUPER_MAGIC)
        return false;
    memcpy(&fsid, &fs.f_fsid, sizeof(fsid));
    if (fanotify_handle_of(fd, buffer, &fsid, &handle) < 0)
        return false;
    return !fanotify_handles_is(o->sensor->handles, &root, &handle);
}

void fanotify_object_request_recheck(struct fanotify_object *o, uint64_t real_ns)
{
    o->needs_recheck = o->sensor->needs_recheck = o->sensor->any_marked = true;
    if (!o->recheck_real_ns)
        o->recheck_real_ns = real_ns;
}

/* fd: the directory that holds the path now; negative: there is none. */
static bool is_stale(struct fanotify_object *o, int fd)
{
    struct file_state now = { 0 }, known = { 0 };

    if (fd < 0)
        return o->tree && !watched_is_gone(&o->watched);
    if (!o->tree)
        return true;
    (void)tree_stat_known(fd, &now);
    tree_state(o->tree, tree_root(o->tree), &known);
    return now.inode != known.inode || now.device != known.device || is_another(o, fd);
}

bool fanotify_object_is_stale(struct watched_object *w)
{
    struct fanotify_object *o = (struct fanotify_object *)w;
    _cleanup_close_ int fd = -EBADF;

    if (o->needs_recheck)
        return true;
    fd = watched_open_above(&o->watched, o->parent.len, O_PATH | O_DIRECTORY);
    return is_stale(o, fd);
}

bool fanotify_object_look(struct fanotify_object *o, bool *ret_other)
{
    fanotify_object_close(o);
    if (o->tombstone_until_ms || watched_is_gone(&o->watched))
        return false;
    o->root_fd = watched_open_above(&o->watched, o->parent.len, O_PATH | O_DIRECTORY);
    fanotify_object_note_open(o);
    *ret_other = fanotify_object_is_other(o);
    return is_stale(o, o->root_fd);
}

bool fanotify_object_is_other(struct fanotify_object *o)
{
    struct file_state now = { 0 }, known = { 0 };
    uint32_t top = fanotify_object_top(o);
    int fd;

    if (o->tombstone_until_ms || !o->tree || !o->base.len || watched_is_gone(&o->watched))
        return false;
    fd = fanotify_object_directory(o, tree_root(o->tree));
    if (fd < 0)
        return false;
    if (watched_may_enter(&o->watched, fd, o->base.data)) {
        watched_note_answer(&o->watched);
        (void)tree_stat_at(o->tree, fd, o->base.data, &now);
    }
    tree_state(o->tree, tree_object_of(o->tree, top), &known);
    return now.inode != known.inode || now.device != known.device;
}
