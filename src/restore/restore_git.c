/* SPDX-License-Identifier: MIT */
/* From the index of the git work tree that the path lies in: content and whether it is executed; all else is the tree's owner's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "restore/git_index.h"
#include "restore/git_run.h"
#include "restore/place.h"
#include "restore/stage.h"
#include "util/array.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"

#define LIST_MAX (256 * 1024 * 1024)
#define CONTENT_MAX (64 * 1024 * 1024) /* of one answer */
#define NAMES_MAX (256 * 1024)         /* of one question */

struct git_restore {
    struct stage stage;
    struct git_tree tree;
    struct sbuf index, head; /* what git printed */
    struct git_wanted {
        struct git_entry entry;
        bool there, done, committed;
        struct stat now;
    } *wanted; /* owned */
    size_t count, size;
};

/* ---- which tree ---- */

static int open_tree(struct bytes path, struct git_tree *ret, struct err *err)
{
    struct bytes top = path;

    for (;; top = bytes_dirname(top)) {
        char text[PATH_MAX];
        _cleanup_close_ int fd = -EBADF, git = -EBADF;
        struct stat st, own;

        snprintf(text, sizeof(text), "%.*s", (int)top.len, top.data);
        fd = beneath_open_plain(AT_FDCWD, text, O_PATH | O_DIRECTORY);
        git = fd < 0 ? -EBADF : beneath_open_here(fd, ".git", O_PATH);
        if (git >= 0 && fstat(fd, &st) == 0 && fstat(git, &own) == 0) {
            if (st.st_uid != own.st_uid)
                return err_say(err, -EPERM, "the work tree and its .git have two owners: git is not asked about that");
            *ret = (struct git_tree){ .fd = TAKE_FD(fd), .path = top, .uid = st.st_uid, .gid = st.st_gid };
            return 0;
        }
        if (top.len <= 1)
            return -ENOENT;
    }
}

/* ---- what is not as it was ---- */

static int open_folder(const struct git_restore *g, struct bytes path)
{
    struct bytes folder = bytes_dirname(path);

    return place_open_directory(g->tree.fd, bytes_char(path, '/') ? folder : BYTES_NULL);
}

static void name_of(struct bytes path, char ret[NAME_MAX + 1])
{
    struct bytes name = bytes_basename(path);

    snprintf(ret, NAME_MAX + 1, "%.*s", (int)name.len, name.data);
}

/* Is it gone, or, where that is asked for, of another content than git has? */
static bool is_wanted(const struct git_restore *g, const struct git_entry *e, bool changed_too, struct git_wanted *ret)
{
    _cleanup_close_ int folder = open_folder(g, e->path), at = -EBADF, fd = -EBADF;
    char name[NAME_MAX + 1], oid[65];

    *ret = (struct git_wanted){ .entry = *e };
    if (folder < 0)
        return folder == -ENOENT || folder == -ENOTDIR;
    name_of(e->path, name);
    at = beneath_open_here(folder, name, O_PATH);
    if (at == -ENOENT)
        return true;
    ret->there = true;
    if (at < 0 || !changed_too || fstat(at, &ret->now) < 0 || S_ISDIR(ret->now.st_mode))
        return false;
    if (!S_ISREG(ret->now.st_mode) || !S_ISREG(e->mode))
        return (ret->now.st_mode & S_IFMT) != (e->mode & S_IFMT);
    fd = beneath_reopen_file(at);
    return fd >= 0 && git_name_file(fd, e->oid.len, oid) == 0 && !bytes_equal_str(e->oid, oid);
}

static int add_wanted(struct git_restore *g, const struct git_wanted *w)
{
    if (g->count == LIMIT_RESTORE_ITEMS)
        return -E2BIG;
    if (ARRAY_ROOM(g->wanted, g->count, g->size, 64) < 0)
        return -ENOMEM;
    g->wanted[g->count++] = *w;
    return 0;
}

