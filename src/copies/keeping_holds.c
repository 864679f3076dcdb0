/* SPDX-License-Identifier: MIT */
#include "copies/keeping_holds.h"

#include <errno.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/macro.h"

#define AGAIN_MS 1000    /* after somebody ended the process that holds */
#define AWAIT_MS 60000
#define LOOK_MS 1000

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

void keeping_begin_to_hold(struct copies_keeping *k)
{
    if (k->holds.socket >= 0 || clock_ms(CLOCK_MONOTONIC) < k->hold_again_ms)
        return;
    k->hold_again_ms = clock_ms(CLOCK_MONOTONIC) + AGAIN_MS;
    k->report.holding = holds_begin(&k->holds, pack_large_directory(k->pack)) == 0 ? k->holds.pid : 0;
}

/* ---- which ---- */

/* Where a lease is known to be asked for by all who write: no file system of another machine's or of a process's. */
static bool is_local(int file)
{
    static const long types[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC };
    struct statfs fs;

    if (fstatfs(file, &fs) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if ((uint32_t)fs.f_type == (uint32_t)types[i])
            return true;
    return false;
}

static int add_record(struct copies_keeping *k, const struct copy_record *record, struct bytes path, struct bytes xattrs, uint64_t size)
{
    struct copy_record bare = *record;
    int r;

    bare.size = size;
    r = k->report.error ? 0 : pack_add_held(k->pack, &bare, path, xattrs);
    return r < 0 ? r : 1;
}

/* A container's root would not be given free by its engine. */
int keeping_hold(struct copies_keeping *k, int file, struct bytes path, const struct copy_record *record, struct bytes xattrs, const struct stat *st)
{
    uint64_t room = pack_large_room(k->pack), size = (uint64_t)st->st_size;
    bool copy = size <= pack_large_max(k->pack) && k->holds.copied_bytes + size <= room;

    if (size > room || roots_mounted(&k->roots, path) || !is_local(file) || holds_add(&k->holds, file, path, record, xattrs, st, copy) < 0)
        return 0;
    return add_record(k, record, path, xattrs, size);
}

int keeping_is_held(struct copies_keeping *k, struct bytes path, const struct copy_record *record, struct bytes xattrs, const struct stat *st)
{
    struct hold *hold = k->holds.by_path ? holds_at(&k->holds, path, st) : NULL;
    struct holding_state now = holding_state_of(st);

    if (!hold)
        return 0;
    if (hold->state.ctime_ns != now.ctime_ns)
        hold_update(hold, record, xattrs);
    hold->state = now;
    return add_record(k, record, path, xattrs, now.size);
}

/* ---- what becomes of them ---- */

static void copy_at_once(struct copies_keeping *k, const struct hold *hold)
{
    struct changed_file *c = changed_of(&k->changed, (struct bytes){ hold->path, hold->len }, true);

    if (!c)
        return;
    c->not_held = true;
    c->due_ms = clock_ms(CLOCK_MONOTONIC);
}

/* Just after the record without it, by the clock as it is now. */
static uint64_t time_of(const struct hold *hold)
{
    uint64_t now = clock_ns(CLOCK_REALTIME) - (clock_ns(CLOCK_BOOTTIME) - hold->boot_ns);

    return now + NS_PER_S < hold->record.time_ns ? now : hold->record.time_ns + 1;
}

static int keep_copy(struct copies_keeping *k, const struct hold *hold)
{
    struct copy_record record = hold->record;
    char name[HOLDING_NAME_SIZE];

    record.time_ns = time_of(hold);
    holding_name(hold->id, name);
    return pack_add_late(k->pack, &record, (struct bytes){ hold->path, hold->len }, (struct bytes){ hold->xattrs, hold->xattrs_len }, name);
}

static void lose(struct copies_keeping *k, int error)
{
    k->report.unheld++;
    k->report.unheld_error = error;
}

static void on_reply(struct copies_keeping *k, const struct hold *hold, const struct holding_reply *reply)
{
    int r = reply->error;

    if (reply->word == HOLDING_REFUSED)
        k->report.written += r == -EAGAIN;
    if (reply->word == HOLDING_REFUSED && !hold->taken) {
        copy_at_once(k, hold);
        return;
    }
    if (r == 0)
        r = keep_copy(k, hold);
    if (r < 0)
        lose(k, r);
}

/* What is still there is held again, by the next one. */
static void on_end(struct copies_keeping *k)
{
    struct hold *hold;

    while ((hold = holds_lost(&k->holds))) {
        char name[HOLDING_NAME_SIZE];
        struct changed_file *c = hold->taken ? NULL : changed_of(&k->changed, (struct bytes){ hold->path, hold->len }, true);

        if (c)
            c->due_ms = MAX(clock_ms(CLOCK_MONOTONIC), k->hold_again_ms);
        else
            lose(k, -EPIPE);
        holding_name(hold->id, name);
        (void)unlinkat(pack_large_directory(k->pack), name, 0);
        hold_free(hold);
    }
    if (k->holds.socket >= 0)
        return;
    if (k->report.holding > 0) {
        k->report.holding_killed++;
        k->report.walks = k->folder_count ? k->report.walks : k->asked;
    }
    k->report.holding = 0;
    keeping_begin_to_hold(k);
}

void keeping_look_at_holds(struct copies_keeping *k)
{
    struct holding_reply reply;
    struct hold *hold;

    while (holds_next(&k->holds, &hold, &reply)) {
        on_reply(k, hold, &reply);
        hold_free(hold);
    }
    if (k->holds.reached <= k->asked)
        k->report.walks = MAX(k->report.walks, k->holds.reached);
    on_end(k);
}

void keeping_await_holds(struct copies_keeping *k)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + AWAIT_MS, mark = k->asked + 1;
    uint32_t killed = k->report.holding_killed;
    bool reached = !holds_reach(&k->holds, mark);

    while ((!reached || holds_copy(&k->holds)) && clock_ms(CLOCK_MONOTONIC) < until) {
        struct pollfd ready = { .fd = k->holds.socket, .events = POLLIN };

        (void)poll(&ready, 1, LOOK_MS);
        keeping_look_at_holds(k);
        reached = reached || k->holds.reached == mark || k->report.holding_killed != killed;
    }
}
