/* SPDX-License-Identifier: MIT */
#include "compare/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "compare/content.h"
#include "engine/overlay_marks.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/escape.h"

#define BLOCK (128 * 1024)
#define HASH_MAX (INT64_C(16) << 30) /* a larger file is not hashed: it may be one hole of exabytes */
#define XATTRS_MAX (64 * 1024) /* XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel */

static int64_t time_ns(struct timespec t)
{
    return (int64_t)t.tv_sec * (int64_t)NS_PER_S + t.tv_nsec;
}

static struct file_state state_of(const struct layer_entry *e)
{
    const struct stat *st = &e->st;
    struct file_state s = { .known = FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_MTIME | FILE_CTIME,
                            .mode = st->st_mode,
                            .uid = st->st_uid,
                            .gid = st->st_gid,
                            .inode = st->st_ino,
                            .mtime_ns = time_ns(st->st_mtim),
                            .ctime_ns = time_ns(st->st_ctim) };

    if (S_ISREG(st->st_mode)) {
        s.known |= FILE_SIZE;
        s.size = (uint64_t)st->st_size;
    }
    return s;
}

static int open_content(const struct layer_entry *e)
{
    return beneath_reopen_file(e->data_fd >= 0 ? e->data_fd : e->fd);
}

static void alive(const struct compare_options *options)
{
    if (options->alive)
        options->alive(options->data);
}

static struct bytes hash_of(const struct compare_options *options, const struct layer_entry *e, struct arena *arena)
{
    _cleanup_close_ int fd = S_ISREG(e->st.st_mode) && e->st.st_size <= HASH_MAX ? open_content(e) : -EBADF;
    EVP_MD_CTX *context = fd >= 0 ? EVP_MD_CTX_new() : NULL;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    unsigned char digest[EVP_MAX_MD_SIZE];
    _cleanup_free_ char *block = malloc(BLOCK);
    unsigned len = 0;
    int64_t total = 0;
    ssize_t n = -1;

    if (context && block && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
        while ((n = read(fd, block, BLOCK)) > 0) {
            alive(options);
            total += n;
            if (total > HASH_MAX || !EVP_DigestUpdate(context, block, (size_t)n))
                break;
        }
        if (n == 0 && EVP_DigestFinal_ex(context, digest, &len))
            escape_hex(&text, (struct bytes){ (char *)digest, len });
    }
    EVP_MD_CTX_free(context);
    return text.len ? arena_copy(arena, sbuf_bytes(&text)) : BYTES_NULL;
}

/* 1: they differ, 0: they are equal. */
static int contents_differ(const struct compare_options *options, const struct layer_entry *a,
                           const struct layer_entry *b)
{
    _cleanup_close_ int x = -EBADF, y = -EBADF;

    if (a->st.st_size != b->st.st_size)
        return 1;
    x = open_content(a);
    y = open_content(b);
    if (x < 0 || y < 0)
        return x < 0 ? x : y;
    return content_differs(x, y, a->st.st_size, options->alive, options->data);
}

static struct bytes link_target(const struct layer_entry *e, struct arena *arena)
{
    char target[PATH_MAX];
    ssize_t n = S_ISLNK(e->st.st_mode) ? readlinkat(e->fd, "", target, sizeof(target)) : -1;

    return n > 0 ? arena_copy(arena, (struct bytes){ target, (size_t)n }) : BYTES_NULL;
}

struct pair {
    const struct compare_options *options;
    struct bytes path, host_path;
    const struct layer_entry *was, *is;
    struct deletion gone;
};

static int emit(const struct pair *p, enum difference_kind kind, struct bytes xattr)
{
    struct difference *d = difference_new();
    bool hashes = kind == DIFFERENCE_CONTENT || p->options->hashes;

    if (!d)
        return -ENOMEM;
    d->kind = kind;
    d->path = arena_copy(&d->arena, p->path);
    d->host_path = arena_copy(&d->arena, p->host_path);
    d->xattr = arena_copy(&d->arena, xattr);
    d->changed_ns = p->gone.not_after_ns;
    d->not_before_ns = p->gone.not_before_ns;
    d->deleted_by = p->gone.by;
    if (p->was) {
        d->before = state_of(p->was);
        d->before_target = link_target(p->was, &d->arena);
        if (hashes)
            d->before_hash = hash_of(p->options, p->was, &d->arena);
    }
    if (p->is) {
        d->after = state_of(p->is);
        d->after_target = link_target(p->is, &d->arena);
        if (hashes)
            d->after_hash = hash_of(p->options, p->is, &d->arena);
    }
    return p->options->each(p->options->data, d);
}

