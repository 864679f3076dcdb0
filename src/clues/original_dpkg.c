/* SPDX-License-Identifier: MIT */
/*
 * The files of dpkg's packages, with their checksums. Configuration is not among a package's checksums: what it was when it was installed
 * is in dpkg's record of the packages that there are ("Conffiles:" of /var/lib/dpkg/status).
 */
#include "clues/original.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "clues/source.h"
#include "util/cleanup.h"

#define LIST_MAX (4 * 1024 * 1024)
#define STATUS_MAX (32 * 1024 * 1024)
#define CONFFILES_MAX 100000
#define MD5_LEN 32

/* ---- configuration ---- */

static int by_path(const void *a, const void *b)
{
    const struct original_conffile *x = a, *y = b;
    int r = memcmp(x->path.data, y->path.data, MIN(x->path.len, y->path.len));

    return r ? r : (x->path.len > y->path.len) - (x->path.len < y->path.len);
}

/* " /etc/x 0123456789abcdef0123456789abcdef": what is no longer the package's has a word behind, what is not yet has none of these. */
static bool take_conffile(struct bytes line, struct original_conffile *ret)
{
    struct original_conffile c = { .path = bytes_next_word(&line), .digest = bytes_next_word(&line) };

    if (c.path.len < 2 || c.path.data[0] != '/' || c.digest.len != MD5_LEN || bytes_next_word(&line).len)
        return false;
    *ret = c;
    return true;
}

int original_conffiles_read(struct bytes status, struct original_conffiles *ret)
{
    struct original_conffiles c = { 0 };
    struct original_conffile one;
    bool inside = false;
    size_t size = 0;

    while (status.len) {
        struct bytes line = bytes_next_line(&status);

        if (!line.len || line.data[0] != ' ')
            inside = bytes_equal_str(line, "Conffiles:");
        else if (inside && c.count < CONFFILES_MAX && take_conffile(line, &one)) {
            if (c.count == size) {
                struct original_conffile *more = reallocarray(c.all, size ? size * 2 : 256, sizeof(*more));

                if (!more) {
                    free(c.all);
                    return -ENOMEM;
                }
                c.all = more;
                size = size ? size * 2 : 256;
            }
            c.all[c.count++] = one;
        }
    }
    if (c.count)
        qsort(c.all, c.count, sizeof(*c.all), by_path);
    *ret = c;
    return 0;
}

static struct bytes md5_of_conffile(const struct original_conffiles *all, struct bytes path)
{
    const struct original_conffile key = { .path = path }, *found = all->count ? bsearch(&key, all->all, all->count, sizeof(key), by_path) : NULL;

    return found ? found->digest : BYTES_NULL;
}

/* ---- lists ---- */

/* The checksum of a path, without its first slash, in what is left of a list of them. */
static struct bytes find_md5(struct bytes *sums, struct bytes path)
{
    struct bytes line;

    while (sums->len) {
        line = bytes_next_line(sums);
        if (line.len == path.len + 33 && memcmp(line.data + 34, path.data + 1, path.len - 1) == 0)
            return (struct bytes){ line.data, 32 };
    }
    return BYTES_NULL;
}

/* Both lists have the same order, nearly: *rest is where the last one was found. */
static struct bytes md5_of(struct bytes all, struct bytes *rest, struct bytes path)
{
    struct bytes found = find_md5(rest, path);

    if (!found.len) {
        *rest = all;
        found = find_md5(rest, path);
        if (!found.len)
            *rest = all;
    }
    return found;
}

void original_dpkg(struct sbuf *out, const struct clue_question *q, struct bytes package, struct bytes list, struct bytes md5sums,
                   const struct original_conffiles *conffiles)
{
    struct bytes line, rest = md5sums;

    while (list.len) {
        struct original o = { 0 };

        line = bytes_next_line(&list);
        if (line.len < 2 || line.data[0] != '/' || line.len > CLUE_PATH_MAX || !original_covers(q, line))
            continue;
        /* a directory of the list is followed by what lies in it */
        if (list.len > line.len && bytes_starts_with(list, line) && list.data[line.len] == '/')
            continue;
        o.path = line;
        o.owner = package;
        o.digest = md5_of(md5sums, &rest, line);
        if (!o.digest.len) {
            o.digest = md5_of_conffile(conffiles, line);
            o.configuration = o.digest.len > 0;
        }
        original_put(out, &o);
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    static const char *const endings[] = { ".list", ".md5sums", NULL };
    _cleanup_close_ int root = clue_root();
    int r;

    (void)request;
    if (root < 0)
        return root;
    r = clue_gather_directory(g, root, "/var/lib/dpkg/info", endings, 50000, LIST_MAX);
    if (r == 0 && !g->count)
        return -ENOENT;
    return r < 0 ? r : clue_gather_file(g, root, ORIGINAL_DPKG_STATUS, STATUS_MAX, false);
}

/* Sorted by name: "x.list" is followed by "x.md5sums", with "x:amd64" for "x" perhaps. */
static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct original_conffiles conffiles = { 0 };
    struct clue_question q;
    int r;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    r = original_conffiles_read(gathered_get(g, ORIGINAL_DPKG_STATUS), &conffiles);
    for (size_t i = 0; i < g->count && r == 0; i++) {
        struct bytes name = bytes_basename(bytes_of(g->files[i].name)), sums = BYTES_NULL;
        char package[CLUE_TEXT_MAX];

        if (!bytes_ends_with(name, bytes_of(".list")))
            continue;
        name.len -= 5;
        if (i + 1 < g->count && bytes_starts_with(bytes_basename(bytes_of(g->files[i + 1].name)), name) &&
            bytes_ends_with(bytes_of(g->files[i + 1].name), bytes_of(".md5sums")))
            sums = g->files[i + 1].content;
        snprintf(package, sizeof(package), "package %.*s", (int)MIN(name.len, strcspn(name.data, ":")), name.data);
        original_dpkg(answer, &q, bytes_of(package), g->files[i].content, sums, &conffiles);
    }
    free(conffiles.all);
    return r;
}

const struct foreign_job original_dpkg_job = { "dpkg's lists of files", 200 * 1024 * 1024, gather, parse, false };
