/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/upkeep.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <utlist.h>

#include "foreign/mounts.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/resolve.h"
#include "sensor/fanotify/writes.h"
#include "sensor/object/mounts.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define TICK_MS 100
#define RECHECK_MS 20
#define MOUNTS_MS 500
#define LOOKS 4               /* objects compared in a tick: of very many each has its turn less often, so that they cost no more */
#define LIST_STEPS 2000       /* in one go, in the background */
#define PROGRESS_MS 5000

/* ---- objects that go ---- */

void fanotify_upkeep_remove(struct sensor *s, struct fanotify_object *o)
{
    if (s->next_look == o)
        s->next_look = o->next;
    LL_DELETE(s->objects, o);
    fanotify_object_ops.disarm(&o->watched, NULL);
    fanotify_object_free(o);
}

/* ---- listing ---- */

void fanotify_upkeep_begin_listing(struct sensor *s)
{
    eventfd_t ignored;
    bool working = false;

    if (!s->any_listing)
        return;
    for (const struct fanotify_object *o = s->objects; o; o = o->next)
        working = working || o->listing;
    if (working)
        (void)eventfd_write(s->work, 1);
    else
        (void)eventfd_read(s->work, &ignored);
    s->any_listing = working;
}

uint64_t fanotify_upkeep_files(const struct sensor *s)
{
    uint64_t files = 0;

    for (const struct fanotify_object *o = s->objects; o; o = o->next)
        files += o->tree ? tree_objects(o->tree) : 0;
    return files;
}

void fanotify_upkeep_list(struct sensor *s)
{
    bool was = false, more = false;

    if (!s->any_listing)
        return;
    for (struct fanotify_object *o = s->objects; o; o = o->next) {
        was = was || o->listing;
        if (o->listing && fanotify_object_list(o, LIST_STEPS))
            more = true;
    }
    if (was && !more) {
        log_info(s->options.log, "fanotify: all %llu files have been looked at", (unsigned long long)fanotify_upkeep_files(s));
    } else if (was && clock_ms(CLOCK_MONOTONIC) >= s->progress_ms) {
        if (s->progress_ms)
            log_info(s->options.log, "fanotify: %llu files have been looked at so far",
                     (unsigned long long)fanotify_upkeep_files(s));
        s->progress_ms = clock_ms(CLOCK_MONOTONIC) + PROGRESS_MS;
    }
    fanotify_upkeep_begin_listing(s);
}

/* ---- mounts ---- */

/* Digests of what is mounted: on the way to the path and at it; below it. */
static int look_at_mounts(const struct fanotify_object *o, const struct sbuf *table, uint64_t *ret_way, uint64_t *ret_below)
{
    _cleanup_sbuf_ struct sbuf own = SBUF_INIT, room = SBUF_INIT;
    uint64_t way = 0, below = 0;
    struct mount_seen seen;
    struct bytes text;
    int r = table ? 0 : mounts_read(0, &own);

    if (r < 0)
        return r;
    text = sbuf_bytes(table ? table : &own);
    while (mounts_next(&text, o->wanted.path, &room, &seen)) {
        uint64_t part = (seen.mount.id + 1) * 0x9e3779b97f4a7c15ull;

        if (seen.point.len > 1 && seen.where != MOUNT_BELOW)
            way += part;
        else if (seen.where != MOUNT_ABOVE)
            below += part;
    }
    *ret_way = way;
    *ret_below = below;
    return 0;
}

/* The same file is at the path as before: a folder above was mounted on itself, as engines do for a moment. Marks
 * are of files, and do not care by which mount they are reached. */
static bool is_same_place(struct fanotify_object *o)
{
    fanotify_object_close(o); /* opened before the mount */
    return !watched_is_stale(&o->watched, &fanotify_object_ops) && !fanotify_object_is_other(o);
}

/* fanotify reports no mounts: one is found by looking, and what lies there is marked. What was hidden by
 * one and is there again was made by nobody. */
