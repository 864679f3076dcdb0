/* SPDX-License-Identifier: MIT */
#include "sensor/audit/change_event.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/audit/way_change.h"
#include "sensor/audit/written.h"
#include "util/sbuf.h"

/* Where a name is, as far as this object is concerned. */
struct spot {
    bool here;          /* at or below the object's path */
    bool root;          /* the object's path itself */
    uint32_t directory; /* of `name`, in the index */
    struct bytes name;
    uint32_t entry;     /* the index's name, 0 = it does not know it */
    bool one_of_several; /* the file has other names, and none of them is in the records */
    char text[PATH_MAX]; /* where there is no index: the path, as the caller wrote it */
};

static bool identified(const struct audit_path *p)
{
    return p && (p->file.known & FILE_INODE) && (p->file.known & FILE_DEVICE);
}

static bool is_state(const struct audit_object *o, const struct file_state *s,
                     const struct audit_path *p)
{
    return identified(p) && (s->known & FILE_INODE) && s->inode == p->file.inode &&
           s->device == audit_object_device(o, p->file.device);
}

/* The index may know more than the record did: where it is late, another file has the number by then. */
static bool is_of_type(const struct audit_object *o, uint32_t object, const struct audit_path *p)
{
    struct file_state known;

    tree_state(o->tree, object, &known);
    return !(known.known & p->file.known & FILE_MODE) || !(known.mode & S_IFMT) || !(p->file.mode & S_IFMT) ||
           (known.mode & S_IFMT) == (p->file.mode & S_IFMT);
}

static uint32_t find_object(const struct audit_object *o, const struct audit_path *p)
{
    uint32_t object = o->tree && identified(p) ? tree_find(o->tree, audit_object_device(o, p->file.device), p->file.inode) : 0;

    return object && is_of_type(o, object, p) ? object : 0;
}

/* ---- places ---- */

/* A path is written alike in every container: this one's is on the file system of this object, of the directory that holds
 * it, or on one that is mounted below it. */
static bool is_ours(const struct audit_object *o, struct bytes path, const struct audit_path *p)
{
    uint64_t raw = p ? p->file.device : 0, device = audit_object_device(o, raw);

    return !identified(p) || !o->super_device || raw == o->super_device ||
           ((o->root.known & FILE_DEVICE) && device == o->root.device) ||
           ((o->parent_state.known & FILE_DEVICE) && device == o->parent_state.device) ||
           audit_mounts_cover(&o->mounts, path, raw);
}

static bool spot_in(const struct audit_object *o, const struct audit_path *parent,
                    struct bytes name, struct spot *ret)
{
    uint32_t directory = find_object(o, parent);

    if (!name.len)
        return false;
    if (directory && tree_is_directory(o->tree, directory)) {
        *ret = (struct spot){ .here = true, .directory = directory, .name = name };
        ret->entry = tree_child(o->tree, directory, name);
        return true;
    }
    if (o->base.len && bytes_equal(name, o->base) && (is_state(o, &o->parent_state, parent) || audit_way_is_parent(o, parent))) {
        *ret = (struct spot){ .here = true, .root = true };
        return true;
    }
    return false;
}

/* The n-th distinct directory of this object among those that an overlay worked in. */
static const struct audit_path *nested_parent(const struct audit_object *o,
                                              const struct audit_facts *f, struct bytes name,
                                              unsigned n)
{
    uint64_t last = 0;
    struct spot spot;

    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (!p->nested || p->type != AUDIT_NAME_PARENT || p->file.inode == last ||
            !spot_in(o, p, name, &spot))
            continue;
        if (n-- == 0)
            return p;
        last = p->file.inode;
    }
    return NULL;
}

/* The overlay copied this directory up for the change itself, into one of ours: the index does not have it yet. */
static bool made_on_the_way(const struct audit_object *o, const struct audit_facts *f, const struct audit_path *directory)
{
    for (const struct audit_path *p = f->paths + 1; p < directory; p++)
        if (p->nested && p->type == AUDIT_NAME_CREATE && p->file.inode == directory->file.inode && find_object(o, p - 1))
            return !find_object(o, directory);
    return false;
}

/* Where an overlay did in the end what was asked for: it copies directories up first. NULL: not in this object, or in a
 * directory that is not known yet. */