static void full_path(const struct git_restore *g, struct bytes path, char ret[PATH_MAX])
{
    snprintf(ret, PATH_MAX, "%.*s%s%.*s", (int)g->tree.path.len, g->tree.path.data, g->tree.path.len > 1 ? "/" : "", (int)path.len, path.data);
}

static int find_wanted(struct git_restore *g, struct bytes below, bool changed_too, struct err *err)
{
    char target[PATH_MAX];
    const char *const list[] = { "ls-files", "-t", "-s", "-z", "--full-name", "--", target, NULL };
    struct bytes rest;
    struct git_entry e;
    int r, got;

    snprintf(target, sizeof(target), "%.*s", (int)(below.len ? below.len : 1), below.len ? below.data : ".");
    r = git_run(&g->tree, list, BYTES_NULL, LIST_MAX, &g->index, err);
    if (r != 0)
        return r > 0 ? err_say(err, -E2BIG, "git's index is too large") : r;
    rest = sbuf_bytes(&g->index);
    while ((got = git_next_entry(&rest, &e)) > 0) {
        struct git_wanted w;
        char path[PATH_MAX];

        full_path(g, e.path, path);
        if (e.left_out || !is_wanted(g, &e, changed_too, &w) || stage_has(&g->stage, bytes_of(path)))
            continue;
        r = add_wanted(g, &w);
        if (r < 0)
            return r;
    }
    return got < 0 ? err_say(err, got, "git's index could not be read") : 0;
}

/* ---- is the index's content committed? ---- */

static int by_entry_path(const void *a, const void *b)
{
    struct bytes x = ((const struct git_wanted *)a)->entry.path, y = ((const struct git_wanted *)b)->entry.path;
    int r = memcmp(x.data, y.data, MIN(x.len, y.len));

    return r ? r : x.len < y.len ? -1 : x.len > y.len;
}

static struct git_wanted *wanted_of(struct git_restore *g, struct bytes path)
{
    const struct git_wanted key = { .entry.path = path };

    return g->count ? bsearch(&key, g->wanted, g->count, sizeof(key), by_entry_path) : NULL;
}

/* "MODE blob OID\tPATH": of all that HEAD has there. */
static void compare_with_head(struct git_restore *g, struct bytes below)
{
    char target[PATH_MAX];
    const char *const list[] = { "ls-tree", "-r", "-z", "--full-tree", "HEAD", below.len ? target : NULL, NULL };
    struct err ignored = ERR_INIT; /* there may be no commit yet */
    struct bytes rest;

    qsort(g->wanted, g->count, sizeof(*g->wanted), by_entry_path);
    snprintf(target, sizeof(target), "%.*s", (int)below.len, below.len ? below.data : "");
    if (git_run(&g->tree, list, BYTES_NULL, LIST_MAX, &g->head, &ignored) != 0)
        return;
    for (rest = sbuf_bytes(&g->head); rest.len;) {
        struct bytes path = bytes_next_field(&rest, '\0'), head = bytes_next_field(&path, '\t');
        struct git_wanted *w = wanted_of(g, path);

        if (w)
            w->committed = bytes_ends_with(head, w->entry.oid);
    }
}

/* ---- what a work tree's file is not git's content as it is ---- */

/* PATH, attribute, value, each with a NUL: a filter (LFS), another encoding, line ends of another system. */
static bool is_converted(struct bytes attribute, struct bytes value)
{
    if (bytes_equal_str(value, "unspecified") || bytes_equal_str(value, "unset"))
        return false;
    return !bytes_equal_str(attribute, "eol") || bytes_equal_str(value, "crlf");
}

static int fail(struct git_restore *g, struct git_wanted *w, const char *why, struct err *err);

