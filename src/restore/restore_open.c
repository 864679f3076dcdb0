/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compare/join.h"
#include "restore/copy.h"
#include "restore/place.h"
#include "restore/put.h"
#include "restore/restore.h"
#include "restore/still_open.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

static struct file_state state_of(const struct stat *st)
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

static int add_item(const struct still_open *o, bool there, const struct stat *now, struct joiner *joiner, struct restore_items *items,
                    struct err *err)
{
    struct difference *d = difference_new();
    struct restore_item *item;
    struct bytes name;
    int r;

    if (!d)
        return -ENOMEM;
    d->kind = there ? DIFFERENCE_CONTENT : DIFFERENCE_MISSING;
    d->path = arena_copy(&d->arena, bytes_of(o->path));
    d->before = state_of(&o->st);
    if (there)
        d->after = state_of(now);
    d->changed_ns = (uint64_t)d->before.ctime_ns;
    name = arena_copy(&d->arena, bytes_of(o->comm));
    r = d->path.data ? joiner_join(joiner, d, err) : -ENOMEM;
    if (r < 0) {
        difference_free(d);
        return r;
    }
    r = restore_items_add(items, d);
    if (r < 0)
        return r;
    item = &items->all[items->count - 1];
    item->source = RESTORE_FROM_OPEN;
    item->holder = o->pid;
    item->holder_name = name;
    item->holder_writes = o->writes;
    item->older = o->older;
    return 0;
}

static void put(const struct still_open *o, int folder, const struct restore_options *options, struct restore_item *item)
{
    struct put_source source = { .fd = o->fd, .content = o->fd, .st = o->st };
    bool missing = item->kinds & RESTORE_BIT(DIFFERENCE_MISSING);
    struct err err = ERR_INIT;
    sigset_t old;
    int r;

    if (!missing && !options->force) {
        item->outcome = RESTORE_NEWER;
        snprintf(item->reason, sizeof(item->reason), "what is there is newer than the deleted one: --force replaces it");
        return;
    }
    if (options->dry_run && folder >= 0) {
        item->outcome = RESTORE_PLANNED;
        return;
    }
    put_hold_signals(&old);
    r = folder < 0 ? folder : put_new(folder, strrchr(o->path, '/') + 1, &source, !missing, &item->given, &err);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    if (r == -ENOENT || r == -ENOTDIR)
        r = err_say(&err, r, "the folder that it was in is gone too: make it, and ask again");
    if (r < 0)
        restore_item_fail(item, r, &err);
    else
        item->outcome = RESTORE_DONE;
}

static int restore_one(int root, const struct still_open *o, const struct restore_options *options, struct joiner *joiner,
                       struct restore_items *items, struct err *err)
{
    _cleanup_close_ int folder = open_folder(root, o);
    struct stat now = { 0 };
    int there = folder >= 0 ? look_at_place(o, folder, &now) : 0, r;

    if (there == 1)
        return 0;
    r = add_item(o, there, &now, joiner, items, err);
    if (r == 0)
        put(o, folder, options, &items->all[items->count - 1]);
    return r;
}

/* ---- whose paths ---- */

/* Of what exists of it; the rest is added. */
static int resolve_existing(int root, struct bytes existing, struct bytes path, char ret[PATH_MAX])
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

static int resolve(int root, struct bytes path, char ret[PATH_MAX], struct err *err)
{
    struct bytes existing = is_directory(root, path) ? path : bytes_dirname(path);
    int r;

    while ((r = resolve_existing(root, existing, path, ret)) == -ENOENT && existing.len > 1)
        existing = bytes_dirname(existing);
    return r < 0 ? err_set(err, r, "the target") : 0;
}

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
    int r = resolve(root, path, real, err);

    return r < 0 ? r : still_open_find(view ? view->container->pid : 0, bytes_of(real), ret, err);
}

static int restore_all(int root, const struct still_open_list *list, const struct store_query *query, const struct restore_options *options,
                       struct restore_items *items, struct restore_summary *summary, struct err *err)
{
    struct joiner *joiner = NULL;
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    int r = joiner_new(options->store, query, &joiner, err);

    if (r < 0)
        return r;
    summary->watched_since = joiner_watched_since(joiner);
    for (size_t i = 0; r == 0 && i < list->count; i++)
        r = restore_one(root, &list->all[i], options, joiner, items, err);
    summary->took_ns = clock_ns(CLOCK_MONOTONIC) - begin;
    joiner_free(joiner);
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