static const struct audit_path *last_nested_parent(const struct audit_object *o, const struct audit_facts *f,
                                                   struct bytes name)
{
    const struct audit_path *last = NULL;
    struct spot spot;

    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (!p->nested || p->type != AUDIT_NAME_PARENT)
            continue;
        if (spot_in(o, p, name, &spot))
            last = p;
        else if (made_on_the_way(o, f, p))
            return NULL;
    }
    return last;
}

/* By the text that the caller gave, which may lead through links and may be relative to another
 * directory, in another container too: believed only if the index has the same inode there. */
static bool spot_by_text(const struct audit_object *o, const struct audit_facts *f,
                         const struct audit_path *object, struct spot *ret)
{
    char path[PATH_MAX];
    struct bytes text, rest;
    struct file_state state;
    uint32_t entry;

    if (!o->tree || !object || !object->name.len ||
        !audit_written_path(f->cwd, object->name, path, sizeof(path)))
        return false;
    text = bytes_of(path);
    if (!bytes_path_covers(o->wanted.path, text) || text.len == o->wanted.path.len)
        return false;
    rest = (struct bytes){ text.data + o->wanted.path.len, text.len - o->wanted.path.len };
    while (rest.len && rest.data[0] == '/')
        rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    entry = tree_find_path(o->tree, rest);
    if (!entry)
        return false;
    tree_state(o->tree, tree_object_of(o->tree, entry), &state);
    if (!identified(object) || state.inode != object->file.inode || !is_ours(o, text, object))
        return false;
    *ret = (struct spot){ .here = true,
                          .directory = tree_parent_of(o->tree, entry),
                          .name = tree_name(o->tree, entry),
                          .entry = entry };
    return true;
}

/* What is watched is not there (any more): the text is all there is, and the file system of the directory that holds it.
 * (That of the name itself may be an overlay's layer: the kernel writes down what it did last.) */
static bool spot_without_index(const struct audit_object *o, const struct audit_facts *f,
                               enum audit_nametype type, const struct audit_path *parent, struct spot *ret)
{
    if (o->tree || o->wanted.ns_pid)
        return false;
    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (p->type != type || p->nested || !p->name.len ||
            !audit_written_path(f->cwd, p->name, ret->text, sizeof(ret->text)) ||
            !bytes_path_covers(o->wanted.path, bytes_of(ret->text)))
            continue;
        /* a name alone may be relative to any directory: only the old calls have none */
        if (!memchr(p->name.data, '/', p->name.len) ||
            !is_ours(o, bytes_of(ret->text), parent ? parent : p))
            continue;
        ret->here = true;
        ret->root = strlen(ret->text) == o->wanted.path.len;
        return true;
    }
    ret->text[0] = '\0';
    return false;
}

/* The file is in the index, under other names than the one that was written down: it went from there since it was
 * looked at. In that directory it was all the same, and not under a name that another one of its links has. */
static bool spot_by_former_name(const struct audit_object *o, const struct audit_facts *f, struct bytes name, struct spot *ret)
{
    char path[PATH_MAX];
    struct bytes text, rest;
    uint32_t directory;

    if (!name.len || (name.data[0] != '/' && !audit_written_begins_at_cwd(f)) || !audit_written_path(f->cwd, name, path, sizeof(path)))
        return false;
    text = bytes_of(path);
    if (o->wanted.ns_pid || !bytes_path_covers(o->wanted.path, text) || text.len == o->wanted.path.len)
        return false;
    rest = (struct bytes){ text.data + o->wanted.path.len, text.len - o->wanted.path.len };
    while (rest.len && rest.data[0] == '/')
        rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    rest = bytes_dirname(rest);
    directory = rest.len ? tree_object_of(o->tree, tree_find_path(o->tree, rest)) : tree_root(o->tree);
    if (!directory || !tree_is_directory(o->tree, directory))
        return false;
    if (tree_child(o->tree, directory, bytes_basename(text)))
        return false; /* a link that led to it */
    *ret = (struct spot){ .here = true };
    memcpy(ret->text, path, text.len + 1);
    return true;
}

