/* SPDX-License-Identifier: MIT */
#include "guard/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "engine/oci_mount.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"

/* Engines name layers by links. */
static struct bytes real_path(int fd, struct arena *arena)
{
    char link[64], path[PATH_MAX];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));
    return n > 0 && n < (ssize_t)sizeof(path) ? arena_copy(arena, (struct bytes){ path, (size_t)n }) : BYTES_NULL;
}

/* -ENOENT: it has nothing there. */
static int add_layer(struct bytes layer, struct bytes root, struct bytes below, struct arena *arena, struct bytes *ret, struct err *err)
{
    _cleanup_close_ int fd = layer.len && layer.data[0] == '/' ? beneath_open_host(layer, 0, O_PATH | O_DIRECTORY) : -ENOENT;

    if (fd < 0)
        return err_say(err, -ESTALE, "the target lies on an overlay, and a layer of it cannot be found from here: %.*s", (int)layer.len,
                       layer.data);
    *ret = real_path(fd, arena);
    if (ret->data && root.len > 1)
        *ret = arena_join_path(arena, *ret, root);
    if (ret->data && below.len)
        *ret = arena_join_path(arena, *ret, below);
    if (!ret->data)
        return -ENOMEM;
    closep(&fd);
    fd = beneath_open_host(*ret, 0, O_PATH);
    return fd < 0 ? fd : 0;
}

static int add_layers(struct bytes table, const struct mountinfo *mount, struct bytes path, struct arena *arena, struct bytes *ret,
                      size_t size, struct err *err)
{
    struct container *container = container_new();
    struct container_view view = { .container = container };
    char point_text[PATH_MAX], root_text[PATH_MAX];
    struct bytes point = mountinfo_plain(mount->point, point_text), root = mountinfo_plain(mount->root, root_text);
    struct bytes below = bytes_path_below(point, path);
    int r = container ? oci_parse_overlay(table, point, &view) : -ENOMEM, count = 0;

    if (r == 0 && !view.lower_count)
        r = err_say(err, -ENOENT, "the layers of the overlay that the target lies on are not known");
    for (size_t i = 0; r == 0 && i <= view.lower_count; i++) {
        struct bytes layer = i ? view.lower[i - 1] : view.upper;

        if (!layer.len)
            continue; /* mounted to be read only */
        if ((size_t)count == size)
            r = err_say(err, -E2BIG, "the overlay that the target lies on has too many layers");
        else
            r = add_layer(layer, root, below, arena, &ret[count], err);
        count += r == 0 || (r == -ENOENT && i == 0);
        r = r == -ENOENT ? 0 : r;
    }
    container_unref(container);
    return r < 0 ? r : count;
}

int guard_overlay_layers(struct bytes path, struct arena *arena, struct bytes *ret, size_t size, struct err *err)
{
    _cleanup_close_ int fd = beneath_open_host(path, 0, O_PATH);
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    struct mountinfo mount;
    struct statfs type;
    int64_t id;
    int r;

    if (fd < 0)
        return err_set(err, fd, "the target");
    if (fstatfs(fd, &type) < 0)
        return err_set(err, -errno, "the target");
    if (type.f_type != OVERLAYFS_SUPER_MAGIC)
        return 0;
    id = beneath_mount_of(fd);
    r = id < 0 ? (int)id : mountinfo_read("/proc/self/mountinfo", &table);
    if (r < 0)
        return err_set(err, r, "the mount that the target lies on");
    if (!mountinfo_by_id(sbuf_bytes(&table), (uint64_t)id, &mount))
        return err_say(err, -ENOENT, "the mount that the target lies on is not in the table of mounts");
    r = add_layers(sbuf_bytes(&table), &mount, path, arena, ret, size, err);
    return r;
}
