/* SPDX-License-Identifier: MIT */
/* From copies that were kept while the files were watched: what has gone since, or is not as it was at a time. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copies/large.h"
#include "copies/lives.h"
#include "copies/spans.h"
#include "event/sentence.h"
#include "restore/copy.h"
#include "restore/stage.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DAY_NS (86400 * NS_PER_S)

struct copies_restore {
    struct stage stage;
    struct copies copies;
    struct kept_path *paths;
    struct bytes base;       /* a container's root on the host, in front of all paths; empty: the host's own */
    struct bytes key;        /* what was asked for, by the paths of copies */
    struct copy_span *spans; /* owned */
    size_t span_count;
    bool gap_goes_on; /* the last of them */
    uint64_t old, brief; /* that are left: they went long ago; they were there for a moment */
};

/* ---- what is there ---- */

static bool has_sum(int fd, const struct copy *copy)
{
    unsigned char sum[32];
    uint64_t size;

    return large_sum(fd, sum, &size) == 0 && size == copy->record.size && memcmp(sum, copy->record.sha256, sizeof(sum)) == 0;
}

/* 0: nothing; 1: the same content; 2: another one. */
static int look(int folder, struct bytes path, const struct copy *copy, int content, struct stat *ret)
{
    _cleanup_close_ int fd = -EBADF, file = -EBADF;
    struct bytes base = bytes_basename(path);
    char name[NAME_MAX + 1], link[PATH_MAX];
    ssize_t n;

    snprintf(name, sizeof(name), "%.*s", (int)MIN(base.len, (size_t)NAME_MAX), base.data);
    fd = beneath_open_here(folder, name, O_PATH);
    if (fd < 0 || fstat(fd, ret) < 0)
        return fd == -ENOENT ? 0 : 2;
    if ((ret->st_mode & S_IFMT) != (copy->record.mode & S_IFMT))
        return 2;
    if (S_ISLNK(ret->st_mode)) {
        n = readlinkat(fd, "", link, sizeof(link));
        return n >= 0 && bytes_equal(copy->link, (struct bytes){ link, (size_t)n }) ? 1 : 2;
    }
    if (!S_ISREG(ret->st_mode))
        return 1;
    if (content < 0 && ((uint64_t)ret->st_size != copy->record.size || !(copy->record.flags & COPY_LARGE)))
        return (uint64_t)ret->st_size == copy->record.size ? 1 : 2;
    file = beneath_reopen_file(fd);
    if (content < 0)
        return file >= 0 && has_sum(file, copy) ? 1 : 2;
    return file >= 0 && content_is_equal(file, content) == 1 ? 1 : 2;
}

static struct stat stat_of(const struct copy *copy)
{
    struct stat st = { .st_mode = copy->record.mode, .st_uid = copy->record.uid, .st_gid = copy->record.gid, .st_size = (off_t)copy->record.size };

    st.st_mtim.tv_sec = copy->record.mtime_ns / (int64_t)NS_PER_S;
    st.st_mtim.tv_nsec = copy->record.mtime_ns % (int64_t)NS_PER_S;
    if (!copy->record.mtime_ns) /* a folder's is not kept */
        (void)clock_gettime(CLOCK_REALTIME, &st.st_mtim);
    st.st_atim = st.st_mtim;
    return st;
}

/* until_ns: of the time that it is put back for, as far as the file was there. */
static void name_copy(const struct copies_restore *c, const struct copy *copy, uint64_t until_ns, struct restore_item *item)
{
    const struct copy_span *gap = spans_find_gap(c->spans, c->span_count, copy->record.time_ns, until_ns);
    uint64_t ended_ns = c->span_count ? spans_unobserved_since(c->spans, c->span_count, copy->record.time_ns, until_ns) : 0;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_add_str(&text, "of ");
    sentence_time(&text, copy->record.time_ns, c->stage.options->utc_offset_s);
    if (gap) {
        sbuf_add_str(&text, "; it may have changed since ");
        sentence_time(&text, gap->from_ns, c->stage.options->utc_offset_s);
        sbuf_addf(&text, ", when %s", spans_why(gap->error));
    } else if (ended_ns) {
        sbuf_add_str(&text, "; it may have changed since ");
        sentence_time(&text, ended_ns, c->stage.options->utc_offset_s);
        sbuf_add_str(&text, ", when keeping copies had ended");
    } else if (S_ISDIR(copy->record.mode) && (copy->record.flags & COPY_NO_CONTENT)) {
        sbuf_add_str(&text, "; not all that was in it could be read");
    }
    item->source = RESTORE_FROM_COPIES;
    item->origin = arena_copy(&item->difference->arena, sbuf_bytes(&text));
}

