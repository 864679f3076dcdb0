/* SPDX-License-Identifier: MIT */
#include "restore/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/overlay_marks.h"
#include "restore/attributes.h"
#include "restore/place.h"
#include "util/beneath.h"
#include "util/cleanup.h"

static int add_root(struct restore_writer *w, int fd, struct bytes at, bool upper)
{
    if (w->root_count == WRITER_ROOTS) {
        close(fd);
        return -E2BIG;
    }
    w->roots[w->root_count].fd = fd;
    w->roots[w->root_count].at = at;
    w->roots[w->root_count++].upper = upper;
    return 0;
}

static int open_stopped(struct restore_writer *w, struct err *err)
{
    int r = place_is_mounted(w->view->upper), fd;

    if (r)
        return r < 0 ? err_set(err, r, "whether the container's layer is mounted")
                     : err_say(err, -EBUSY, "the container does not run, but its files are mounted somewhere: a layer is not written to then");
    r = layers_of_container(w->view, &w->own, err);
    if (r < 0)
        return r;
    fd = beneath_open_host(w->view->upper, 0, O_PATH | O_DIRECTORY);
    return fd < 0 ? err_set(err, fd, "the container's own layer") : add_root(w, fd, bytes_of(""), true);
}

int restore_writer_open(const struct container_view *view, struct restore_writer *ret, struct err *err)
{
    struct restore_writer w = { .view = view };
    int r = layers_of_image(view, &w.image, err), fd;

    if (r == 0 && !view->running)
        r = open_stopped(&w, err);
    if (r == 0 && view->running) {
        fd = place_open_container(view, err);
        r = fd < 0 ? fd : add_root(&w, fd, bytes_of(""), false);
    }
    if (r < 0) {
        restore_writer_done(&w);
        return r;
    }
    *ret = w;
    return 0;
}

void restore_writer_done(struct restore_writer *w)
{
    layers_done(&w->image);
    layers_done(&w->own);
    while (w->root_count)
        close(w->roots[--w->root_count].fd);
}

/* ---- where it belongs ---- */

/* A volume that covers the path; the container's own files are not there. */
static const struct container_mount *volume_of(const struct container_view *view, struct bytes path)
{
    const struct container_mount *found = NULL;

    for (size_t i = 0; i < view->mount_count; i++) {
        const struct container_mount *m = &view->mounts[i];

        if (bytes_equal_str(m->type, "volume") && m->source.len && bytes_path_covers(m->destination, path) &&
            (!found || m->destination.len > found->destination.len))
            found = m;
    }
    return found;
}

/* Its index in roots, or -errno. */
static int root_of(struct restore_writer *w, struct bytes path)
{
    const struct container_mount *volume = volume_of(w->view, path);
    int fd, r;

    if (!volume)
        return 0;
    for (size_t i = 1; i < w->root_count; i++)
        if (bytes_equal(w->roots[i].at, volume->destination))
            return (int)i;
    fd = beneath_open_host(volume->source, 0, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return fd;
    r = add_root(w, fd, volume->destination, false);
    return r < 0 ? r : (int)w->root_count - 1;
}

struct restore_spot {
    int directory; /* owned */
    char name[NAME_MAX + 1];
    bool upper;
};

static int open_spot(struct restore_writer *w, struct bytes path, struct restore_spot *ret)
{
    int at = root_of(w, path);
    struct bytes below, name;

    if (at < 0)
        return at;
    below = bytes_path_below(w->roots[at].at, path);
    name = bytes_basename(below);
    if (name.len > NAME_MAX)
        return -ENAMETOOLONG;
    snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(name.len ? name.len : 1), name.len ? name.data : ".");
    ret->upper = w->roots[at].upper;
    ret->directory = place_open_directory(w->roots[at].fd, name.len ? bytes_dirname(below) : BYTES_NULL);
    return ret->directory < 0 ? ret->directory : 0;
}

/* ---- a layer that is not mounted ---- */

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Does the container show the image's file there again? Of a directory: all of it. */
static bool is_shown(const struct restore_writer *w, struct bytes path, const struct layer_entry *wanted)
{
    struct layer_entry now = LAYER_ENTRY_NONE;
    bool same;

    if (layers_lookup(&w->own, path, &now) < 0)
        return false;
    same = same_inode(&now.st, &wanted->st);
    if (same && S_ISDIR(now.st.st_mode))
        same = now.merged.count == wanted->merged.count;
    layer_entry_done(&now);
    return same;
}

