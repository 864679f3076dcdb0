/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/moved.h"

#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>

#include "sensor/fanotify/object.h"
#include "sensor/fanotify/queue.h"
#include "util/limits.h"
#include "util/macro.h"

/* Attributes may have been changed several times in one event. */
static bool holds_several(uint64_t mask)
{
    mask &= FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FAN_MODIFY | FAN_CLOSE_WRITE;
    return (mask & FAN_ATTRIB) || (mask & (mask - 1));
}

bool fanotify_is_at_or_above(const struct fanotify_object *o, uint32_t folder, uint32_t directory)
{
    uint32_t root = tree_root(o->tree);

    while (directory && directory != folder && directory != root)
        directory = tree_parent_of(o->tree, tree_first_name(o->tree, directory));
    return directory && directory == folder;
}

/* By the folder's own handle; by the name that it had, where the kernel gives none (before 5.17). */
static bool moves(const struct fanotify_object *o, const struct fanotify_event *e, uint32_t directory)
{
    const struct fanotify_place *from = e->mask & FANOTIFY_RENAME ? &e->from : &e->at;
    struct fanotify_user user;
    uint32_t at = 0;

    while (e->object.data.data && fanotify_handles_next(o->sensor->handles, &e->object, &at, &user))
        if (user.object == o && !user.ancestor && fanotify_is_at_or_above(o, user.directory, directory))
            return true;
    at = 0;
    while (!e->object.data.data && fanotify_handles_next(o->sensor->handles, &from->directory, &at, &user))
        if (user.object == o && !user.ancestor &&
            fanotify_is_at_or_above(o, tree_object_of(o->tree, tree_child(o->tree, user.directory, from->name)), directory))
            return true;
    return false;
}

/* ---- to and fro ---- */

#define MOVES 64 /* of folders at once; more than that are seldom one program's */

struct move {
    struct fanotify_object *object;
    uint32_t folder, directory; /* where it came from */
    uint8_t len;
    char name[LIMIT_NAME];
    bool back; /* it has come to where it had been */
};

struct fanotify_restless {
    struct move moves[MOVES];
    unsigned count, next;
};

struct fanotify_restless *fanotify_restless_new(void)
{
    return calloc(1, sizeof(struct fanotify_restless));
}

void fanotify_restless_free(struct fanotify_restless *r)
{
    free(r);
}

void fanotify_restless_forget(struct fanotify_object *o)
{
    struct fanotify_restless *r = o->sensor->restless;

    for (unsigned i = 0; i < r->count; i++)
        if (r->moves[i].object == o)
            r->moves[i] = (struct move){ 0 };
}

static bool is_of(const struct move *m, const struct fanotify_object *o, uint32_t folder)
{
    return m->object == o && m->folder == folder;
}

void fanotify_restless_add(struct fanotify_object *o, uint32_t folder, const struct rename_end *from, const struct rename_end *to)
{
    struct fanotify_restless *r = o->sensor->restless;
    struct move *m = &r->moves[r->next];
    bool back = false;

    if (!folder || from->name.len > LIMIT_NAME)
        return;
    for (unsigned i = 0; i < r->count; i++) {
        const struct move *was = &r->moves[i];

        if (is_of(was, o, folder))
            back |= was->back || (was->directory == to->directory && bytes_equal((struct bytes){ was->name, was->len }, to->name));
    }
    *m = (struct move){ .object = o, .folder = folder, .directory = from->directory, .len = (uint8_t)from->name.len, .back = back };
    memcpy(m->name, from->name.data, from->name.len);
    r->next = (r->next + 1) % MOVES;
    r->count = MIN(r->count + 1, (unsigned)MOVES);
}

/* It is there again, which the kernel reported with an earlier move. */
static bool put_back(struct fanotify_object *o, uint32_t folder, const struct move *m)
{
    int fd = tree_is_directory(o->tree, m->directory) ? fanotify_object_directory(o, m->directory) : -1;
    struct file_state known, now;
    struct tree_change change;
    char text[LIMIT_NAME + 1];

    memcpy(text, m->name, m->len);
    text[m->len] = '\0';
    tree_state(o->tree, folder, &known);
    return fd >= 0 && tree_stat_at(o->tree, fd, text, &now) == 0 && now.inode == known.inode && now.device == known.device &&
           tree_rename(o->tree, tree_first_name(o->tree, folder), m->directory, (struct bytes){ text, m->len }, &change) == 0;
}

void fanotify_restless_emptied(struct sensor *s)
{
    struct fanotify_restless *r = s->restless;

    for (unsigned i = 0; i < r->count; i++) {
        struct move *m = &r->moves[i];

        if (!m->back || !m->object->tree || !tree_is_directory(m->object->tree, m->folder) ||
            fanotify_object_directory(m->object, m->folder) >= 0)
            continue;
        for (unsigned k = 0; k < r->count; k++)
            if (is_of(&r->moves[k], m->object, m->folder) && put_back(m->object, m->folder, &r->moves[k]))
                break;
    }
    r->count = r->next = 0;
}

bool fanotify_restless_is(const struct fanotify_object *o, uint32_t directory)
{
    const struct fanotify_restless *r = o->sensor->restless;

    for (unsigned i = 0; i < r->count; i++)
        if (r->moves[i].back && r->moves[i].object == o && fanotify_is_at_or_above(o, r->moves[i].folder, directory))
            return true;
    return false;
}

enum fanotify_moved fanotify_moved_between(struct fanotify_object *o, uint32_t directory, const struct fanotify_event *e,
                                           const struct fanotify_cause *now)
{
    struct fanotify_ahead at = { 0 };
    struct fanotify_event next;
    bool all;

    if (now->replayed)
        return FANOTIFY_UNMOVED;
    if (fanotify_restless_is(o, directory))
        return FANOTIFY_MOVED;
    if (!holds_several(e->mask))
        return FANOTIFY_UNMOVED;
    all = fanotify_queue_read_ahead(o->sensor);
    while (fanotify_queue_has_moves(o->sensor) && fanotify_queue_ahead(o->sensor, &at, &next))
        if ((next.mask & (FANOTIFY_RENAME | FAN_MOVED_FROM)) && (next.mask & FAN_ONDIR) && moves(o, &next, directory))
            return FANOTIFY_MOVED_AFTER;
    return !all && fanotify_object_directory(o, directory) < 0 ? FANOTIFY_MOVED_AFTER : FANOTIFY_UNMOVED; /* else it is where it was */
}
