/* SPDX-License-Identifier: MIT */
#include "copies/keeping_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/macro.h"

/* How many bytes the next copies may have. */
static void note_room(struct copies_keeping *k)
{
    held_room(k->held, k->report.error ? 0 : pack_large_room(k->pack));
}

static bool is_begun(struct copies_keeping *k)
{
    if (!k->held && held_begin(pack_large_directory(k->pack), &k->held) == 0)
        note_room(k);
    return k->held != NULL;
}

/* *ret: its sum; it is held. */
static int hold(struct copies_keeping *k, int fd, struct bytes path, const struct stat *st, unsigned char ret[32])
{
    int r;

    if ((uint64_t)st->st_size > pack_large_share(k->pack) || !is_begun(k))
        return -E2BIG;
    if (held_is(k->held, path, st, ret))
        return 0;
    r = held_hold(k->held, fd, path, st, ret);
    return r == 0 || r == -EAGAIN || r == -ESTALE || r == -EMFILE || r == -ENOMEM ? r : -E2BIG;
}

int keeping_hold(struct copies_keeping *k, int fd, struct bytes path, struct copy_record *record, struct bytes xattrs, const struct stat *st)
{
    unsigned char sum[32];
    int r = hold(k, fd, path, st, sum);

    if (r < 0)
        return r;
    record->flags |= COPY_HELD;
    r = pack_add_held(k->pack, record, path, xattrs, sum, (uint64_t)st->st_size);
    if (r == 1) { /* the same content was copied before: nobody has to wait for it */
        keeping_let_go(k, path);
        r = 0;
    }
    return r;
}

/* -errno: the disk is full. */
static int on_end(struct copies_keeping *k, const struct held_end *end)
{
    struct bytes path = bytes_of(end->path);
    struct changed_file *c;
    int r = end->error;

    if (r == 0)
        r = pack_adopt(k->pack, path, end->sha256, end->size);
    if (r < 0) {
        k->report.lost++;
        k->report.lost_error = r;
    }
    c = end->written ? changed_of(&k->changed, path, true) : NULL;
    if (c) /* whoever opened it may write to it for long, or not at all: then no event says so */
        c->due_ms = MAX(clock_ms(CLOCK_MONOTONIC) + COPIES_AGAIN_MS, c->kept_ms ? c->kept_ms + COPIES_LARGE_AGAIN_MS : 0);
    return r == -ENOSPC || r == -EDQUOT ? r : 0;
}

int keeping_take_ended(struct copies_keeping *k)
{
    struct held_end *end;
    int r = 0, of_one;

    if (!k->held)
        return 0;
    while ((end = held_next(k->held))) {
        of_one = on_end(k, end);
        r = of_one < 0 ? of_one : r;
        free(end);
    }
    note_room(k);
    k->report.held = held_count(k->held);
    return r;
}

void keeping_held_gone(struct copies_keeping *k, struct bytes path)
{
    if (k->held)
        held_gone(k->held, path);
}

void keeping_held_look(struct copies_keeping *k, struct bytes path, const struct stat *st)
{
    unsigned char sum[32];

    if (k->held)
        (void)held_is(k->held, path, st, sum);
}

void keeping_let_go(struct copies_keeping *k, struct bytes path)
{
    if (k->held)
        held_let_go(k->held, path);
}