/* A file that was named by its identity only: which of its names was meant, as far as it has several. */
static bool spot_of_object(const struct audit_object *o, const struct audit_facts *f,
                           const struct audit_change *c, struct spot *ret)
{
    struct bytes base = bytes_basename(c->name);
    uint32_t object = find_object(o, c->object), entry, first;
    bool several;

    if (is_state(o, &o->root, c->object)) {
        if (!bytes_equal(base, o->base) && audit_object_younger(o, 0, f->time_ms * NS_PER_MS))
            return false;
        *ret = (struct spot){ .here = true, .root = true };
        return true;
    }
    if (!object)
        return spot_by_text(o, f, c->object, ret);
    first = tree_first_name(o->tree, object);
    entry = audit_written_name(o, f, first, c->name, &several);
    if (!entry && first && audit_object_younger(o, first, f->time_ms * NS_PER_MS))
        return false;
    if (!entry && first && spot_by_former_name(o, f, c->name, ret))
        return true;
    if (!entry)
        entry = first;
    if (!entry)
        return false;
    *ret = (struct spot){ .here = true,
                          .directory = tree_parent_of(o->tree, entry),
                          .name = tree_name(o->tree, entry),
                          .entry = entry,
                          .one_of_several = several || (!bytes_equal(tree_name(o->tree, entry), base) &&
                                            (tree_next_name(o->tree, first) || f->time_ms * NS_PER_MS <= o->listed_ns)) };
    return true;
}

/* Which of two directories the old name was in: the one where the index has it. */
static void settle_parents(const struct audit_object *o, const struct audit_change *c,
                           const struct audit_path **from, const struct audit_path **to)
{
    struct spot spot;

    if (!c->parents_unsure)
        return;
    if (c->previous_name.len && spot_in(o, *to, c->previous_name, &spot) && spot.entry &&
        !(spot_in(o, *from, c->previous_name, &spot) && spot.entry))
        *from = *to, *to = c->previous_parent;
}

/* What was mounted there distinguishes namespaces; the text may lead through links. */
static bool was_mounted(const struct audit_object *o, const char *path, const struct audit_path *p)
{
    uint64_t device = identified(p) ? p->file.device : 0;
    char real[PATH_MAX];

    return audit_mounts_at(&o->mounts, bytes_of(path), device) ||
           (!o->wanted.ns_pid && realpath(path, real) && audit_mounts_at(&o->mounts, bytes_of(real), device));
}

/* A mount point is a path, not a file: what is mounted on the same directory by another path does not
 * touch this one. */
static bool spot_of_mount(const struct audit_object *o, const struct audit_facts *f,
                          const struct audit_change *c, struct spot *ret)
{
    char path[PATH_MAX], real[PATH_MAX];

    if (!c->object || !audit_written_path(f->cwd, c->object->name, path, sizeof(path)))
        return false;
    if (!bytes_path_covers(o->wanted.path, bytes_of(path))) {
        if (o->wanted.ns_pid || !realpath(path, real) ||
            !bytes_path_covers(o->wanted.path, bytes_of(real)))
            return false;
        memcpy(path, real, sizeof(path));
    }
    if (c->operation == OPERATION_MOUNT ? !is_ours(o, bytes_of(path), c->object)
                                        : !was_mounted(o, path, c->object))
        return false;
    *ret = (struct spot){ .here = true, .root = strlen(path) == o->wanted.path.len };
    memcpy(ret->text, path, sizeof(path));
    return true;
}

/* Both ends of a change: `now` where it is (or was), `old` where a rename took it from. */
static void find_spots(const struct audit_object *o, const struct audit_facts *f,
                       const struct audit_change *c, struct spot *now, struct spot *old)
{
    const struct audit_path *to = c->parent, *from = c->previous_parent;
    struct bytes name = c->name.len ? c->name : c->previous_name;

    *now = *old = (struct spot){ 0 };
    if (c->operation == OPERATION_RENAME) {
        settle_parents(o, c, &from, &to);
        if (!spot_in(o, to, c->name, now))
            (void)spot_without_index(o, f, AUDIT_NAME_CREATE, to, now);
        if (!spot_in(o, from, c->previous_name, old))
            (void)spot_without_index(o, f, AUDIT_NAME_DELETE, from, old);
        if (!now->here && !old->here) {
            const struct audit_path *a = nested_parent(o, f, name, 0),
                                    *b = nested_parent(o, f, name, 1);

            (void)spot_in(o, a, c->previous_name, old);
            (void)spot_in(o, b ? b : a, c->name, now);
        }
        return;
    }
    if (c->operation == OPERATION_MOUNT || c->operation == OPERATION_UNMOUNT) {
        (void)spot_of_mount(o, f, c, now);
        return;
    }
    if (c->operation == OPERATION_REPLACE && c->parents_unsure) {
        struct spot other;

        if (spot_in(o, c->previous_parent, c->name, &other) && other.entry) {
            *now = other;
            return;
        }
    }
    if (c->parent && spot_in(o, c->parent, c->name, now))
        return;
    if (!c->parent && spot_of_object(o, f, c, now))
        return;
    if (c->object && spot_without_index(o, f, c->object->type, c->parent, now))
        return;
    (void)spot_in(o, last_nested_parent(o, f, bytes_basename(c->name)), bytes_basename(c->name), now);
}

