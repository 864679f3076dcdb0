/* SPDX-License-Identifier: MIT */
/* From the directory in which a product keeps what it removed, as it was; who removed what is known from the record alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "restore/copy.h"
#include "restore/restore.h"
#include "restore/stage.h"
#include "util/array.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define REMOVED_MAX 10000

struct removed_file {
    struct bytes path;      /* where it was */
    struct bytes directory; /* where its product keeps it */
    struct file_state file;
    bool by_root;
};

struct quarantine_search {
    const struct restore_options *options;
    struct bytes path;
    struct arena arena;
    struct removed_file *removed; /* owned */
    size_t count, size;
    struct bytes *moved_to; /* by renames: what goes from there later is no file of its own; owned */
    size_t moved_count, moved_size;
};

/* ---- what was removed ---- */

static bool was_moved_there(const struct quarantine_search *s, struct bytes path)
{
    for (size_t i = 0; i < s->moved_count; i++)
        if (bytes_equal(s->moved_to[i], path))
            return true;
    return false;
}

static int note_moved(struct quarantine_search *s, struct bytes path)
{
    int r = ARRAY_ROOM(s->moved_to, s->moved_count, s->moved_size, 64);

    if (r == 0)
        s->moved_to[s->moved_count++] = arena_copy(&s->arena, path);
    return r;
}

/* Anybody else may have run that program with another's directory on its command line, or with code of his own in it. */
static bool is_by_root(const struct event *e)
{
    const struct credentials *cred = actor_credentials(&e->actor);

    return cred->known && cred->uid == 0 && cred->euid == 0;
}

/* The last one of a path counts. */
static int add_removed(struct quarantine_search *s, struct bytes path, const char *directory, const struct event *e)
{
    size_t i = 0;
    int r;

    while (i < s->count && !bytes_equal(s->removed[i].path, path))
        i++;
    r = i < s->count ? 0 : ARRAY_ROOM(s->removed, s->count, s->size, 64);
    if (r < 0)
        return r;
    s->removed[i] = (struct removed_file){ arena_copy(&s->arena, path), arena_copy(&s->arena, bytes_of(directory)), e->file, is_by_root(e) };
    s->removed[i].file.owner = s->removed[i].file.group = BYTES_NULL; /* they go with the event */
    s->count += i == s->count;
    return s->removed[i].path.data && s->removed[i].directory.data ? s->count == REMOVED_MAX : -ENOMEM;
}

static int on_event(void *data, struct event *e)
{
    struct quarantine_search *s = data;
    bool moved = e->operation == OPERATION_RENAME;
    struct bytes was = moved ? e->previous_path : e->path;
    char directory[PATH_MAX];
    int r = 0;

    if (e->error == 0 && was.len && s->options->kept_in(s->options->data, e, directory)) {
        if (bytes_path_covers(s->path, was) && !was_moved_there(s, was))
            r = add_removed(s, was, directory, e);
        if (r == 0 && moved)
            r = note_moved(s, e->path);
    }
    event_free(e);
    return r;
}

/* ---- where it is ---- */

/* "NAME" or "NAME.001" */
static bool is_name_of(const char *name, struct bytes base)
{
    struct bytes rest = bytes_of(name);

    if (!bytes_starts_with(rest, base))
        return false;
    rest = (struct bytes){ rest.data + base.len, rest.len - base.len };
    return !rest.len || (rest.len == 4 && rest.data[0] == '.' && bytes_is_number((struct bytes){ rest.data + 1, 3 }));
}

/* The file itself. Whoever may delete it there can have its inode's number for a file of his own. */
static bool is_same(const struct file_state *was, const struct stat *st)
{
    return (was->known & FILE_INODE) && (was->known & FILE_DEVICE) && was->inode == st->st_ino && was->device == st->st_dev &&
           (!(was->known & FILE_SIZE) || was->size == (uint64_t)st->st_size) && (!(was->known & FILE_UID) || was->uid == st->st_uid);
}

