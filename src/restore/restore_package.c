/* SPDX-License-Identifier: MIT */
/* From the package's file in the cache: what of it is gone; where that is asked for also what has another content. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "restore/digest.h"
#include "restore/host_ids.h"
#include "restore/packages.h"
#include "restore/stage.h"
#include "restore/unpack.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/read.h"

#define ASKED_MAX (48 * 1024) /* bytes of paths in one question */

struct package_restore {
    struct stage stage;
    const struct package_kind *kind;
    struct package_set set;
    struct host_ids ids;
    struct wanted_file {
        const struct package_file *file;
        bool there, done;
        struct stat now;
    } *wanted; /* owned */
    size_t count;
    bool capabilities; /* of the package at hand something had some */
    bool strangers;    /* and of something the owner or the group is not known here */
};

/* ---- what is not as it was ---- */

/* Is it gone, or, where that is asked for, not the package's any more? */
static bool is_wanted(struct package_restore *p, const struct package_file *f, bool changed_too, struct wanted_file *ret)
{
    _cleanup_close_ int folder = stage_open_folder(f->path), fd = -EBADF;
    struct bytes name = bytes_basename(f->path);
    struct package_sum sum;
    char text[NAME_MAX + 1];

    *ret = (struct wanted_file){ .file = f };
    if (folder < 0)
        return folder == -ENOENT || folder == -ENOTDIR;
    if (!name.len || name.len > NAME_MAX)
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)name.len, name.data);
    fd = beneath_open_here(folder, text, O_PATH);
    if (fd == -ENOENT)
        return true;
    ret->there = true;
    if (fd < 0 || !changed_too || fstat(fd, &ret->now) < 0)
        return false;
    p->kind->sum(&p->set, f, &sum);
    return sum.kind != PACKAGE_DIGEST_NONE && (!S_ISREG(ret->now.st_mode) || package_digest_is_of(fd, &sum) == 0);
}

static int find_wanted(struct package_restore *p, bool changed_too)
{
    const struct package_file *last = NULL;

    p->wanted = calloc(p->set.file_count + 1, sizeof(*p->wanted));
    if (!p->wanted)
        return -ENOMEM;
    for (size_t i = 0; i < p->set.file_count; i++) {
        const struct package_file *f = &p->set.files[i];

        if (!p->set.packages[f->package].name.len || (last && bytes_equal(last->path, f->path)) || stage_has(&p->stage, f->path))
            continue;
        last = f; /* several packages have one directory */
        p->count += is_wanted(p, f, changed_too, &p->wanted[p->count]);
    }
    return 0;
}

/* ---- one file ---- */

/* Names of packages are of these alone: others are not shown. */
static bool is_package_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.:-", name.data[i]))
            return false;
    return name.len > 0 && name.len < 80;
}

static struct restore_item *add_item(struct package_restore *p, const struct wanted_file *w, const struct stat *before, int *ret_r, struct err *err)
{
    const struct package *package = &p->set.packages[w->file->package];
    struct stat unknown = { .st_mode = S_IFREG };
    struct restore_item *item = stage_add(&p->stage, w->file->path, before ? before : &unknown, w->there ? &w->now : NULL, ret_r, err);
    char text[200];

    if (!item)
        return NULL;
    if (!before)
        item->difference->before.known = 0;
    snprintf(text, sizeof(text), "%.*s %.*s", (int)MIN(package->list.len, (size_t)80), package->list.data, (int)MIN(package->version.len, (size_t)80),
             package->version.data);
    item->source = RESTORE_FROM_PACKAGE;
    item->origin = arena_copy(&item->difference->arena, bytes_of(text));
    return item;
}

static int fail(struct package_restore *p, struct wanted_file *w, const char *why, struct err *err)
{
    struct bytes name = p->set.packages[w->file->package].list;
    int r;
    struct restore_item *item = add_item(p, w, NULL, &r, err);

    w->done = true;
    if (!item)
        return r;
    item->outcome = RESTORE_FAILED;
    if (is_package_name(name))
        snprintf(item->reason, sizeof(item->reason), "%s: %s %.*s", why, p->kind->again(), (int)name.len, name.data);
    else
        snprintf(item->reason, sizeof(item->reason), "%s: install its package again", why);
    return 0;
}

static struct stat owned_by(const struct package_restore *p, const struct unpacked_file *a, const struct package_file *f, bool *known)
{
    struct bytes user = a->user, group = a->group;
    struct stat st = a->st;
    uint32_t mode = st.st_mode & 07777;