/* ---- paths ---- */

static int spot_path(const struct audit_object *o, const struct spot *s, struct sbuf *out)
{
    int r = 0;

    sbuf_clear(out);
    if (s->text[0]) {
        sbuf_add_str(out, s->text);
        return sbuf_error(out);
    }
    sbuf_add_bytes(out, o->wanted.path);
    if (s->root)
        return sbuf_error(out);
    if (out->len > 1)
        sbuf_add_char(out, '/');
    if (s->directory != tree_root(o->tree)) {
        r = tree_directory_path(o->tree, s->directory, out);
        sbuf_add_char(out, '/');
    }
    sbuf_add_bytes(out, s->name);
    return r < 0 ? r : sbuf_error(out);
}

/* ---- states ---- */

/* What the kernel said first, then what the index remembers. */
static void describe(const struct audit_object *o, const struct audit_change *c,
                     const struct spot *spot, struct event *e)
{
    struct file_state known = { 0 };

    if (spot->root)
        known = o->root;
    else if (spot->entry)
        tree_state(o->tree, tree_object_of(o->tree, spot->entry), &known);
    e->before = c->before;
    e->after = c->after;
    if (e->after.known) /* as it is after a success */
        file_state_add(&e->file, e->error == 0 ? &e->after : &e->before, FILE_MODE | FILE_UID | FILE_GID);
    if (c->object) {
        struct file_state said = c->object->file;

        said.device = audit_object_device(o, said.device);
        file_state_add(&e->file, &said, FILE_MODE | FILE_UID | FILE_GID);
        if (!known.known)
            file_state_add(&e->file, &said, FILE_INODE | FILE_DEVICE);
    }
    file_state_add(&e->file, &known, FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE);
    if (!audit_object_is_fresh(o, &known)) /* written to since we looked: how long it is now is not known */
        known.known &= ~(unsigned)FILE_SIZE;
    if (c->operation == OPERATION_TRUNCATE) {
        file_state_add(&e->before, &known, FILE_SIZE);
        file_state_add(&e->file, e->error == 0 ? &e->after : &known, FILE_SIZE);
    } else if ((known.known & FILE_MODE) && S_ISREG(known.mode)) {
        file_state_add(&e->file, &known, FILE_SIZE);
    }
    if (known.known & FILE_LINKS) {
        e->file.links = known.links;
        e->file.known |= FILE_LINKS;
    }
}

/* Did the caller write the path as the namespace has it? From another root it would lead elsewhere. */
static bool named_from_inside(const struct audit_facts *f, const struct event *e)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (!p->nested && p->name.len && p->name.data[0] == '/' && p->type != AUDIT_NAME_PARENT &&
            audit_written_path(BYTES_NULL, p->name, path, sizeof(path)) &&
            (bytes_equal_str(e->path, path) || bytes_equal_str(e->previous_path, path)))
            return true;
    }
    return false;
}

