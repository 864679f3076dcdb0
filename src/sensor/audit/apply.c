/* SPDX-License-Identifier: MIT */
#include "sensor/audit/apply.h"

#include <string.h>

#include "sensor/audit/spot.h"
#include "sensor/audit/way_change.h"
#include "util/limits.h"
#include "util/macro.h"

static void put(struct audit_object *o, const struct audit_spot *at, const struct file_state *state)
{
    struct tree_change change;
    char name[LIMIT_NAME + 1]; /* at->name may be the index's own memory, which the call moves */
    const struct file_state seen = { .mode = state->mode,
                                     .uid = state->uid,
                                     .gid = state->gid,
                                     .inode = state->inode,
                                     .size = state->known & FILE_SIZE ? state->size : 0,
                                     .links = state->known & FILE_LINKS ? state->links : 1,
                                     .device = state->device,
                                     .known = state->known & FILE_FLAGS, /* no record has them: as they were known */
                                     .flags = state->flags,
                                     .mtime_ns = state->mtime_ns };

    if (!at->here || at->root || !at->name.len || at->name.len >= sizeof(name))
        return;
    memcpy(name, at->name.data, at->name.len);
    (void)tree_put_state(o->tree, at->directory, (struct bytes){ name, at->name.len }, &seen, &change);
}

/* A record's view of a new file in the index's terms. An overlay whose layers are on one file system
 * has their inode numbers; the device is that of the directory in any case. */
static struct file_state as_seen(const struct audit_object *o, const struct audit_spot *at,
                                 const struct audit_path *p)
{
    struct file_state s = p->file, directory;

    tree_state(o->tree, at->directory, &directory);
    s.device = directory.device;
    return s;
}

static void apply_rename(struct audit_object *o, const struct audit_change *c,
                         const struct audit_spot *now, const struct audit_spot *old)
{
    struct tree_change change;

    if (old->here && old->entry && now->here && !now->root) {
        (void)tree_rename(o->tree, old->entry, now->directory, now->name, &change);
    } else if (old->here && old->entry) {
        tree_remove(o->tree, old->entry, &change);
    } else if (now->here && !now->root && audit_path_is_identified(c->object)) {
        struct file_state state = as_seen(o, now, c->object);
        uint32_t entry;

        put(o, now, &state);
        entry = tree_child(o->tree, now->directory, now->name);
        if (entry && tree_is_directory(o->tree, tree_object_of(o->tree, entry)))
            audit_object_walk(o, tree_object_of(o->tree, entry));
        else if (entry)
            audit_object_touch(o, tree_object_of(o->tree, entry));
    }
}

static void apply_state(struct audit_object *o, const struct audit_change *c, const struct audit_spot *now)
{
    struct file_state state;

    if (!now->entry)
        return;
    tree_state(o->tree, tree_object_of(o->tree, now->entry), &state);
    if (c->after.known & FILE_MODE)
        state.mode = c->after.mode;
    if (c->after.known & FILE_UID)
        state.uid = c->after.uid;
    if (c->after.known & FILE_GID)
        state.gid = c->after.gid;
    if (c->after.known & FILE_SIZE)
        state.size = c->after.size;
    put(o, now, &state);
}

/* One name more: no record says how many there are, and a number of one name would be that of a new file. Nor its flags. */
static void count_link(const struct audit_object *o, const struct audit_path *p, struct file_state *state)
{
    uint32_t object = audit_path_object(o, p), names = 0;
    struct file_state known = { 0 };

    for (uint32_t n = object ? tree_first_name(o->tree, object) : 0; n; n = tree_next_name(o->tree, n))
        names++;
    if (object)
        tree_state(o->tree, object, &known);
    if ((known.known & FILE_LINKS) && known.links > names)
        names = known.links;
    state->known |= known.known & FILE_FLAGS;
    state->flags = known.flags;
    state->known |= FILE_LINKS;
    state->links = MAX(names, 1u) + 1;
}

static void apply_one(struct audit_object *o, const struct audit_facts *f,
                      const struct audit_change *c)
{
    struct tree_change change;
    struct file_state state;
    struct audit_spot now, old;

    if (c->error != 0)
        return;
    audit_spots_find(o, f, c, &now, &old);
    if (now.here && now.root && c->operation == OPERATION_SETFLAGS)
        audit_object_look_at_flags(o);
    if ((now.here && now.root) || (old.here && old.root))
        o->needs_recheck = true; /* the root itself may be another one now */
    else if (!now.here && !old.here)
        audit_way_apply(o, f, c);
    if (now.here && c->operation == OPERATION_MOUNT)
        audit_mounts_add(&o->mounts, bytes_of(now.text));
    else if (now.here && c->operation == OPERATION_UNMOUNT)
        audit_mounts_remove(&o->mounts, bytes_of(now.text));
    if (!o->tree || (!now.here && !old.here))
        return;
    switch (c->operation) {
    case OPERATION_CREATE:
    case OPERATION_MKDIR:
    case OPERATION_MKNOD:
    case OPERATION_SYMLINK:
    case OPERATION_LINK:
        if (!now.here || now.root || !audit_path_is_identified(c->object))
            return;
        state = as_seen(o, &now, c->object);
        if (c->operation == OPERATION_LINK)
            count_link(o, c->object, &state);
        put(o, &now, &state);
        now.entry = tree_child(o->tree, now.directory, now.name);
        if (c->operation == OPERATION_CREATE && now.entry)
            audit_object_touch(o, tree_object_of(o->tree, now.entry));
        break;
    case OPERATION_UNLINK:
    case OPERATION_RMDIR:
        if (now.entry)
            tree_remove(o->tree, now.entry, &change);
        break;
    case OPERATION_RENAME:
        apply_rename(o, c, &now, &old);
        break;
    case OPERATION_CHMOD:
    case OPERATION_CHOWN:
        apply_state(o, c, &now);
        break;
    case OPERATION_SETFLAGS:
        if (now.entry) { /* at once: the next change of flags is found by comparing with these */
            audit_object_touch(o, tree_object_of(o->tree, now.entry));
            audit_object_refresh(o);
        }
        break;
    case OPERATION_TRUNCATE:
        apply_state(o, c, &now);
        __attribute__((fallthrough)); /* an open with O_TRUNC will be written to */
    case OPERATION_OPEN_WRITE:
    case OPERATION_WRITE:
        if (now.entry)
            audit_object_touch(o, tree_object_of(o->tree, now.entry));
        break;
    default:
        break;
    }
}

void audit_apply(struct audit_object *o, const struct audit_facts *f,
                 const struct audit_change *changes, unsigned count)
{
    struct audit_spot now[2], old[2];

    /* an exchange: after the first rename the index would no longer know the second */
    if (count == 2 && changes[0].operation == OPERATION_RENAME && o->tree &&
        changes[1].operation == OPERATION_RENAME && changes[0].error == 0) {
        for (int i = 0; i < 2; i++)
            audit_spots_find(o, f, &changes[i], &now[i], &old[i]);
        if (old[0].entry && old[1].entry) {
            (void)tree_exchange(o->tree, old[0].entry, old[1].entry);
            return;
        }
    }
    for (unsigned i = 0; i < count; i++)
        apply_one(o, f, &changes[i]);
}