static int leave_converted(struct git_restore *g, struct err *err)
{
    static const char *const check[] = { "check-attr", "-z", "--stdin", "filter", "working-tree-encoding", "ident", "eol", NULL };
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT, answer = SBUF_INIT;
    struct bytes rest;
    int r;

    for (size_t i = 0; i < g->count; i++) {
        sbuf_add_bytes(&names, g->wanted[i].entry.path);
        sbuf_add_char(&names, '\0');
    }
    r = git_run(&g->tree, check, sbuf_bytes(&names), LIST_MAX, &answer, err);
    if (r != 0)
        return r > 0 ? -E2BIG : r;
    for (rest = sbuf_bytes(&answer); rest.len && r == 0;) {
        struct bytes path = bytes_next_field(&rest, '\0'), attribute = bytes_next_field(&rest, '\0'), value = bytes_next_field(&rest, '\0');
        struct git_wanted *w = is_converted(attribute, value) ? wanted_of(g, path) : NULL;

        if (w && !w->done)
            r = fail(g, w, "git makes it by a filter or another encoding: git restore FILE, as its owner", err);
    }
    return r;
}

/* ---- one file ---- */

static struct restore_item *add_item(struct git_restore *g, struct git_wanted *w, const struct stat *before, int *ret_r, struct err *err)
{
    struct stat unknown = { .st_mode = w->entry.mode };
    char path[PATH_MAX], text[80];
    struct restore_item *item;

    full_path(g, w->entry.path, path);
    item = stage_add(&g->stage, bytes_of(path), before ? before : &unknown, w->there ? &w->now : NULL, ret_r, err);
    if (!item)
        return NULL;
    if (!before)
        item->difference->before.known = 0;
    snprintf(text, sizeof(text), "index %.10s%s", w->entry.oid.data, w->committed ? ", as in HEAD" : ", not in HEAD");
    item->source = RESTORE_FROM_GIT;
    item->origin = arena_copy(&item->difference->arena, bytes_of(text));
    return item;
}

static int fail(struct git_restore *g, struct git_wanted *w, const char *why, struct err *err)
{
    int r;
    struct restore_item *item = add_item(g, w, NULL, &r, err);

    w->done = true;
    if (!item)
        return r;
    item->outcome = RESTORE_FAILED;
    snprintf(item->reason, sizeof(item->reason), "%s", why);
    return 0;
}

/* git has no directories: those that are gone are made again, as the tree's owner would. */
static int make_folders(const struct git_restore *g, struct bytes path)
{
    struct put_source folder = { .fd = -EBADF, .bare = true, .st = { .st_mode = S_IFDIR | 0755, .st_uid = g->tree.uid, .st_gid = g->tree.gid } };
    int r = 0;

    (void)clock_gettime(CLOCK_REALTIME, &folder.st.st_mtim);
    folder.st.st_atim = folder.st.st_mtim;
    for (size_t i = 1; i < path.len && r == 0; i++) {
        struct bytes above = { path.data, i };
        _cleanup_close_ int in = path.data[i] == '/' ? open_folder(g, above) : -EBADF;
        char name[NAME_MAX + 1];
        unsigned given = 0;

        if (path.data[i] != '/')
            continue;
        name_of(above, name);
        r = in < 0 ? in : put_new(in, name, &folder, false, &given, NULL);
        if (r == -EEXIST)
            r = 0;
    }
    return r;
}

static int put_file(struct git_restore *g, struct git_wanted *w, struct bytes content, struct err *err)
{
    char link[PATH_MAX];
    struct put_source source = { .fd = -EBADF, .bare = true, .link = link };
    _cleanup_close_ int data = S_ISREG(w->entry.mode) ? stage_content(content) : -EBADF, folder = -EBADF;
    struct restore_item *item;
    int r;

    if (S_ISREG(w->entry.mode) && data < 0)
        return err_set(err, data, "room for a file's content");
    if (S_ISLNK(w->entry.mode) && (content.len >= sizeof(link) || !content.len || memchr(content.data, '\0', content.len)))
        return fail(g, w, "git has a symbolic link that leads nowhere", err);
    snprintf(link, sizeof(link), "%.*s", S_ISLNK(w->entry.mode) ? (int)content.len : 0, content.data);
    source.content = data;
    source.st = (struct stat){ .st_mode = w->entry.mode, .st_uid = g->tree.uid, .st_gid = g->tree.gid, .st_size = (off_t)content.len };
    (void)clock_gettime(CLOCK_REALTIME, &source.st.st_mtim);
    source.st.st_atim = source.st.st_ctim = source.st.st_mtim;
    w->done = true;
    if (!g->stage.options->dry_run && (!w->there || g->stage.options->force))
        (void)make_folders(g, w->entry.path);
    folder = open_folder(g, w->entry.path);
    if (folder < 0 && g->stage.options->dry_run)
        folder = place_open_directory(g->tree.fd, BYTES_NULL);
    item = add_item(g, w, &source.st, &r, err);
    if (item)
        stage_put(&g->stage, folder, &source, item);
    return r;
}

