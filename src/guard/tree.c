/* SPDX-License-Identifier: MIT */
#include "guard/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/layers.h"
#include "restore/place.h"
#include "util/beneath.h"
#include "util/cleanup.h"

#define DEPTH_MAX 128

/* ---- directories as they are ---- */

static int walk(int fd, unsigned depth, guard_visit_fn *visit, void *data, struct err *err);

static int walk_entries(int fd, unsigned depth, guard_visit_fn *visit, void *data, struct err *err)
{
    int opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    _cleanup_closedir_ DIR *dir = opened >= 0 ? fdopendir(opened) : NULL;
    struct dirent *entry;

    if (!dir) {
        r = err_set(err, -errno, "listing a directory of the target");
        closep(&opened);
        return r;
    }
    while (r == 0 && (errno = 0, entry = readdir(dir))) {
        _cleanup_close_ int below = -EBADF;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        below = beneath_open_here(fd, entry->d_name, O_PATH);
        if (below >= 0)
            r = walk(below, depth + 1, visit, data, err);
        else if (below != -ENOENT && below != -EXDEV) /* gone meanwhile; something else is mounted there */
            r = err_set(err, below, "a file of the target");
    }
    return r;
}

static int walk(int fd, unsigned depth, guard_visit_fn *visit, void *data, struct err *err)
{
    struct stat st;
    int r;

    if (fstat(fd, &st) < 0)
        return err_set(err, -errno, "a file of the target");
    if (depth > DEPTH_MAX)
        return err_say(err, -ELOOP, "folders lie more than %d deep in the target", DEPTH_MAX);
    r = visit(data, fd, &st);
    return r == 0 && S_ISDIR(st.st_mode) ? walk_entries(fd, depth, visit, data, err) : r;
}

/* ---- a container's ---- */

static int open_mounted(const struct container_mount *m, struct bytes path, struct err *err)
{
    _cleanup_close_ int root = m->source.len ? beneath_open_host(m->source, 0, O_PATH) : -EOPNOTSUPP;
    struct bytes below = bytes_path_below(m->destination, path);
    int fd = root < 0 || !below.len ? root : beneath_open(root, below, O_PATH | O_NOFOLLOW);

    if (fd < 0)
        return err_set(err, fd, "what is mounted there in the container");
    if (fd == root)
        TAKE_FD(root);
    return fd;
}

static int walk_layers(const struct layers *l, const struct layer_entry *e, unsigned depth, guard_visit_fn *visit, void *data,
                       struct err *err)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    size_t count = 0;
    int r = 0;

    if (!S_ISDIR(e->st.st_mode)) {
        r = visit(data, e->fd, &e->st);
        if (r == 0 && e->data_fd >= 0) {
            struct stat st;

            r = fstat(e->data_fd, &st) < 0 ? -errno : visit(data, e->data_fd, &st);
        }
        return r;
    }
    if (depth > DEPTH_MAX)
        return err_say(err, -ELOOP, "folders lie more than %d deep in the target", DEPTH_MAX);
    for (size_t i = 0; r == 0 && i < e->merged.count; i++) {
        struct stat st;

        r = fstat(e->merged.parts[i].fd, &st) < 0 ? -errno : visit(data, e->merged.parts[i].fd, &st);
    }
    if (r == 0)
        r = merged_names(&e->merged, false, &names, &count);
    for (size_t i = 0, at = 0; r == 0 && i < count; i++, at += strlen(names.data + at) + 1) {
        struct layer_entry below = LAYER_ENTRY_NONE;

        r = layers_lookup_in(l, &e->merged, names.data + at, &below);
        if (r == 0)
            r = walk_layers(l, &below, depth + 1, visit, data, err);
        if (r == -ENOENT)
            r = 0; /* a whiteout, or gone meanwhile */
        layer_entry_done(&below);
    }
    return r;
}

static struct bytes resolve(const struct container_view *view, struct bytes path, struct arena *arena, struct err *err)
{
    struct layers l = { 0 };
    struct bytes real = BYTES_NULL;

    if (layers_of_container(view, &l, err) == 0) {
        real = layers_resolve(&l, path, true, arena);
        layers_done(&l);
    }
    return real;
}

static int of_layers(const struct guard_target *target, struct bytes path, guard_visit_fn *visit, void *data, struct err *err)
{
    struct layer_entry e = LAYER_ENTRY_NONE;
    struct layers l = { 0 };
    int r = layers_of_container(target->view, &l, err);

    if (r == 0) {
        r = layers_lookup(&l, path, &e);
        r = r < 0 ? err_set(err, r, "the target in the container") : walk_layers(&l, &e, 0, visit, data, err);
    }
    layer_entry_done(&e);
    layers_done(&l);
    return r;
}

static int of_host(const struct guard_target *target, guard_visit_fn *visit, void *data, struct err *err)
{
    _cleanup_close_ int fd = beneath_open_host(target->path, 0, O_PATH);

    return fd < 0 ? err_set(err, fd, "the target") : walk(fd, 0, visit, data, err);
}

/* Through its own root: where links lead is known, so none is followed. */
static int of_view(const struct guard_target *target, struct bytes path, guard_visit_fn *visit, void *data, struct err *err)
{
    _cleanup_close_ int root = place_open_container(target->view, err), fd = -EBADF;

    if (root < 0)
        return root;
    fd = beneath_open(root, path, O_PATH | O_NOFOLLOW);
    return fd < 0 ? err_set(err, fd, "the target in the container") : walk(fd, 0, visit, data, err);
}

static int of_container(const struct guard_target *target, bool view, guard_visit_fn *visit, void *data, struct err *err)
{
    struct arena arena = { 0 };
    struct bytes path = resolve(target->view, target->path, &arena, err);
    const struct container_mount *mounted = path.data ? container_view_mount(target->view, path) : NULL;
    _cleanup_close_ int fd = mounted ? open_mounted(mounted, path, err) : -EBADF;
    int r;

    if (!path.data)
        r = err->text[0] ? -ENOENT : err_set(err, -ENOENT, "the target in the container");
    else if (mounted)
        r = fd < 0 ? fd : walk(fd, 0, visit, data, err);
    else
        r = view && target->view->running ? of_view(target, path, visit, data, err) : of_layers(target, path, visit, data, err);
    arena_done(&arena);
    return r;
}

int guard_tree_layers(const struct guard_target *target, guard_visit_fn *visit, void *data, struct err *err)
{
    return target->view ? of_container(target, false, visit, data, err) : of_host(target, visit, data, err);
}

int guard_tree_view(const struct guard_target *target, guard_visit_fn *visit, void *data, struct err *err)
{
    return target->view ? of_container(target, true, visit, data, err) : of_host(target, visit, data, err);
}

void guard_tree_forget(void)
{
    _cleanup_close_ int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

    if (fd >= 0 && write(fd, "2", 1) < 0)
        return; /* the test that follows meets what is remembered */
}
