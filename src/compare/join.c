/* SPDX-License-Identifier: MIT */
#include "compare/join.h"

#include <errno.h>
#include <stdlib.h>

#include "event/operation.h"
#include "util/limits.h"

#define BIT(operation) (1ull << (operation))

#define APPEARS                                                                                    \
    (BIT(OPERATION_CREATE) | BIT(OPERATION_MKDIR) | BIT(OPERATION_MKNOD) | BIT(OPERATION_SYMLINK) | \
     BIT(OPERATION_LINK) | BIT(OPERATION_RENAME))
#define DISAPPEARS (BIT(OPERATION_UNLINK) | BIT(OPERATION_RMDIR) | BIT(OPERATION_RENAME))

/* What makes each kind of difference; and if there is no such change, the one that put the file there. */
static const struct {
    uint64_t first, then;
} causes[DIFFERENCE_COUNT] = {
    [DIFFERENCE_MISSING] = { APPEARS | DISAPPEARS, 0 },
    [DIFFERENCE_ADDED] = { APPEARS | DISAPPEARS, 0 },
    [DIFFERENCE_TYPE] = { APPEARS, 0 },
    [DIFFERENCE_CONTENT] = { BIT(OPERATION_WRITE) | BIT(OPERATION_TRUNCATE) | BIT(OPERATION_OPEN_WRITE) | APPEARS,
                             0 },
    [DIFFERENCE_MODE] = { BIT(OPERATION_CHMOD) | BIT(OPERATION_SETACL) | BIT(OPERATION_ATTRIBUTES), APPEARS },
    [DIFFERENCE_OWNER] = { BIT(OPERATION_CHOWN) | BIT(OPERATION_ATTRIBUTES), APPEARS },
    [DIFFERENCE_XATTR] = { BIT(OPERATION_SETXATTR) | BIT(OPERATION_REMOVEXATTR) | BIT(OPERATION_SETACL) | BIT(OPERATION_ATTRIBUTES),
                           APPEARS },
    [DIFFERENCE_TIMES] = { BIT(OPERATION_UTIME) | BIT(OPERATION_ATTRIBUTES) | BIT(OPERATION_WRITE) | BIT(OPERATION_TRUNCATE) |
                               BIT(OPERATION_OPEN_WRITE) | APPEARS,
                           0 },
};

struct joiner {
    struct store_last *last;
    uint64_t watched_since;
};

static int on_coverage(void *data, const struct coverage *c)
{
    struct joiner *j = data;

    if (!j->watched_since || c->from_ns < j->watched_since)
        j->watched_since = c->from_ns;
    return 0;
}

int joiner_new(struct store *store, const struct store_query *query, struct joiner **ret, struct err *err)
{
    struct joiner *j = calloc(1, sizeof(*j));
    int r = 0;

    if (!j)
        return err_set(err, -ENOMEM, "joining");
    if (store)
        r = store_each_coverage(store, query, on_coverage, j, err);
    if (r == 0 && store)
        r = store_last_new(store, query, &j->last, err);
    if (r < 0) {
        joiner_free(j);
        return r;
    }
    *ret = j;
    return 0;
}

void joiner_free(struct joiner *j)
{
    if (!j)
        return;
    store_last_free(j->last);
    free(j);
}

uint64_t joiner_watched_since(const struct joiner *j)
{
    return j->watched_since;
}

/* Is the name there after this change of it? */
static bool leaves_it_there(const struct event *e, struct bytes path, struct bytes host_path)
{
    if (e->operation == OPERATION_RENAME)
        return bytes_equal(e->path, path) || (host_path.len && bytes_equal(e->host_path, host_path));
    return !operation_removes(e->operation);
}

static bool fits(const struct difference *d, const struct event *e, struct bytes path, struct bytes host_path)
{
    bool there = leaves_it_there(e, path, host_path);

    if (d->kind == DIFFERENCE_XATTR && e->xattr.len && e->operation != OPERATION_SETACL)
        return bytes_equal(e->xattr, d->xattr);
    return d->kind == DIFFERENCE_MISSING ? !there : there;
}

static int find(struct joiner *j, const struct difference *d, struct bytes path, struct bytes host_path,
                uint64_t operations, struct event **ret, struct err *err)
{
    struct event *e = NULL;
    int r = operations ? store_last_find(j->last, path, host_path, operations, &e, err) : -ENOENT;

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    if (fits(d, e, path, host_path))
        *ret = e;
    else
        event_free(e);
    return 0;
}

/* It came or went with a directory that was moved. */
static int find_above(struct joiner *j, struct difference *d, struct err *err)
{
    struct bytes path = bytes_dirname(d->path), host = bytes_dirname(d->host_path);
    int r = 0;

    for (unsigned depth = 0; r == 0 && !d->event && path.len > 1 && depth < LIMIT_NAME; depth++) {
        r = find(j, d, path, host, BIT(OPERATION_RENAME), &d->event, err);
        path = bytes_dirname(path);
        host = bytes_dirname(host);
    }
    return r;
}

int joiner_join(struct joiner *j, struct difference *d, struct err *err)
{
    int r = 0;

    if (j->last) {
        r = find(j, d, d->path, d->host_path, causes[d->kind].first, &d->event, err);
        if (r == 0 && !d->event)
            r = find(j, d, d->path, d->host_path, causes[d->kind].then, &d->event, err);
        if (r == 0 && !d->event && (d->kind == DIFFERENCE_MISSING || d->kind == DIFFERENCE_ADDED))
            r = find_above(j, d, err);
    }
    d->unrecorded = d->event                                                ? UNRECORDED_NOT
                    : !j->watched_since                                     ? UNRECORDED_NEVER
                    : d->changed_ns && d->changed_ns < j->watched_since     ? UNRECORDED_BEFORE
                                                                            : UNRECORDED_UNSEEN;
    return r;
}
