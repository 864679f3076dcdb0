/* SPDX-License-Identifier: MIT */
/*
 * Names that the listing of a new directory found. Most of them appeared after the mark was placed, so
 * that an event of theirs is on its way and says who made them; what is left when the queue has been
 * empty once appeared before the mark: it is told with the actor of the directory.
 */
#include "sensor/fanotify/found.h"

#include <errno.h>
#include <stdlib.h>

#include <uthash.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/overlay.h"
#include "sensor/fanotify/state.h"


struct found_key {
    struct fanotify_object *object;
    uint64_t name;
};

struct found_name {
    struct found_key key;
    struct fanotify_cause cause;
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

static struct found_name *find(struct fanotify_object *o, uint32_t name)
{
    struct found_key key = { o, name };
    struct found_name *e = NULL;

    if (o->sensor->found->entries)
        HASH_FIND(hh, o->sensor->found->entries, &key, sizeof(key), e);
    return e;
}

void fanotify_found_add(struct fanotify_object *o, uint32_t name)
{
    struct found_name *e = find(o, name);

    if (e) { /* the number of a name that is gone */
        e->cause = o->cause;
        return;
    }
    e = calloc(1, sizeof(*e));
    if (!e) {
        o->sensor->lost_paths++;
        return;
    }
    e->key = (struct found_key){ o, name };
    e->cause = o->cause;
    e->cause.presumed = true;
    if (!e->cause.note)
        e->cause.note = "made before its folder could be watched: the actor is that of the folder";
    HASH_ADD(hh, o->sensor->found->entries, key, sizeof(e->key), e);
}

bool fanotify_found_has(struct fanotify_object *o, uint32_t name)
{
    return find(o, name) != NULL;
}

bool fanotify_found_cancel(struct fanotify_object *o, uint32_t name)
{
    struct found_name *e = name ? find(o, name) : NULL;

    if (!e)
        return false;
    drop(o->sensor->found, e);
    return true;
}

static void tell(struct found_name *e)
{
    struct fanotify_object *o = e->key.object;
    uint32_t name = (uint32_t)e->key.name;

    if (!tree_object_of(o->tree, name))
        return;
    if (o->wanted.view == VIEW_UPPER)
        fanotify_upper_appeared(o, tree_parent_of(o->tree, name), tree_name(o->tree, name), NULL, &e->cause);
    else
        fanotify_tell_new(o, name, &e->cause);
}

void fanotify_found_tell(struct fanotify_object *o, uint32_t name)
{
    struct found_name *e = name ? find(o, name) : NULL;

    if (!e)
        return;
    HASH_DEL(o->sensor->found->entries, e);
    tell(e);
    free(e);
}

void fanotify_found_flush(struct sensor *s)
{
    struct found_name *e;

    while ((e = s->found->entries)) {
        HASH_DEL(s->found->entries, e);
        tell(e);
        free(e);
    }
}

void fanotify_found_forget(struct fanotify_object *o)
{
    struct found_name *e, *next;

    HASH_ITER(hh, o->sensor->found->entries, e, next)
        if (e->key.object == o)
            drop(o->sensor->found, e);
}