static size_t attribute_list(const struct layer_entry *e, char *list)
{
    ssize_t n = path_listxattr(e->fd, list, XATTRS_MAX);

    return n > 0 ? (size_t)n : 0;
}

static int compare_xattrs(const struct pair *p)
{
    _cleanup_free_ char *lists = malloc(4 * (size_t)XATTRS_MAX + 2);
    char *was = lists, *is, *x, *y;
    size_t was_len, is_len;
    int r = 0;

    if (!lists)
        return -ENOMEM;
    was_len = attribute_list(p->was, was);
    is = lists + XATTRS_MAX;
    is_len = attribute_list(p->is, is);
    x = is + XATTRS_MAX;
    y = x + XATTRS_MAX;
    for (size_t i = 0; i < was_len && r == 0; i += strlen(was + i) + 1) {
        ssize_t n, m;

        if (!xattr_is_own(was + i))
            continue;
        n = path_getxattr(p->was->fd, was + i, x, XATTRS_MAX);
        m = path_getxattr(p->is->fd, was + i, y, XATTRS_MAX);
        if (n >= 0 && (n != m || memcmp(x, y, (size_t)n) != 0))
            r = emit(p, DIFFERENCE_XATTR, bytes_of(was + i));
    }
    for (size_t i = 0; i < is_len && r == 0; i += strlen(is + i) + 1)
        if (xattr_is_own(is + i) && !xattr_is_listed(was, was_len, is + i))
            r = emit(p, DIFFERENCE_XATTR, bytes_of(is + i));
    return r;
}

static int compare_content(const struct pair *p, struct err *err)
{
    const struct stat *was = &p->was->st, *is = &p->is->st;
    int r = 0;

    if (S_ISREG(is->st_mode)) {
        r = contents_differ(p->options, p->was, p->is);
        if (r < 0)
            return err_set(err, r, "reading two versions of a file");
    } else if (S_ISLNK(is->st_mode)) {
        struct arena arena = { 0 };

        r = !bytes_equal(link_target(p->was, &arena), link_target(p->is, &arena));
        arena_done(&arena);
    } else if (S_ISCHR(is->st_mode) || S_ISBLK(is->st_mode)) {
        r = was->st_rdev != is->st_rdev;
    }
    return r ? emit(p, DIFFERENCE_CONTENT, BYTES_NULL) : 0;
}

int compare_entries(const struct compare_options *options, struct bytes path, struct bytes host_path,
                    const struct layer_entry *was, const struct layer_entry *is, const struct deletion *gone,
                    struct err *err)
{
    struct pair p = { options, path, host_path, was, is, *gone };
    int r;

    if (is)
        p.gone = (struct deletion){ .not_after_ns = (uint64_t)MAX(time_ns(is->st.st_ctim), (int64_t)0) };
    if (!was || !is)
        return was || is ? emit(&p, is ? DIFFERENCE_ADDED : DIFFERENCE_MISSING, BYTES_NULL) : 0;
    if ((was->st.st_mode & S_IFMT) != (is->st.st_mode & S_IFMT))
        return emit(&p, DIFFERENCE_TYPE, BYTES_NULL);
    r = compare_content(&p, err);
    /* a link has all rights, whoever looks */
    if (r == 0 && !S_ISLNK(is->st.st_mode) && (was->st.st_mode & 07777) != (is->st.st_mode & 07777))
        r = emit(&p, DIFFERENCE_MODE, BYTES_NULL);
    if (r == 0 && (was->st.st_uid != is->st.st_uid || was->st.st_gid != is->st.st_gid))
        r = emit(&p, DIFFERENCE_OWNER, BYTES_NULL);
    if (r == 0)
        r = compare_xattrs(&p);
    if (r == 0 && options->times && time_ns(was->st.st_mtim) != time_ns(is->st.st_mtim))
        r = emit(&p, DIFFERENCE_TIMES, BYTES_NULL);
    return r;
}