    p->kind->owner(&p->set, f, &user, &group, &mode);
    st.st_mode = (st.st_mode & S_IFMT) | mode;
    *known = host_ids_give(&p->ids, user, group, &st);
    return st;
}

static int put_file(struct package_restore *p, struct wanted_file *w, const struct unpacked_file *a, struct bytes content, struct err *err)
{
    char link[PATH_MAX];
    bool known;
    struct put_source source = { .fd = -EBADF, .bare = true, .link = link, .st = owned_by(p, a, w->file, &known) };
    _cleanup_close_ int data = S_ISREG(source.st.st_mode) ? stage_content(content) : -EBADF;
    _cleanup_close_ int folder = stage_open_folder(w->file->path);
    struct restore_item *item;
    struct package_sum sum;
    int r;

    p->kind->sum(&p->set, w->file, &sum);
    if (!package_sum_fits(&sum, source.st.st_mode, content, a->link))
        return fail(p, w, "the package's file in the cache is another one", err);
    if (S_ISCHR(source.st.st_mode) || S_ISBLK(source.st.st_mode))
        return fail(p, w, "it is a device", err); /* whose number is not read */
    p->stage.newer = sum.config ? "it is configuration that was changed" : "what is there is newer than the package's";
    snprintf(link, sizeof(link), "%.*s", (int)a->link.len, a->link.data);
    source.content = data;
    source.st.st_size = (off_t)content.len;
    w->done = true;
    if (S_ISREG(source.st.st_mode) && data < 0)
        return err_set(err, data, "room for a file's content");
    item = add_item(p, w, &source.st, &r, err);
    if (item)
        stage_put(&p->stage, folder, &source, item);
    p->capabilities |= item && item->outcome == RESTORE_DONE && sum.capabilities;
    p->strangers |= item && item->outcome == RESTORE_DONE && !known;
    return r;
}

/* A hard link has its content by its other name. */
static int put_link(struct package_restore *p, struct wanted_file *w, const struct unpacked_file *a, struct bytes package, struct err *err)
{
    _cleanup_sbuf_ struct sbuf asked = SBUF_INIT, answer = SBUF_INIT;
    struct unpacked_file other;
    struct bytes rest;
    int r;

    sbuf_add_bytes(&asked, a->link);
    sbuf_add_char(&asked, '\0');
    r = unpack_read(package, sbuf_bytes(&asked), &answer, err);
    rest = sbuf_bytes(&answer);
    if (r < 0 || unpack_next(&rest, &other) <= 0 || other.hard_link || other.left_out || other.too_large)
        return r < 0 ? r : fail(p, w, "its package's file does not have its content", err);
    return put_file(p, w, a, other.content, err);
}

static int take_file(struct package_restore *p, struct wanted_file *w, const struct unpacked_file *a, struct bytes package, struct err *err)
{
    if (a->too_large)
        return fail(p, w, "it is too large to be unpacked here", err);
    if (a->left_out)
        return 0; /* asked for again */
    return a->hard_link ? put_link(p, w, a, package, err) : put_file(p, w, a, a->content, err);
}

/* ---- one package ---- */

static struct wanted_file *wanted_by(struct package_restore *p, uint32_t package, struct bytes listed)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->wanted[i].file->package == package && bytes_equal(p->wanted[i].file->listed, listed))
            return &p->wanted[i];
    return NULL;
}

/* Of those that are not done as many as one question takes. */
static size_t ask_for(const struct package_restore *p, uint32_t package, struct sbuf *asked)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count && asked->len < ASKED_MAX; i++) {
        const struct wanted_file *w = &p->wanted[i];

        if (w->done || w->file->package != package)
            continue;
        sbuf_add_bytes(asked, w->file->listed);
        sbuf_add_char(asked, '\0');
        n++;
    }
    return n;
}

/* The number of files that came; -errno. */
static int read_some(struct package_restore *p, uint32_t package, struct bytes archive, struct bytes asked, struct err *err)
{
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    struct unpacked_file a;
    struct bytes rest;
    int r = unpack_read(archive, asked, &answer, err), n = 0, got;

    if (r < 0)
        return r;
    rest = sbuf_bytes(&answer);
    while ((got = unpack_next(&rest, &a)) > 0) {
        struct wanted_file *w = wanted_by(p, package, a.path);

        if (!w || w->done)
            continue;
        r = take_file(p, w, &a, archive, err);
        if (r < 0)
            return r;
        n += w->done;
    }
    return got < 0 ? err_say(err, got, "the package file could not be read") : n;
}

