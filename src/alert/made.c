/* SPDX-License-Identifier: MIT */
#include "alert/made.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

#define LEVELS_MAX 16 /* directories above a file that are looked at */

static const struct made_file *find(const struct made *m, struct bytes path, uint64_t now_ns)
{
    struct fingerprint key = fingerprint_of(path);
    const struct made_file *f = &m->files[key.number % MADE_MAX];

    return f->made_ns && fingerprint_equal(f->path, key) && now_ns < f->made_ns + MADE_NS ? f : NULL;
}

static bool has_above(const struct made *m, struct bytes path, uint64_t now_ns)
{
    for (unsigned i = 0; i < LEVELS_MAX; i++) {
        path = bytes_dirname(path);
        if (path.len < 2)
            return false;
        if (find(m, path, now_ns))
            return true;
    }
    return false;
}

bool made_has(const struct made *m, const struct event *e, uint64_t now_ns)
{
    const struct made_file *f = m->files ? find(m, e->path, now_ns) : NULL;

    if (f)
        return !f->inode || !event_inode(e) || f->inode == event_inode(e); /* somebody else may have put another one there */
    return m->files && has_above(m, e->path, now_ns);
}

static void forget(struct made *m)
{
    if (m->files)
        memset(m->files, 0, MADE_MAX * sizeof(*m->files));
}

void made_add(struct made *m, const struct event *e, uint64_t now_ns)
{
    struct fingerprint key;

    if (e->error != 0)
        return;
    switch (e->operation) {
    case OPERATION_RENAME:
    case OPERATION_MOUNT:
        forget(m);
        return;
    case OPERATION_CREATE:
    case OPERATION_MKDIR:
    case OPERATION_MKNOD:
    case OPERATION_SYMLINK: /* not a hard link: what is written there is written elsewhere too */
        break;
    default:
        return;
    }
    if (!m->files)
        m->files = calloc(MADE_MAX, sizeof(*m->files));
    if (!m->files || has_above(m, e->path, now_ns)) /* out of memory it is a file like any other */
        return;
    key = fingerprint_of(e->path);
    m->files[key.number % MADE_MAX] = (struct made_file){ key, event_inode(e), now_ns };
}

void made_done(struct made *m)
{
    free(m->files);
    *m = (struct made){ 0 };
}
