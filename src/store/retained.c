/* SPDX-License-Identifier: MIT */
#include "store/retained.h"

#include <errno.h>

#include "store/prune.h"
#include "store/room.h"
#include "store/writer.h"
#include "util/clock.h"

#define PRUNE_PAUSES 4
#define ROUNDS 8 /* each removes an eighth, or the oldest hour */

int retained_take(struct store_queue *q, struct kept_retention *next, int r, struct err *err)
{
    if (next) {
        retention_free(q->retention);
        q->retention = next;
        pruner_free(q->pruner);
        q->pruner = NULL;
    }
    if (r < 0 || !q->retention || q->pruner)
        return r;
    r = pruner_new(q->db, q->path, &q->retention->retention, &q->pruner, err);
    if (r == 0 && retained_gives_up_oldest(q)) /* at once: a small disk is full within a second */
        (void)room_keep(q->path);
    else if (r == 0 && next) /* it may have been, until now */
        room_give_up(q->path);
    return r;
}

/*
 * One step of what is to be removed, and a pause after it: four fifths of the time are for what comes. What fails is tried
 * again: what is recorded does not depend on it.
 */
void retained_step(struct store_queue *q, uint64_t now)
{
    struct rows_in_use in_use;
    uint64_t real = clock_ns(CLOCK_REALTIME), after;
    bool alone = writer_rows_in_use(q->writer, real, &in_use), forget;
    int r = pruner_step(q->pruner, real, alone ? &in_use : NULL, &forget, NULL);

    if (forget)
        writer_forget(q->writer);
    after = clock_ns(CLOCK_MONOTONIC);
    q->prune_ns = after + (r == 1 ? PRUNE_PAUSES * (after - now) + NS_PER_MS : NS_PER_S);
}

/* One round of what pruner_make_room() says. */
static void remove_oldest(struct store_queue *q)
{
    int r = 1;

    pruner_make_room(q->pruner);
    while (r == 1 && pruner_makes_room(q->pruner)) {
        uint64_t real = clock_ns(CLOCK_REALTIME);
        struct rows_in_use in_use;
        bool alone = writer_rows_in_use(q->writer, real, &in_use), forget;

        r = pruner_step(q->pruner, real, alone ? &in_use : NULL, &forget, NULL);
        if (forget)
            writer_forget(q->writer);
        (void)sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
}

/*
 * The disk is full. SQLite's log has to go into the file first, which takes what was kept for that, and gives back its own room; then the
 * oldest goes, in the same steps, until as much can be kept again: without it there is no next time.
 */
void retained_make_room(struct store_queue *q)
{
    int r;

    room_give_up(q->path);
    (void)sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    r = room_keep(q->path);
    for (unsigned i = 0; i < ROUNDS && r == -ENOSPC; i++) {
        remove_oldest(q);
        r = room_keep(q->path);
    }
    pthread_mutex_lock(&q->lock);
    q->rooms++;
    pthread_mutex_unlock(&q->lock);
}

bool retained_gives_up_oldest(const struct store_queue *q)
{
    return q->pruner && q->retention->retention.give_up_oldest;
}