/* As whoever has the file sees it. */
static struct bytes shown_of(const struct copies_restore *c, const struct copy *copy)
{
    return (struct bytes){ copy->path.data + c->base.len, copy->path.len - c->base.len };
}

static const char *why_without(const struct copy *copy)
{
    return copy->record.flags & COPY_NO_CONTENT ? "its content was not kept: it is larger than there was room for, was open for writing, or could not be read"
           : copy->record.flags & COPY_HELD     ? "its content was to be copied when it changed: there was no room then, nobody kept copies, or its copy had to make room for newer ones"
                                                : "its copy is damaged, or had to make room for newer ones";
}

static int put_back(struct copies_restore *c, const struct copy *copy, uint64_t until_ns, int folder, int content, const struct stat *now, struct err *err)
{
    char link[PATH_MAX];
    struct put_source source = { .fd = -EBADF, .bare = true, .link = link, .xattrs = copy->xattrs,
                                 .file_flags = copy->record.file_flags, .st = stat_of(copy) };
    struct restore_item *item;
    int r;

    snprintf(link, sizeof(link), "%.*s", (int)copy->link.len, copy->link.len ? copy->link.data : "");
    source.content = content;
    item = stage_add(&c->stage, shown_of(c, copy), &source.st, now, &r, err);
    if (!item)
        return r;
    name_copy(c, copy, until_ns, item);
    if (!S_ISREG(copy->record.mode) || content >= 0) {
        stage_put(&c->stage, folder, &source, item);
        return 0;
    }
    item->outcome = RESTORE_FAILED;
    snprintf(item->reason, sizeof(item->reason), "%s", why_without(copy));
    return 0;
}

static bool is_left(struct copies_restore *c, const struct kept_path *p, bool missing)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), until = p->gone_ns ? p->gone_ns : now;

    if (c->stage.options->at_ns)
        return p->gone_ns != 0; /* by then */
    if (!missing)
        return true;
    if (p->gone_ns && p->gone_ns + DAY_NS < now)
        return c->old++, true;
    return !p->at_begin && until - p->first_ns < COPY_MOMENT_NS ? (c->brief++, true) : false;
}

/* A file of ours that has it, compared with its sum; -errno. */
static int open_content(const struct copies_restore *c, const struct copy *copy)
{
    _cleanup_free_ char *data = NULL;
    int r;

    if (!S_ISREG(copy->record.mode))
        return -ENODATA;
    if (copy->record.flags & COPY_LARGE)
        return copies_open_large(&c->copies, copy);
    r = copies_content(&c->copies, copy, &data);
    return r < 0 ? r : stage_content((struct bytes){ data, copy->record.size });
}

/* The folders that it lies in, as far as they were asked for: `mark_ns` is when the first of what comes back in them went. */
static void mark_folders(struct copies_restore *c, struct bytes path, uint64_t gone_ns)
{
    while (path.len > c->key.len) {
        struct kept_path *above;

        path = bytes_dirname(path);
        above = kept_path_find(c->paths, path);
        if (above && (!above->mark_ns || gone_ns < above->mark_ns))
            above->mark_ns = gone_ns;
    }
}

static bool comes_back(const struct copies_restore *c)
{
    enum restore_outcome outcome = c->stage.items->all[c->stage.items->count - 1].outcome;

    return outcome == RESTORE_DONE || outcome == RESTORE_PLANNED;
}