/* No link, and nobody else than root can exchange what is in it. */
static bool is_roots(const char *folder)
{
    struct stat st;

    return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 && (!(st.st_mode & 022) || (st.st_mode & S_ISVTX));
}

/* Does the path lead to the same directory for ever, as far as others than root are concerned? */
static bool is_roots_way(struct bytes directory)
{
    char path[PATH_MAX];

    if (directory.len >= sizeof(path))
        return false;
    snprintf(path, sizeof(path), "%.*s", (int)directory.len, directory.data);
    for (char *end = path; (end = strchr(end + 1, '/'));) {
        bool ours;

        *end = '\0';
        ours = is_roots(path);
        *end = '/';
        if (!ours)
            return false;
    }
    return is_roots(path);
}

/* A copy of it, which root's own scanner made: nobody else could have put it there, nor led us to another of root's files. */
static bool may_be_copy(const struct removed_file *removed, const struct stat *directory, const struct stat *st)
{
    const struct file_state *was = &removed->file;
    int64_t mtime_ns = st->st_mtim.tv_sec * (int64_t)NS_PER_S + st->st_mtim.tv_nsec;

    return removed->by_root && (was->known & FILE_SIZE) && was->size == (uint64_t)st->st_size && directory->st_uid == 0 &&
           !(directory->st_mode & 022) && st->st_uid == 0 && !(st->st_mode & 022) && st->st_nlink == 1 &&
           (!(was->known & FILE_MTIME) || was->mtime_ns == mtime_ns) && is_roots_way(removed->directory);
}

struct kept_file {
    int fd; /* O_PATH; owned */
    char name[NAME_MAX + 1];
    struct stat st;
    bool same;
    unsigned copies; /* that it could be */
};

static void look_at(const struct removed_file *removed, const struct stat *directory, int dir, const char *name, struct kept_file *best)
{
    _cleanup_close_ int fd = beneath_open_here(dir, name, O_PATH);
    struct stat st;
    bool same;

    if (fd < 0 || best->same || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    same = is_same(&removed->file, &st);
    if (!same && !may_be_copy(removed, directory, &st))
        return;
    best->copies += !same;
    best->same = same;
    best->st = st;
    snprintf(best->name, sizeof(best->name), "%s", name);
    closep(&best->fd);
    best->fd = TAKE_FD(fd);
}

/* -ENOENT: it is not there; -EEXIST: several could be it. */
static int find_kept(const struct removed_file *removed, struct kept_file *ret)
{
    int fd = beneath_open_host(removed->directory, 0, O_RDONLY | O_DIRECTORY);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct bytes base = bytes_basename(removed->path);
    const struct dirent *entry;
    struct stat st;

    if (!dir || fstat(dirfd(dir), &st) < 0) {
        if (!dir)
            closep(&fd);
        return -ENOENT;
    }
    while ((entry = readdir(dir)))
        if (is_name_of(entry->d_name, base))
            look_at(removed, &st, dirfd(dir), entry->d_name, ret);
    return ret->fd < 0 ? -ENOENT : !ret->same && ret->copies > 1 ? -EEXIST : 0;
}

/* ---- putting it back ---- */

static struct put_source source_of(const struct removed_file *removed, const struct kept_file *kept)
{
    struct put_source source = { .fd = kept->fd, .content = kept->fd, .st = kept->st };

    if (kept->same)
        return source;
    source.bare = true; /* of a copy there is what the record has of the file */
    source.fd = -EBADF;
    if (removed->file.known & FILE_MODE)
        source.st.st_mode = S_IFREG | (removed->file.mode & 07777);
    if (removed->file.known & FILE_UID)
        source.st.st_uid = removed->file.uid;
    if (removed->file.known & FILE_GID)
        source.st.st_gid = removed->file.gid;
    return source;
}

/* What has its name now: 0: nothing; 1: the same content; 2: something else. */
static int look_at_place(int folder, const char *name, int kept, struct stat *ret)
{
    _cleanup_close_ int fd = beneath_open_here(folder, name, O_PATH), is = -EBADF, was = -EBADF;

    if (fd < 0 || fstat(fd, ret) < 0)
        return fd == -ENOENT ? 0 : 2;
    is = S_ISREG(ret->st_mode) ? beneath_reopen_file(fd) : -EBADF;
    was = is >= 0 && kept >= 0 ? beneath_reopen_file(kept) : -EBADF;
    return was >= 0 && content_is_equal(is, was) == 1 ? 1 : 2;
}

static void put(const struct stage *stage, const struct removed_file *removed, const struct kept_file *kept, int r, int folder, struct restore_item *item)
{
    struct put_source source = source_of(removed, kept);
    char text[PATH_MAX + NAME_MAX + 2];

    item->source = RESTORE_FROM_QUARANTINE;
    if (r < 0) {
        item->outcome = RESTORE_FAILED;
        snprintf(item->reason, sizeof(item->reason), "%s", r == -EEXIST ? "several files of its quarantine could be it" : "its quarantine has nothing that is surely it");
        return;
    }
    snprintf(text, sizeof(text), "%.*s/%s", (int)removed->directory.len, removed->directory.data, kept->name);
    item->origin = arena_copy(&item->difference->arena, bytes_of(text));
    stage_put(stage, folder, &source, item);
}

static int restore_one(const struct stage *stage, const struct removed_file *removed, struct err *err)
{
    _cleanup_close_ int folder = stage_open_folder(removed->path);
    struct kept_file kept = { .fd = -EBADF };
    struct bytes base = bytes_basename(removed->path);
    struct stat now = { 0 }, before = { .st_mode = S_IFREG };
    struct restore_item *item;
    char name[NAME_MAX + 1];
    int found, there, r = 0;

    if (!base.len || base.len > NAME_MAX)
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)base.len, base.data);
    found = find_kept(removed, &kept);
    there = folder >= 0 ? look_at_place(folder, name, kept.fd, &now) : 0;
    if (there != 1 && !(there == 2 && found < 0)) { /* it is back, by whomever */
        if (found == 0)
            before = source_of(removed, &kept).st;
        item = stage_add(stage, removed->path, &before, there ? &now : NULL, &r, err);
        if (item && found < 0)
            item->difference->before.known = 0;
        if (item)
            put(stage, removed, &kept, found, folder, item);
    }
    closep(&kept.fd);
    return r;
}

