/* SPDX-License-Identifier: MIT */
/*
 * Names that the listing of a new directory found. Most of them appeared after the mark was placed, so
 * that an event of theirs is on its way and says who made them; what is left when the queue has been
 * empty once appeared before the mark: it is emitted with the actor of the directory.
 *
 * The kernel makes a name before it queues the event of it. Who is held up in between leaves the queue empty, and his
 * event comes when the name has been emitted already: so what was emitted is remembered for a while.
 */
#include "sensor/fanotify/found.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/fanotify/object.h"
#include "sensor/fanotify/moved.h"
#include "sensor/fanotify/state.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"
#include "util/limits.h"

#define REMEMBER_EMITTED_MS 10000

struct found_key {
    struct fanotify_object *object;
    uint64_t name;
};

struct found_name {
    struct found_key key;
    struct fanotify_cause cause;
    uint64_t emitted_ms, emitted_real_ns; /* 0: not yet */
    uint32_t directory; /* the name's number may be another one's by then, as that of the directory and of the inode */
    uint64_t inode;
    uint64_t object; /* fanotify_handle_hash(); 0 = not known */
    UT_hash_handle hh;
};

struct fanotify_found {
    struct found_name *entries; /* in the order of their finding: directories before what is in them */
};

struct fanotify_found *fanotify_found_new(void)
{
    return calloc(1, sizeof(struct fanotify_found));
}

static void drop(struct fanotify_found *f, struct found_name *e)
{
    HASH_DEL(f->entries, e);
    free(e);
}

void fanotify_found_free(struct fanotify_found *f)
{
    struct found_name *e, *next;

    if (!f)
        return;
    HASH_ITER(hh, f->entries, e, next)
        drop(f, e);
    free(f);
}

static struct found_name *find_any(struct fanotify_object *o, uint32_t name)
{
    struct found_key key = { o, name };
    struct found_name *e = NULL;

    if (o->sensor->found->entries)
        HASH_FIND(hh, o->sensor->found->entries, &key, sizeof(key), e);
    return e;
}

static struct found_name *find(struct fanotify_object *o, uint32_t name)
{
    struct found_name *e = name ? find_any(o, name) : NULL;

    return e && !e->emitted_ms ? e : NULL;
}

static uint64_t inode_of(const struct fanotify_object *o, uint32_t name)
{
    struct file_state state;

    tree_state(o->tree, tree_object_of(o->tree, name), &state);
    return state.inode;
}

static bool is_still(const struct found_name *e)
{
    const struct fanotify_object *o = e->key.object;
    uint32_t name = (uint32_t)e->key.name;

    return tree_object_of(o->tree, name) && tree_parent_of(o->tree, name) == e->directory && inode_of(o, name) == e->inode;
}

static uint64_t object_of(struct fanotify_object *o, uint32_t name)
{
    int directory = fanotify_object_directory(o, tree_parent_of(o->tree, name));
    char buffer[FANOTIFY_HANDLE_MAX], text[LIMIT_NAME + 1];
    struct fanotify_handle handle;
    _cleanup_close_ int fd = -EBADF;
    struct stat st;

    /* a container's overlay gives a file another handle when it is copied up */
    if (directory < 0 || o->wanted.view == VIEW_MERGED || !tree_name(o->tree, name, text).len || !tree_answers(o->tree, directory, text))
        return 0;
    fd = beneath_open(directory, bytes_of(text), O_PATH | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != inode_of(o, name) || fanotify_handle_of(fd, buffer, NULL, &handle) < 0)
        return 0;
    return fanotify_handle_hash(&handle);
}

void fanotify_found_add(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause)
{
    struct found_name *e = find_any(o, name);

    if (e) /* the number of a name that is gone */
        drop(o->sensor->found, e);
    e = calloc(1, sizeof(*e));
    if (!e) {
        o->sensor->lost_paths++;
        return;
    }
    e->key = (struct found_key){ o, name };
    e->cause = *cause;
    e->cause.in_turn = false;
    e->directory = tree_parent_of(o->tree, name);
    e->inode = inode_of(o, name);
    e->object = o->sensor->features.target ? object_of(o, name) : 0;
    e->cause.presumed = e->cause.found = true;
    if (!e->cause.note)
        e->cause.note = FOUND_NOTE;
    HASH_ADD(hh, o->sensor->found->entries, key, sizeof(e->key), e);
    HASH_FREE_IF_OUT(hh, e);
    if (!e)
        o->sensor->lost_paths++;
}

void fanotify_found_moved(struct fanotify_object *o, uint32_t folder)
{
    struct found_name *e, *next;

    HASH_ITER(hh, o->sensor->found->entries, e, next)
        if (e->key.object == o && !e->emitted_ms && fanotify_is_at_or_above(o, folder, e->directory))
            e->cause.moved = true;
}

bool fanotify_found_has(struct fanotify_object *o, uint32_t name)
{
    return find(o, name) != NULL;
}

bool fanotify_found_later(struct fanotify_object *o, uint32_t name, const struct fanotify_handle *object)
{
    const struct found_name *e = find(o, name);

    return e && e->object && object->data.data && is_still(e) && e->object != fanotify_handle_hash(object);
}

bool fanotify_found_cancel(struct fanotify_object *o, uint32_t name)
{
    struct found_name *e = find(o, name);

    if (!e)
        return false;
    drop(o->sensor->found, e);
    return true;
}

/* Marks it as emitted, for the caller to emit; NULL: there is nothing to emit any more. */
static const struct fanotify_cause *take(struct fanotify_found *f, struct found_name *e)
{
    if (!is_still(e)) {
        drop(f, e);
        return NULL;
    }
    e->emitted_ms = clock_ms(CLOCK_MONOTONIC);
    e->emitted_real_ns = clock_ns(CLOCK_REALTIME);
    return &e->cause;
}

const struct fanotify_cause *fanotify_found_take(struct fanotify_object *o, uint32_t name)
{
    struct found_name *e = find(o, name);

    return e ? take(o->sensor->found, e) : NULL;
}

void fanotify_found_take_all(struct sensor *s, fanotify_found_emit *emit)
{
    uint64_t now = s->found->entries ? clock_ms(CLOCK_MONOTONIC) : 0;
    struct found_name *e, *next;
    const struct fanotify_cause *cause;

    HASH_ITER(hh, s->found->entries, e, next) {
        if (e->emitted_ms && now >= e->emitted_ms + REMEMBER_EMITTED_MS)
            drop(s->found, e);
        else if (!e->emitted_ms && (cause = take(s->found, e)))
            emit(e->key.object, (uint32_t)e->key.name, cause);
    }
}

bool fanotify_found_was_emitted(struct fanotify_object *o, uint32_t name, const struct file_state *now, const struct fanotify_handle *object)
{
    struct found_name *e = name ? find_any(o, name) : NULL;
    bool is = e && e->emitted_ms && (!now->known || e->inode == now->inode) &&
              !((now->known & FILE_BORN) && now->born_ns > (int64_t)e->emitted_real_ns);

    if (e && e->emitted_ms && e->object && object->data.data) /* whatever is there by now */
        is = e->object == fanotify_handle_hash(object);

    if (is)
        drop(o->sensor->found, e);
    return is;
}

void fanotify_found_forget(struct fanotify_object *o)
{
    struct found_name *e, *next;

    HASH_ITER(hh, o->sensor->found->entries, e, next)
        if (e->key.object == o)
            drop(o->sensor->found, e);
}