static int fail_all(struct package_restore *p, uint32_t package, const char *why, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < p->count && r == 0; i++)
        if (p->wanted[i].file->package == package && !p->wanted[i].done)
            r = fail(p, &p->wanted[i], why, err);
    return r;
}

/* What is not put back with a file is said, with the command that does it. */
static void say_lacking(struct package_restore *p, uint32_t package)
{
    struct bytes name = p->set.packages[package].list;
    char text[200];

    if (p->strangers && is_package_name(name)) {
        snprintf(text, sizeof(text), "%.*s: owners and groups that /etc/passwd and /etc/group do not have are not given, nor set-user-ID for them", (int)name.len,
                 name.data);
        p->stage.options->notice(p->stage.options->data, text);
    }
    p->strangers = false;

    if (p->capabilities && !p->stage.options->dry_run && is_package_name(name)) {
        snprintf(text, sizeof(text), "capabilities of its files are not put back: rpm --setcaps %.*s", (int)name.len, name.data);
        p->stage.options->notice(p->stage.options->data, text);
    }
    p->capabilities = false;
}

static int restore_from(struct package_restore *p, uint32_t package, struct err *err)
{
    struct bytes archive = p->kind->archive(&p->set, &p->set.packages[package], bytes_of(p->stage.options->package_cache));
    const char *why = "its package's file does not have it";
    struct err own = ERR_INIT;
    int n = 1;

    if (!unpack_is_possible() || !archive.len)
        return fail_all(p, package, archive.len ? "this culprit is built without libarchive" : "its package's file is not in the cache", err);
    while (n > 0) {
        _cleanup_sbuf_ struct sbuf asked = SBUF_INIT;

        n = ask_for(p, package, &asked) ? read_some(p, package, archive, sbuf_bytes(&asked), &own) : 0;
    }
    say_lacking(p, package);
    if (n == -EFBIG)
        why = "its package's file is too large to be unpacked here";
    else if (n < 0)
        why = "its package's file could not be read";
    return n == -ENOMEM || n == -E2BIG ? err_set(err, n, "what packages have") : fail_all(p, package, why, err);
}

static bool has_wanted(const struct package_restore *p, uint32_t package)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->wanted[i].file->package == package)
            return true;
    return false;
}

static int restore_all(struct package_restore *p, struct err *err)
{
    int r = 0;

    for (uint32_t i = 0; i < p->set.package_count && r == 0; i++)
        if (has_wanted(p, i))
            r = restore_from(p, i, err);
    return r;
}

/* By one manager. -ENOENT, nothing in `err`: it is not this host's. */
static int restore_by(const struct package_kind *kind, struct bytes path, bool changed_too, const struct restore_options *options, struct restore_items *ret,
                      struct restore_summary *ret_summary, struct err *err)
{
    struct package_restore p = { .stage = { .options = options, .items = ret }, .kind = kind };
    struct store_query query = *options->query;
    int r = kind->find(path, &p.set, err);

    query.path = path;
    if (r == 0)
        r = joiner_new(options->store, &query, &p.stage.joiner, err);
    if (r == 0) {
        ret_summary->watched_since = joiner_watched_since(p.stage.joiner);
        host_ids_read(&p.ids);
        r = find_wanted(&p, changed_too);
        if (r == 0)
            r = restore_all(&p, err);
        host_ids_done(&p.ids);
        free(p.wanted);
        joiner_free(p.stage.joiner);
    }
    package_set_done(&p.set);
    return r;
}

/* What the managers before it have is put back all the same. */
static int leave_out(const struct restore_options *options, struct err *err)
{
    if (err->text[0])
        options->notice(options->data, err->text);
    *err = (struct err)ERR_INIT;
    return 0;
}

int restore_package(struct bytes path, bool changed_too, const struct restore_options *options, struct restore_items *ret,
                    struct restore_summary *ret_summary, struct err *err)
{
    static const struct package_kind *const kinds[] = { &packages_dpkg, &packages_rpm };
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    char real[PATH_MAX];
    int r = stage_resolve(AT_FDCWD, path, real, err), known = -ENOENT;

    for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++) {
        r = restore_by(kinds[i], bytes_of(real), changed_too, options, ret, ret_summary, err);
        if (r < 0 && known == 0 && r != -ENOMEM && r != -E2BIG)
            r = leave_out(options, err);
        else if (r == 0)
            known = 0;
        else if (r == -ENOENT && !err->text[0])
            r = 0;
    }
    ret_summary->took_ns += clock_ns(CLOCK_MONOTONIC) - begin;
    return r == 0 ? known : r;
}