bool fanotify_upkeep_was_mounted(struct sensor *s, struct fanotify_object *o, const struct sbuf *table)
{
    uint64_t way, below;
    bool first = !o->mounts_known, way_is_same, below_is_same;

    if (o->wanted.ns_pid || look_at_mounts(o, table, &way, &below) < 0)
        return false;
    way_is_same = way == o->mounts_on_way;
    below_is_same = below == o->mounts_below;
    o->mounts_known = true;
    o->mounts_on_way = way;
    o->mounts_below = below;
    if (first || (below_is_same && (way_is_same || is_same_place(o))))
        return false;
    fanotify_object_gap(o, LOST_WATCH_WINDOW, s->empty_real_ns,
                        "something was mounted or unmounted at the watched path, above or below it");
    o->needs_recheck = o->arrived = s->any_marked = true;
    return true;
}

static void check_mounts(struct sensor *s)
{
    struct pollfd pollfd = { .fd = s->mounts, .events = POLLPRI };
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;

    if (s->mounts >= 0 && poll(&pollfd, 1, 0) > 0)
        s->mounts_changed = true;
    if (!s->mounts_changed || clock_ms(CLOCK_MONOTONIC) < s->next_mounts_ms)
        return;
    s->mounts_changed = false;
    s->next_mounts_ms = clock_ms(CLOCK_MONOTONIC) + MOUNTS_MS;
    if (mounts_read(0, &table) < 0)
        return;
    for (struct fanotify_object *o = s->objects; o; o = o->next)
        if (!o->tombstone_until_ms)
            (void)fanotify_upkeep_was_mounted(s, o, &table);
}

/* ---- what is at the paths ---- */

/* What is at a container's path now was made since we watch, and its folders are marked only now. While the container is
 * awaited its names are kept in the start-up buffer, and looked through; what was there before that was seen by nobody. */
static void check_made_anew(struct sensor *s, struct fanotify_object *o)
{
    uint64_t born;

    if (!o->tree || (o->wanted.view != VIEW_UPPER && o->wanted.view != VIEW_LOWER))
        return;
    o->fresh = s->window_on;
    s->any_fresh |= o->fresh;
    born = fanotify_born(o, tree_root(o->tree), o->base.len ? o->base : bytes_of("."));
    if (born > s->watch_real_ns && (!s->window_on || born < s->window_real_ns))
        fanotify_object_gap(o, LOST_WATCH_WINDOW, born,
                            "a container's files were made anew before it was known: what was done to them until they were watched");
}

static void place_again(struct sensor *s, struct fanotify_object *o, uint64_t same_ns)
{
    struct fanotify_cause unknown = { .from_real_ns = s->empty_real_ns,
                                      .to_real_ns = clock_ns(CLOCK_REALTIME),
                                      .from_boot_ns = s->empty_boot_ns,
                                      .to_boot_ns = clock_ns(CLOCK_BOOTTIME) };
    struct err err = ERR_INIT;
    uint64_t from_ns;
    int r;

    if (o->mismatch >= 3)
        fanotify_object_gap(o, LOST_WATCH_WINDOW, same_ns,
                            "something else was at a watched path without a report of it");
    /* gone, by an event or without one: who holds a folder open keeps its end from being reported */
    from_ns = o->recheck_real_ns;
    if (!from_ns && o->mismatch < 3 && o->tree && !o->needs_recheck)
        from_ns = same_ns;
    o->mismatch = 0;
    (void)fanotify_upkeep_was_mounted(s, o, NULL);
    r = watched_place(&o->watched, &fanotify_object_ops, o->tree || o->arrived ? NULL : &unknown, &err);
    o->arrived = false;
    if (r < 0)
        log_warn(s->options.log, "fanotify: a watched path was replaced: %s; trying again", err_text(&err, r));
    check_made_anew(s, o);
    fanotify_replaced_gap(o, from_ns);
    o->recheck_real_ns = 0;
}

/* What was done since the queue was read to its end, and before the path led elsewhere, is in the queue now, and is about what the
 * index has: that is kept until it has been handled. */
static bool has_to_wait(struct sensor *s, struct fanotify_object *o)
{
    if (!o->tree || o->differs || fanotify_queue_is_read(s))
        return false;
    o->differs = s->needs_recheck = s->any_marked = true;
    s->next_recheck_ms = 0;
    return true;
}