static int restore_path(struct copies_restore *c, const struct kept_path *p, struct err *err)
{
    const struct copy *copy = p->newest;
    _cleanup_close_ int folder = copy ? stage_open_folder(copy->path) : -EBADF;
    _cleanup_close_ int content = copy ? open_content(c, copy) : -EBADF;
    struct stat now = { 0 };
    uint64_t until;
    int there, r;

    if (!copy || content == -ENOMEM)
        return copy ? -ENOMEM : 0;
    there = folder < 0 ? (folder == -ENOENT || folder == -ENOTDIR ? 0 : 2) : look(folder, copy->path, copy, content, &now);
    if (there == 1 || is_left(c, p, there == 0) || stage_has(&c->stage, shown_of(c, copy)))
        return 0;
    until = p->gone_ns ? p->gone_ns : c->stage.options->at_ns ? c->stage.options->at_ns : clock_ns(CLOCK_REALTIME);
    r = put_back(c, copy, until, folder, content, there ? &now : NULL, err);
    if (r == 0 && !there && comes_back(c))
        mark_folders(c, copy->path, until);
    return r;
}

/* ---- folders that were never gone ---- */

/* An item for what of it differs; *ret NULL: nothing does. */
static int add_folder(const struct copies_restore *c, const struct copy *copy, const struct stat *was, int fd, struct restore_item **ret, struct err *err)
{
    struct bytes path = shown_of(c, copy);
    char xattr[ATTRIBUTES_NAME_SIZE];
    bool mode, owner;
    struct stat now;
    int r = fstat(fd, &now) < 0 ? -errno : S_ISDIR(now.st_mode) ? attributes_differ(copy->xattrs, fd, xattr) : -ENOTDIR;

    *ret = NULL;
    if (r < 0)
        return r == -ENOMEM ? r : 0; /* somebody has just replaced it, or the copy is damaged */
    mode = (now.st_mode & 07777) != (was->st_mode & 07777);
    owner = now.st_uid != was->st_uid || now.st_gid != was->st_gid;
    if ((!mode && !owner && !xattr[0]) || stage_has(&c->stage, path))
        return 0;
    if (mode)
        *ret = stage_add_attribute(&c->stage, DIFFERENCE_MODE, path, BYTES_NULL, was, &now, &r, err);
    if (r == 0 && owner)
        *ret = stage_add_attribute(&c->stage, DIFFERENCE_OWNER, path, BYTES_NULL, was, &now, &r, err);
    if (r == 0 && xattr[0])
        *ret = stage_add_attribute(&c->stage, DIFFERENCE_XATTR, path, bytes_of(xattr), was, &now, &r, err);
    return r;
}

/* As it was at the time that is asked for; else a minute before the first of what comes back in it went: who deletes may have had to change it for that. */
static int restore_folder(struct copies_restore *c, const struct kept_path *p, struct err *err)
{
    uint64_t at = c->stage.options->at_ns ? c->stage.options->at_ns : p->mark_ns ? p->mark_ns - MIN(p->mark_ns, COPY_MOMENT_NS) : 0;
    const struct copy *copy = at && !p->gone_ns ? kept_path_at(p, at) : NULL;
    struct put_source source = { .fd = -EBADF, .content = -EBADF, .bare = true };
    _cleanup_close_ int folder = -EBADF, fd = -EBADF;
    char name[NAME_MAX + 1];
    struct restore_item *item;
    struct bytes base;
    int r;

    if (!copy || !S_ISDIR(copy->record.mode) || copy->path.len <= 1)
        return 0;
    base = bytes_basename(copy->path);
    snprintf(name, sizeof(name), "%.*s", (int)MIN(base.len, (size_t)NAME_MAX), base.data);
    folder = stage_open_folder(copy->path);
    fd = folder < 0 ? folder : beneath_open_here(folder, name, O_PATH);
    if (fd < 0)
        return 0;
    source.st = stat_of(copy);
    source.xattrs = copy->xattrs;
    r = add_folder(c, copy, &source.st, fd, &item, err);
    if (r < 0 || !item)
        return r;
    name_copy(c, copy, c->stage.options->at_ns ? at : p->mark_ns, item);
    stage_put_attributes(&c->stage, folder, &source, item);
    return 0;
}