/* What the layer has by that name, if it is one that hides a file of the image: 1 removed, 0 there is none, -errno. */
static int uncover(const struct restore_spot *spot, bool covering_too)
{
    _cleanup_close_ int fd = openat(spot->directory, spot->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char hidden[NAME_MAX + 8], value[8];
    struct stat st;
    bool whiteout;

    if (fd < 0 && errno == ENOENT) { /* fuse-overlayfs where it may not make devices */
        if (snprintf(hidden, sizeof(hidden), ".wh.%s", spot->name) > NAME_MAX || unlinkat(spot->directory, hidden, 0) < 0)
            return 0;
        return 1;
    }
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    whiteout = S_ISCHR(st.st_mode) ? st.st_rdev == makedev(0, 0)
                                   : S_ISREG(st.st_mode) && st.st_size == 0 &&
                                         (path_getxattr(fd, "trusted.overlay.whiteout", value, sizeof(value)) >= 0 ||
                                          path_getxattr(fd, "user.overlay.whiteout", value, sizeof(value)) >= 0);
    if (!whiteout && (!covering_too || S_ISDIR(st.st_mode)))
        return whiteout ? 0 : -EEXIST;
    return unlinkat(spot->directory, spot->name, 0) < 0 ? -errno : 1;
}

/* ---- one item ---- */

static int put(struct restore_writer *w, struct restore_item *item, const struct layer_entry *entry,
               const struct restore_spot *spot, struct err *err)
{
    struct put_source source = { .fd = entry->fd, .content = entry->data_fd >= 0 ? entry->data_fd : entry->fd, .st = entry->st,
                                 .held = w->held };
    bool missing = item->kinds & RESTORE_BIT(DIFFERENCE_MISSING);

    if (restore_item_is_whole(item))
        return put_new(spot->directory, spot->name, &source, !missing, &item->given, err);
    return put_attributes(spot->directory, spot->name, &source, &item->difference->after, &item->given, err);
}

/* 1: that was all. */
static int put_by_uncovering(struct restore_writer *w, struct restore_item *item, const struct layer_entry *entry,
                             const struct restore_spot *spot, struct err *err)
{
    bool missing = item->kinds & RESTORE_BIT(DIFFERENCE_MISSING);
    int r;

    if (!missing && S_ISDIR(entry->st.st_mode))
        return 0; /* what the container has in it stays */
    r = uncover(spot, !missing);
    if (r < 0)
        return err_set(err, r, "the container's own layer");
    if (r == 0 || !is_shown(w, item->path, entry)) {
        item->kinds = RESTORE_BIT(DIFFERENCE_MISSING); /* nothing is there now */
        return 0;
    }
    item->given |= GIVEN_MODE | GIVEN_OWNER | GIVEN_TIMES;
    return 1;
}

void restore_writer_put(struct restore_writer *w, struct restore_item *item)
{
    struct layer_entry entry = LAYER_ENTRY_NONE;
    struct restore_spot spot = { .directory = -EBADF };
    struct err err = ERR_INIT;
    unsigned kinds = item->kinds;
    int r = layers_lookup(&w->image, item->path, &entry);

    if (r < 0)
        err_set(&err, r, "looking it up in the image");
    if (r == 0 && w->own.count && (kinds & RESTORE_BIT(DIFFERENCE_MISSING)) && is_shown(w, item->path, &entry)) {
        item->outcome = RESTORE_DONE; /* it came back with its directory */
        item->given |= GIVEN_MODE | GIVEN_OWNER | GIVEN_TIMES;
        layer_entry_done(&entry);
        return;
    }
    if (r == 0)
        r = open_spot(w, item->path, &spot);
    if (r == 0 && spot.upper)
        r = put_by_uncovering(w, item, &entry, &spot, &err);
    if (r == 0)
        r = put(w, item, &entry, &spot, &err);
    item->kinds = kinds;
    if (r < 0)
        restore_item_fail(item, r, &err);
    else
        item->outcome = RESTORE_DONE;
    closep(&spot.directory);
    layer_entry_done(&entry);
}

int restore_writer_finish_directory(struct restore_writer *w, struct bytes path, bool made, unsigned *given)
{
    struct layer_entry entry = LAYER_ENTRY_NONE;
    _cleanup_close_ int fd = -EBADF;
    int at = root_of(w, path), r = at < 0 ? at : layers_lookup(&w->image, path, &entry);

    if (r == 0 && S_ISDIR(entry.st.st_mode)) {
        fd = place_open_directory(w->roots[at].fd, bytes_path_below(w->roots[at].at, path));
        r = fd < 0 ? fd : attributes_give_times(&entry.st, fd, NULL);
        if (r == 0 && made)
            r = attributes_give_flags(entry.fd, &entry.st, fd, true, w->held, given, NULL);
        if (r == -ENOENT) /* not in the container's own layer: the image's */
            r = 0;
    }
    layer_entry_done(&entry);
    return r;
}