static int restore_all(struct quarantine_search *s, const struct store_query *query, struct restore_items *items, struct restore_summary *summary, struct err *err)
{
    struct stage stage = { .options = s->options, .items = items, .newer = "what is there is newer than the removed one" };
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    int r = joiner_new(s->options->store, query, &stage.joiner, err);

    if (r < 0)
        return r;
    summary->watched_since = joiner_watched_since(stage.joiner);
    for (size_t i = 0; r == 0 && i < s->count; i++)
        r = restore_one(&stage, &s->removed[i], err);
    summary->took_ns += clock_ns(CLOCK_MONOTONIC) - begin;
    joiner_free(stage.joiner);
    return r;
}

int restore_quarantine(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary, struct err *err)
{
    struct quarantine_search s = { .options = options };
    struct store_query query = *options->query;
    char real[PATH_MAX];
    int r = stage_resolve(AT_FDCWD, path, real, err);

    if (r == 0 && !options->store)
        r = err_say(err, -EOPNOTSUPP, "what a product removed, and where it keeps that, is known from the record alone, and nothing was recorded yet");
    if (r < 0)
        return r;
    s.path = query.path = bytes_of(real);
    query.operations = 1ull << OPERATION_UNLINK | 1ull << OPERATION_RENAME;
    query.no_cause = true;
    r = store_each_event(options->store, &query, on_event, &s, err);
    if (r > 0) {
        options->notice(options->data, "a product removed more files than are looked at: name a folder below");
        r = 0;
    }
    query.operations = 0;
    query.no_cause = false;
    if (r == 0)
        r = restore_all(&s, &query, ret, ret_summary, err);
    free(s.removed);
    free(s.moved_to);
    arena_done(&s.arena);
    return r;
}