static int restore_all(struct copies_restore *c, struct err *err)
{
    struct kept_path *p, *next;
    int r = 0;

    HASH_ITER(hh, c->paths, p, next) {
        if (r == 0 && bytes_path_covers(c->key, (struct bytes){ p->path, p->len }) && p->len > c->base.len)
            r = restore_path(c, p, err);
    }
    HASH_ITER(hh, c->paths, p, next) {
        if (r == 0 && bytes_path_covers(c->key, (struct bytes){ p->path, p->len }) && p->len > c->base.len)
            r = restore_folder(c, p, err);
    }
    return r;
}

/* When nothing was kept, of the time that is asked for; without a time of the last day. */
static void say_gaps(const struct copies_restore *c)
{
    const struct restore_options *options = c->stage.options;
    uint64_t to = options->at_ns ? options->at_ns : clock_ns(CLOCK_REALTIME), from = options->at_ns ? to : to - DAY_NS;

    for (size_t i = 0; i < c->span_count; i++) {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        if (!spans_find_gap(&c->spans[i], 1, from, to))
            continue;
        spans_write_gap(&c->spans[i], c->gap_goes_on && i + 1 == c->span_count, options->utc_offset_s, &text);
        options->notice(options->data, sbuf_str(&text));
    }
}

static void say_left(const struct copies_restore *c)
{
    const struct restore_options *options = c->stage.options;
    char text[200];

    if (c->copies.damaged)
        options->notice(options->data, "the index of kept copies is damaged: what was kept after that place is not known");
    if (!c->old && !c->brief)
        return;
    snprintf(text, sizeof(text), "left out: %llu that went more than a day ago, %llu that were there for less than a minute; --at TIME has them",
             (unsigned long long)c->old, (unsigned long long)c->brief);
    options->notice(options->data, text);
}

int restore_copies(const struct container_view *view, struct bytes path, const struct restore_options *options, struct restore_items *ret,
                   struct restore_summary *ret_summary, struct err *err)
{
    struct copies_restore c = { .stage = { .options = options, .items = ret, .newer = "what is there is newer than the copy" },
                                .copies.packs = { -EBADF, -EBADF } };
    struct store_query query = *options->query;
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    _cleanup_close_ int root = -EBADF;
    char real[PATH_MAX], key[STAGE_KEY_SIZE] = "";
    int r = !options->copies ? -ENOENT : view ? stage_find_base(view, &root, &c.base, err) : 0;

    if (r == 0)
        r = stage_resolve(view ? root : AT_FDCWD, path, real, err);
    if (r == 0) {
        query.path = bytes_of(real);
        stage_key(c.base, real, key);
        c.key = bytes_of(key);
        r = copies_read(options->copies, c.key, &c.copies, err);
    }
    if (r == 0)
        r = spans_read(options->copies, &c.spans, &c.span_count);
    c.gap_goes_on = spans_gap_goes_on(c.spans, c.span_count, clock_ns(CLOCK_REALTIME));
    if (r == 0)
        r = joiner_new(options->store, &query, &c.stage.joiner, err);
    if (r < 0) {
        free(c.spans);
        copies_done(&c.copies);
        return r;
    }
    ret_summary->watched_since = joiner_watched_since(c.stage.joiner);
    r = copies_has(&c.copies, c.key) ? copies_replay(&c.copies, options->at_ns, &c.paths) : -ENOENT;
    kept_paths_sort(&c.paths);
    if (r == 0)
        r = restore_all(&c, err);
    say_gaps(&c);
    say_left(&c);
    ret_summary->took_ns += clock_ns(CLOCK_MONOTONIC) - begin;
    free(c.spans);
    kept_paths_free(c.paths);
    joiner_free(c.stage.joiner);
    copies_done(&c.copies);
    return r;
}
