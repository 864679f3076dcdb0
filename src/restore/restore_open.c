/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compare/join.h"
#include "restore/copy.h"
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

/* The folder that it was in: where its mount was when it was found. */
static int open_folder(const struct still_open *o)
{
    char folder[PATH_MAX];
    struct bytes dir = bytes_dirname(bytes_of(o->path));
    _cleanup_close_ int fd = -EBADF;

    if (dir.len >= sizeof(folder))
        return -ENAMETOOLONG;
    snprintf(folder, sizeof(folder), "%.*s", (int)dir.len, dir.data);
    fd = beneath_open_plain(folder, O_PATH | O_DIRECTORY);
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

static void fail(struct restore_item *item, int r, const struct err *err)
{
    const char *why = r == -ENOENT || r == -ENOTDIR ? "the folder that it was in is gone too: make it, and ask again"
                      : r == -ELOOP                 ? "a symbolic link is on its way by now: not followed"
                      : r == -EXDEV                 ? "something is mounted on its way by now"
                      : r == -EEXIST                ? "something new has its name by now"
                      : r == -EISDIR                ? "a folder has its name by now: that is not replaced"
                                                    : err_text(err, r);

    item->outcome = RESTORE_FAILED;
    snprintf(item->reason, sizeof(item->reason), "%s", why);
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
    if (r < 0)
        fail(item, r, &err);
    else
        item->outcome = RESTORE_DONE;
}

static int restore_one(const struct still_open *o, const struct restore_options *options, struct joiner *joiner,
                       struct restore_items *items, struct err *err)
{
    _cleanup_close_ int folder = open_folder(o);
    struct stat now = { 0 };
    int there = folder >= 0 ? look_at_place(o, folder, &now) : 0, r;

    if (there == 1)
        return 0;
    r = add_item(o, there, &now, joiner, items, err);
    if (r == 0)
        put(o, folder, options, &items->all[items->count - 1]);
    return r;
}

int restore_still_open(struct bytes path, const struct restore_options *options, struct restore_items *ret,
                       struct restore_summary *ret_summary, struct err *err)
{
    struct still_open_list list = { 0 };
    struct joiner *joiner = NULL;
    uint64_t begin;
    int r = joiner_new(options->store, options->query, &joiner, err);

    if (r == 0) {
        ret_summary->watched_since = joiner_watched_since(joiner);
        r = still_open_find(path, &list, err);
    }
    begin = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; r == 0 && i < list.count; i++)
        r = restore_one(&list.all[i], options, joiner, ret, err);
    ret_summary->took_ns = clock_ns(CLOCK_MONOTONIC) - begin;
    still_open_list_done(&list);
    joiner_free(joiner);
    return r;
}