/* regular: what is at the path is compared. The queue was read to its end. */
static void check_object(struct sensor *s, struct fanotify_object *o, bool regular)
{
    /* an event of it may be under way: only what is so twice was not reported */
    bool other = false, stale = fanotify_object_look(o, &other), asked = o->needs_recheck && !watched_is_gone(&o->watched);

    other = other && regular && !asked;
    if (other) {
        o->mismatch++;
        s->any_marked = true;
    } else if (regular) {
        o->mismatch = 0;
    }
    if (!stale) {
        o->differs = false;
        if (regular && !other)
            o->same_real_ns = s->empty_real_ns;
    }
    if ((stale || asked || o->mismatch >= 3) && !(stale && has_to_wait(s, o)))
        place_again(s, o, o->same_real_ns ? o->same_real_ns : s->empty_real_ns);
    fanotify_object_close(o);
}

static void emit_unanswered(struct sensor *s, struct fanotify_object *o)
{
    if (watched_take_unanswered(&o->watched))
        fanotify_object_gap(o, LOST_UNANSWERED, s->empty_real_ns, FOREIGN_UNANSWERED_WAY);
    if (tree_take_unanswered(o->tree))
        fanotify_object_gap(o, LOST_UNANSWERED, s->empty_real_ns, FOREIGN_UNANSWERED);
}

static bool is_marked(const struct fanotify_object *o)
{
    return o->tombstone_until_ms || o->needs_recheck || o->differs || o->mismatch;
}

/* Those that are known to need it. */
static void check_marked_objects(struct sensor *s, bool regular)
{
    bool any = false;

    if (!s->any_marked)
        return;
    for (struct fanotify_object *o = s->objects; o; o = o->next)
        any |= is_marked(o);
    s->any_marked = any;
    for (struct fanotify_object *o = s->objects, *next; o; o = next) {
        next = o->next;
        if (o->tombstone_until_ms) {
            if (watched_is_over(&o->watched, clock_ms(CLOCK_MONOTONIC)))
                fanotify_upkeep_remove(s, o);
        } else if (o->needs_recheck || o->differs || (regular && o->mismatch)) {
            check_object(s, o, regular);
        }
    }
}

/* What no event reports: a few of them, one after the other. */
static void check_next_objects(struct sensor *s, bool regular)
{
    const struct fanotify_object *first = s->next_look ? s->next_look : s->objects;
    unsigned looks = LOOKS;

    for (struct fanotify_object *o = s->next_look ? s->next_look : s->objects; o && looks; looks--) {
        s->next_look = o->next;
        if (!o->tombstone_until_ms && !(regular && o->mismatch)) {
            check_object(s, o, regular);
            emit_unanswered(s, o);
        }
        o = s->next_look ? s->next_look : s->objects;
        if (o == first)
            break;
    }
}

static void check_objects(struct sensor *s, bool regular)
{
    check_marked_objects(s, regular);
    check_next_objects(s, regular);
    fanotify_upkeep_begin_listing(s);
}

/* ---- time ---- */

void fanotify_upkeep_emit_losses(struct sensor *s, bool all)
{
    if (s->lost_damaged)
        fanotify_gap(s, LOST_PATH, s->lost_damaged, s->empty_real_ns, "fanotify events that could not be read");
    if (s->lost_paths)
        fanotify_gap(s, LOST_PATH, s->lost_paths, s->empty_real_ns,
                     "changes whose path could not be found, or directories that take no marks");
    s->lost_damaged = s->lost_paths = 0;
    for (struct fanotify_object *o = s->objects; o && all; o = o->next)
        emit_unanswered(s, o);
}

void fanotify_upkeep(struct sensor *s, bool empty)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC);

    /* until it is placed again an object whose recheck was requested sees nothing; who makes many so must not keep us busy */
    if (s->needs_recheck && empty && now >= s->next_recheck_ms) {
        s->needs_recheck = false;
        s->next_recheck_ms = now + RECHECK_MS;
        check_objects(s, false);
    }
    if (now < s->next_tick_ms)
        return;
    s->next_tick_ms = now + TICK_MS;
    fanotify_writes_tick(s, now, false);
    if (empty) {
        fanotify_late_unexplained(s, now);
        check_mounts(s);
        check_objects(s, true);
    }
    fanotify_upkeep_emit_losses(s, false);
}