struct event *audit_change_event(const struct audit_object *o, const struct audit_facts *f,
                                 const struct audit_change *c, bool *ret_here)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    struct spot now, old;
    struct event *e;
    bool rename = c->operation == OPERATION_RENAME;

    find_spots(o, f, c, &now, &old);
    *ret_here = now.here || old.here;
    if (!*ret_here) {
        e = audit_way_event(o, f, c);
        *ret_here = e != NULL;
        if (e)
            e->actor.inside = o->wanted.ns_pid && named_from_inside(f, e);
        return e;
    }
    e = event_new();
    if (!e)
        return NULL;
    e->operation = c->operation;
    e->error = c->error;
    e->object = o->wanted.id;
    if (now.here && spot_path(o, &now, &path) == 0)
        event_set(e, &e->path, sbuf_bytes(&path));
    else if (rename)
        audit_written_outside(f, AUDIT_NAME_CREATE, e, &e->path);
    if (old.here && spot_path(o, &old, &path) == 0)
        event_set(e, &e->previous_path, sbuf_bytes(&path));
    else if (rename)
        audit_written_outside(f, AUDIT_NAME_DELETE, e, &e->previous_path);
    e->actor.inside = o->wanted.ns_pid && named_from_inside(f, e);
    describe(o, c, rename && old.here ? &old : &now, e);
    if (c->target.len && c->target_is_name) {
        char text[PATH_MAX];

        if (audit_written_path(f->cwd, c->target, text, sizeof(text)))
            event_set(e, &e->target_path, bytes_of(text));
    } else if (c->target.len) {
        event_set(e, &e->target_path, c->target);
    }
    if (c->note)
        e->note = bytes_of(c->note);
    else if (now.one_of_several)
        e->note = bytes_of("one of the file's names: not recorded is the one that the descriptor or link led by");
    return e;
}

bool audit_mentions(const struct audit_object *o, const struct audit_facts *f)
{
    for (unsigned i = 0; i < f->path_count; i++)
        if (is_state(o, &o->root, &f->paths[i]) || find_object(o, &f->paths[i]))
            return true;
    return false;
}

/* ---- the index ---- */

static void put(struct audit_object *o, const struct spot *at, const struct file_state *state)
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
                                     .mtime_ns = state->mtime_ns };

    if (!at->here || at->root || !at->name.len || at->name.len >= sizeof(name))
        return;
    memcpy(name, at->name.data, at->name.len);
    (void)tree_put_state(o->tree, at->directory, (struct bytes){ name, at->name.len }, &seen, &change);
}

/* A record's view of a new file in the index's terms. An overlay whose layers are on one file system
 * has their inode numbers; the device is that of the directory in any case. */
static struct file_state as_seen(const struct audit_object *o, const struct spot *at,
                                 const struct audit_path *p)
{
    struct file_state s = p->file, directory;

    tree_state(o->tree, at->directory, &directory);
    s.device = directory.device;
    return s;
}

static void apply_rename(struct audit_object *o, const struct audit_change *c,
                         const struct spot *now, const struct spot *old)
{
    struct tree_change change;

    if (old->here && old->entry && now->here && !now->root) {
        (void)tree_rename(o->tree, old->entry, now->directory, now->name, &change);
    } else if (old->here && old->entry) {
        tree_remove(o->tree, old->entry, &change);
    } else if (now->here && !now->root && identified(c->object)) {
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

static void apply_state(struct audit_object *o, const struct audit_change *c, const struct spot *now)
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

/* One name more: no record says how many there are, and a number of one name would be that of a new file. */
static void count_link(const struct audit_object *o, const struct audit_path *p, struct file_state *state)
{
    uint32_t object = find_object(o, p), names = 0;
    struct file_state known = { 0 };

    for (uint32_t n = object ? tree_first_name(o->tree, object) : 0; n; n = tree_next_name(o->tree, n))
        names++;
    if (object)
        tree_state(o->tree, object, &known);
    if ((known.known & FILE_LINKS) && known.links > names)
        names = known.links;
    state->known |= FILE_LINKS;
    state->links = MAX(names, 1u) + 1;
}

static void apply_one(struct audit_object *o, const struct audit_facts *f,
                      const struct audit_change *c)
{
    struct tree_change change;
    struct file_state state;
    struct spot now, old;

    if (c->error != 0)
        return;
    find_spots(o, f, c, &now, &old);
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
        if (!now.here || now.root || !identified(c->object))
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
    struct spot now[2], old[2];

    /* an exchange: after the first rename the index would no longer know the second */
    if (count == 2 && changes[0].operation == OPERATION_RENAME && o->tree &&
        changes[1].operation == OPERATION_RENAME && changes[0].error == 0) {
        for (int i = 0; i < 2; i++)
            find_spots(o, f, &changes[i], &now[i], &old[i]);
        if (old[0].entry && old[1].entry) {
            (void)tree_exchange(o->tree, old[0].entry, old[1].entry);
            return;
        }
    }
    for (unsigned i = 0; i < count; i++)
        apply_one(o, f, &changes[i]);
}