/* ---- all of them ---- */

static struct git_wanted *next_of(struct git_restore *g, struct bytes oid, size_t *at)
{
    for (; *at < g->count; (*at)++)
        if (!g->wanted[*at].done && bytes_equal(g->wanted[*at].entry.oid, oid))
            return &g->wanted[(*at)++];
    return NULL;
}

/* The number of contents that came; -errno. */
static int read_some(struct git_restore *g, struct bytes names, struct err *err)
{
    static const char *const read[] = { "cat-file", "--batch", NULL };
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    struct bytes rest, oid, content;
    int r = git_run(&g->tree, read, names, CONTENT_MAX, &answer, err), n = 0;
    bool known;

    if (r < 0)
        return r;
    for (rest = sbuf_bytes(&answer); git_next_blob(&rest, &oid, &known, &content); n++) {
        bool right = known && git_blob_is(content, oid);
        size_t at = 0;

        for (struct git_wanted *w = next_of(g, oid, &at); w; w = next_of(g, oid, &at)) {
            r = right ? put_file(g, w, content, err) : fail(g, w, "git does not have its content, or a damaged one", err);
            if (r < 0)
                return r;
        }
    }
    return n;
}

static int put_all(struct git_restore *g, struct err *err)
{
    for (;;) {
        _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
        struct git_wanted *first = NULL;
        int n;

        for (size_t i = 0; i < g->count && names.len < NAMES_MAX; i++) {
            if (g->wanted[i].done)
                continue;
            if (!first)
                first = &g->wanted[i];
            sbuf_add_bytes(&names, g->wanted[i].entry.oid);
            sbuf_add_char(&names, '\n');
        }
        if (!first)
            return 0;
        n = read_some(g, sbuf_bytes(&names), err);
        if (n < 0)
            return n;
        if (n == 0)
            n = fail(g, first, "it is too large to be taken from git here: git restore FILE, as its owner", err);
        if (n < 0)
            return n;
    }
}

int restore_git(struct bytes path, bool changed_too, const struct restore_options *options, struct restore_items *ret,
                struct restore_summary *ret_summary, struct err *err)
{
    struct git_restore g = { .stage = { .options = options, .items = ret, .newer = "what is there is newer than git's index" },
                             .tree.fd = -EBADF, .index = SBUF_INIT, .head = SBUF_INIT };
    struct store_query query = *options->query;
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    char real[PATH_MAX];
    struct bytes below;
    int r = stage_resolve(AT_FDCWD, path, real, err);

    query.path = bytes_of(real);
    if (r == 0)
        r = open_tree(query.path, &g.tree, err);
    below = r == 0 ? bytes_path_below(g.tree.path, query.path) : BYTES_NULL;
    if (r == 0 && below.len && !git_path_is_safe(below))
        r = -ENOENT; /* git's own */
    if (r == 0)
        r = joiner_new(options->store, &query, &g.stage.joiner, err);
    if (r == 0) {
        ret_summary->watched_since = joiner_watched_since(g.stage.joiner);
        r = find_wanted(&g, below, changed_too, err);
    }
    if (r == 0 && g.count) {
        compare_with_head(&g, below);
        r = leave_converted(&g, err);
        if (r == 0)
            r = put_all(&g, err);
    }
    ret_summary->took_ns += clock_ns(CLOCK_MONOTONIC) - begin;
    joiner_free(g.stage.joiner);
    sbuf_done(&g.index);
    sbuf_done(&g.head);
    free(g.wanted);
    closep(&g.tree.fd);
    return r;
}
