/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "restore/copy.h"
#include "restore/place.h"
#include "restore/restore.h"
#include "restore/stage.h"
#include "restore/still_open.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* The folder that it was in, in the mount where that was found. */
static int open_folder(int root, const struct still_open *o)
{
    char folder[PATH_MAX];
    struct bytes dir = bytes_dirname(bytes_of(o->path));
    _cleanup_close_ int fd = -EBADF;

    if (dir.len >= sizeof(folder))
        return -ENAMETOOLONG;
    snprintf(folder, sizeof(folder), "%.*s", (int)dir.len, dir.data);
    fd = beneath_open_plain(root, folder, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return fd;
    return beneath_mount_of(fd) == (int64_t)o->mount ? TAKE_FD(fd) : -EXDEV;
}

/* What has its name now. 0: nothing; 1: the same content; 2: something else. */
static int look_at_place(const struct still_open *o, int folder, struct stat *ret)
{
    const char *name = strrchr(o->path, '/') + 1;
    _cleanup_close_ int fd = beneath_open_here(folder, name, O_PATH), is = -EBADF, was = -EBADF;

    if (fd < 0 || fstat(fd, ret) < 0)
        return fd == -ENOENT ? 0 : 2;
    is = S_ISREG(ret->st_mode) ? beneath_reopen_file(fd) : -EBADF;
    was = is >= 0 ? beneath_reopen_file(o->fd) : -EBADF;
    return was >= 0 && content_is_equal(is, was) == 1 ? 1 : 2;
}

static void put(const struct stage *stage, const struct still_open *o, int folder, struct restore_item *item)
{
    struct put_source source = { .fd = o->fd, .content = o->fd, .st = o->st };

    item->source = RESTORE_FROM_OPEN;
    item->holder = o->pid;
    item->holder_name = arena_copy(&item->difference->arena, bytes_of(o->comm));
    item->holder_writes = o->writes;
    item->older = o->older;
    stage_put(stage, folder, &source, item);
}

static int restore_one(int root, const struct still_open *o, const struct stage *stage, struct err *err)
{
    _cleanup_close_ int folder = open_folder(root, o);
    struct restore_item *item;
    struct stat now = { 0 };
    int there = folder >= 0 ? look_at_place(o, folder, &now) : 0, r;

    if (there == 1 || stage_has(stage, bytes_of(o->path)))
        return 0;
    item = stage_add(stage, bytes_of(o->path), &o->st, there ? &now : NULL, &r, err);
    if (item)
        put(stage, o, folder, item);
    return r;
}

/* ---- whose paths ---- */

static int open_root(const struct container_view *view, struct err *err)
{
    if (!view)
        return AT_FDCWD;
    if (!view->running)
        return err_say(err, -EOPNOTSUPP, "the container does not run: nothing of it is open");
    return place_open_container(view, err);
}

/* What is held, by its paths as the host or the container has them. */
static int find(const struct container_view *view, int root, struct bytes path, char real[PATH_MAX], struct still_open_list *ret, struct err *err)
{
    int r = stage_resolve(root, path, real, err);

    return r < 0 ? r : still_open_find(view ? view->container->pid : 0, bytes_of(real), ret, err);
}

static int restore_all(int root, const struct still_open_list *list, const struct store_query *query, const struct restore_options *options,
                       struct restore_items *items, struct restore_summary *summary, struct err *err)
{
    struct stage stage = { .options = options, .items = items, .newer = "what is there is newer than the deleted one" };
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    int r = joiner_new(options->store, query, &stage.joiner, err);

    if (r < 0)
        return r;
    summary->watched_since = joiner_watched_since(stage.joiner);
    for (size_t i = 0; r == 0 && i < list->count; i++)
        r = restore_one(root, &list->all[i], &stage, err);
    summary->took_ns += clock_ns(CLOCK_MONOTONIC) - begin;
    joiner_free(stage.joiner);
    return r;
}

int restore_still_open(const struct container_view *view, struct bytes path, const struct restore_options *options,
                       struct restore_items *ret, struct restore_summary *ret_summary, struct err *err)
{
    int root = open_root(view, err), r = root < 0 && root != AT_FDCWD ? root : 0;
    struct store_query query = *options->query;
    struct still_open_list list = { 0 };
    char real[PATH_MAX];

    if (r == 0)
        r = find(view, root, path, real, &list, err);
    if (r == 0) {
        query.path = bytes_of(real);
        r = restore_all(root, &list, &query, options, ret, ret_summary, err);
    }
    still_open_list_done(&list);
    closep(&root);
    return r;
}

size_t restore_still_open_count(const struct container_view *view, struct bytes path)
{
    int root = open_root(view, NULL);
    struct still_open_list list = { 0 };
    char real[PATH_MAX];
    size_t count = 0;

    if ((root >= 0 || root == AT_FDCWD) && find(view, root, path, real, &list, NULL) == 0)
        for (size_t i = 0; i < list.count; i++) {
            _cleanup_close_ int folder = open_folder(root, &list.all[i]);
            struct stat now;

            count += folder >= 0 && look_at_place(&list.all[i], folder, &now) == 0;
        }
    still_open_list_done(&list);
    closep(&root);
    return count;
}
