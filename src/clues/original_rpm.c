/* SPDX-License-Identifier: MIT */
/* The files of rpm's packages, by its database: read beforehand, understood by SQLite in a process without rights. */
#include "clues/original.h"

#include <errno.h>
#include <stdio.h>

#include "foreign/rpm_database.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define DATABASE_MAX (160 * 1024 * 1024)
#define ROWS_MAX 20000

struct package_listing {
    struct sbuf *out;
    const struct clue_question *q;
    unsigned rows;
};

static void on_file(void *data, const struct rpm_file *f)
{
    struct package_listing *l = data;
    char path[CLUE_PATH_MAX], owner[CLUE_TEXT_MAX];
    struct original o = { .digest = f->config ? BYTES_NULL : f->digest }; /* configuration is there to be changed */
    int n = snprintf(path, sizeof(path), "%.*s%.*s", (int)MIN(f->directory.len, sizeof(path)), f->directory.data,
                     (int)MIN(f->name.len, (size_t)256), f->name.data);

    if (n < 2 || (size_t)n >= sizeof(path) || path[0] != '/' || l->rows >= ROWS_MAX)
        return;
    o.path = (struct bytes){ path, (size_t)n };
    if (!original_covers(l->q, o.path))
        return;
    snprintf(owner, sizeof(owner), "package %.*s", (int)MIN(f->package.len, (size_t)300), f->package.data);
    o.owner = bytes_of(owner);
    original_put(l->out, &o);
    l->rows++;
}

static int gather(struct bytes request, struct gathered *g)
{
    static const char *const paths[] = { "/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite" };
    _cleanup_close_ int root = clue_root();
    int r = root < 0 ? root : 0;

    (void)request;
    for (size_t i = 0; i < ARRAY_SIZE(paths) && r == 0 && !g->count; i++)
        r = clue_gather_file(g, root, paths[i], DATABASE_MAX, false);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;
    struct package_listing l = { .out = answer, .q = &q };

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    (void)rpm_files(g->files[0].content, bytes_dirname(q.path), on_file, &l);
    return 0;
}

const struct foreign_job original_rpm_job = { "rpm's database", DATABASE_MAX, gather, parse, false };
