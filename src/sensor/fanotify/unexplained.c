/* SPDX-License-Identifier: MIT */
/*
 * A look shows a file as it is now, also what was done after the event that made us look. What differs
 * in its attributes is kept until the event of that change arrives and says whose it was. If none
 * comes, it is emitted as changed by nobody known.
 */
#include "sensor/fanotify/unexplained.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sensor/fanotify/state.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/hash_table.h"

#define WAIT_MS 300
#define ENTRIES_MAX 65536
#define RENAMED 1024 /* what is evicted by another one is forgotten */

struct unexplained_key {
    struct fanotify_object *object;
    uint64_t device, inode;
};

struct unexplained_change {
    struct unexplained_key key;
    struct tree_change change; /* the state before, and which extended attribute */
    uint64_t since_ms, from_real_ns, from_boot_ns;
    struct fanotify_shared shared; /* emitted already as changed by one of several */
    UT_hash_handle hh;
};

struct fanotify_unexplained {
    struct unexplained_change *entries; /* the oldest first */
    struct {
        struct unexplained_key key;
        uint64_t real_ns;
    } renamed[RENAMED]; /* files, and when that was read */
};

struct fanotify_unexplained *fanotify_unexplained_new(void)
{
    return calloc(1, sizeof(struct fanotify_unexplained));
}

static void drop(struct fanotify_unexplained *u, struct unexplained_change *e)
{
    HASH_DEL(u->entries, e);
    free(e);
}

void fanotify_unexplained_free(struct fanotify_unexplained *u)
{
    struct unexplained_change *e, *next;

    if (!u)
        return;
    HASH_ITER(hh, u->entries, e, next)
        drop(u, e);
    free(u);
}

static size_t renamed_slot(const struct unexplained_key *key)
{
    return (size_t)(hash_word(hash_word(HASH_START, key->device), key->inode) % RENAMED);
}

void fanotify_unexplained_renamed(struct fanotify_object *o, const struct file_state *state)
{
    struct unexplained_key key = { o, state->device, state->inode };
    size_t at = renamed_slot(&key);

    o->sensor->unexplained->renamed[at].key = key;
    o->sensor->unexplained->renamed[at].real_ns = clock_ns(CLOCK_REALTIME);
}

/* Since then: it may have had another name when it was changed. */
static bool was_renamed(const struct fanotify_unexplained *u, const struct unexplained_change *e)
{
    size_t at = renamed_slot(&e->key);

    return memcmp(&u->renamed[at].key, &e->key, sizeof(e->key)) == 0 && u->renamed[at].real_ns >= e->from_real_ns;
}

static struct unexplained_change *find(struct fanotify_object *o, const struct file_state *state)
{
    struct unexplained_key key = { o, state->device, state->inode };
    struct unexplained_change *e = NULL;

    if (o->sensor->unexplained->entries)
        HASH_FIND(hh, o->sensor->unexplained->entries, &key, sizeof(key), e);
    if (e && (e->change.after.known & state->known & FILE_BORN) && e->change.after.born_ns != state->born_ns) {
        drop(o->sensor->unexplained, e); /* that file is gone, and has left its number to this one */
        return NULL;
    }
    return e;
}

/* Until all files have been looked at, the attributes of directories are not known yet. */
static bool differs(const struct fanotify_object *o, const struct tree_change *c)
{
    const struct file_state *a = &c->before, *b = &c->after;

    return c->same_object && a->known && b->known &&
           (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ||
            (c->xattr_changed && !o->listing) ||
            ((a->known & b->known & FILE_FLAGS) && a->flags != b->flags));
}

void fanotify_unexplained_add(struct fanotify_object *o, uint32_t directory, struct bytes name,
                              const struct tree_change *change)
{
    struct fanotify_unexplained *u = o->sensor->unexplained;
    struct unexplained_change *e;

    (void)directory;
    (void)name;
    if (!differs(o, change))
        return;
    e = find(o, &change->after);
    if (e) {
        e->change.after = change->after;
        if (change->xattr_changed && !e->change.xattr_changed) {
            e->change.xattr_changed = true;
            e->change.xattr_removed = change->xattr_removed;
            memcpy(e->change.xattr, change->xattr, sizeof(e->change.xattr));
        }
        return;
    }
    if (HASH_COUNT(u->entries) >= ENTRIES_MAX || !(e = calloc(1, sizeof(*e)))) {
        o->sensor->lost_paths++;
        return;
    }
    e->key = (struct unexplained_key){ o, change->after.device, change->after.inode };
    e->change = *change;
    e->since_ms = clock_ms(CLOCK_MONOTONIC);
    e->from_real_ns = o->sensor->empty_real_ns;
    e->from_boot_ns = o->sensor->empty_boot_ns;
    HASH_ADD(hh, u->entries, key, sizeof(e->key), e);
    HASH_FREE_IF_OUT(hh, e);
    if (!e)
        o->sensor->lost_paths++;
}

void fanotify_unexplained_share(struct fanotify_object *o, uint32_t directory, struct bytes name,
                                const struct tree_change *change, const struct fanotify_shared *shared)
{
    struct unexplained_change *e;

    fanotify_unexplained_add(o, directory, name, change);
    e = find(o, &change->after);
    if (e)
        e->shared = *shared;
}

bool fanotify_unexplained_take(struct fanotify_object *o, const struct file_state *state,
                               struct tree_change *ret, struct fanotify_shared *ret_shared)
{
    struct unexplained_change *e = find(o, state);

    if (!e)
        return false;
    *ret = e->change;
    *ret_shared = e->shared;
    drop(o->sensor->unexplained, e);
    return true;
}

void fanotify_unexplained_drop(struct fanotify_object *o, const struct file_state *state)
{
    struct unexplained_change *e = find(o, state);

    if (e)
        drop(o->sensor->unexplained, e);
}

void fanotify_unexplained_forget(struct fanotify_object *o)
{
    struct unexplained_change *e, *next;

    HASH_ITER(hh, o->sensor->unexplained->entries, e, next)
        if (e->key.object == o)
            drop(o->sensor->unexplained, e);
}

bool fanotify_unexplained_is_uncertain(const struct tree_change *c)
{
    const struct file_state *a = &c->before, *b = &c->after;

    return (a->known & FILE_CTIME) && (b->known & FILE_BORN) && a->ctime_ns < b->born_ns + FANOTIFY_STAMP_NS &&
           (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid);
}

bool fanotify_unexplained_take_old(struct sensor *s, uint64_t now_ms, struct fanotify_old_change *ret)
{
    struct unexplained_change *e = s->unexplained->entries;

    if (!e || now_ms < e->since_ms + WAIT_MS)
        return false;
    *ret = (struct fanotify_old_change){ e->key.object, e->change, e->from_real_ns, e->from_boot_ns, e->shared.is, was_renamed(s->unexplained, e) };
    drop(s->unexplained, e);
    return true;
}
