/* SPDX-License-Identifier: MIT */
#include "sensor/audit/spot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "sensor/audit/way.h"
#include "sensor/audit/way_change.h"
#include "sensor/audit/written.h"
#include "util/clock.h"

bool audit_path_is_identified(const struct audit_path *p)
{
    return p && (p->file.known & FILE_INODE) && (p->file.known & FILE_DEVICE);
}

bool audit_path_is_state(const struct audit_object *o, const struct file_state *s,
                     const struct audit_path *p)
{
    return audit_path_is_identified(p) && (s->known & FILE_INODE) && s->inode == p->file.inode &&
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

uint32_t audit_path_object(const struct audit_object *o, const struct audit_path *p)
{
    uint32_t object = o->tree && audit_path_is_identified(p) ? tree_find(o->tree, audit_object_device(o, p->file.device), p->file.inode) : 0;

    return object && is_of_type(o, object, p) ? object : 0;
}

/* ---- places ---- */

/* A path is written alike in every container: this one's is on the file system of this object, of the directory that holds
 * it, or on one that is mounted below it. */
static bool is_ours(const struct audit_object *o, struct bytes path, const struct audit_path *p)
{
    uint64_t raw = p ? p->file.device : 0, device = audit_object_device(o, raw);

    return !audit_path_is_identified(p) || !o->super_device || raw == o->super_device ||
           ((o->root.known & FILE_DEVICE) && device == o->root.device) ||
           ((o->parent_state.known & FILE_DEVICE) && device == o->parent_state.device) ||
           audit_mounts_cover(&o->mounts, path, raw);
}

static bool spot_in(const struct audit_object *o, const struct audit_path *parent,
                    struct bytes name, struct audit_spot *ret)
{
    uint32_t directory = audit_path_object(o, parent);

    if (!name.len)
        return false;
    if (directory && tree_is_directory(o->tree, directory)) {
        *ret = (struct audit_spot){ .here = true, .directory = directory, .name = name };
        ret->entry = tree_child(o->tree, directory, name);
        return true;
    }
    if (o->base.len && bytes_equal(name, o->base) && (audit_path_is_state(o, &o->parent_state, parent) || audit_way_is_parent(o, parent))) {
        *ret = (struct audit_spot){ .here = true, .root = true };
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
    struct audit_spot spot;

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
        if (p->nested && p->type == AUDIT_NAME_CREATE && p->file.inode == directory->file.inode && audit_path_object(o, p - 1))
            return !audit_path_object(o, directory);
    return false;
}

/* Where an overlay did in the end what was asked for: it copies directories up first. NULL: not in this object, or in a
 * directory that is not known yet. */
static const struct audit_path *last_nested_parent(const struct audit_object *o, const struct audit_facts *f,
                                                   struct bytes name)
{
    const struct audit_path *last = NULL;
    struct audit_spot spot;

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
                         const struct audit_path *object, struct audit_spot *ret)
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
    if (!audit_path_is_identified(object) || state.inode != object->file.inode || !is_ours(o, text, object))
        return false;
    *ret = (struct audit_spot){ .here = true,
                          .directory = tree_parent_of(o->tree, entry),
                          .entry = entry };
    ret->name = tree_name(o->tree, entry, ret->room);
    return true;
}

/* What is watched is not there (any more): the text is all there is, and the file system of the directory that holds it.
 * (That of the name itself may be an overlay's layer: the kernel writes down what it did last.) */
static bool spot_without_index(const struct audit_object *o, const struct audit_facts *f,
                               enum audit_nametype type, const struct audit_path *parent, struct audit_spot *ret)
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
static bool spot_by_former_name(const struct audit_object *o, const struct audit_facts *f, struct bytes name, struct audit_spot *ret)
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
    *ret = (struct audit_spot){ .here = true };
    memcpy(ret->text, path, text.len + 1);
    return true;
}

/* A file that was named by its identity only: which of its names was meant, as far as it has several. */
static bool spot_of_object(const struct audit_object *o, const struct audit_facts *f,
                           const struct audit_change *c, struct audit_spot *ret)
{
    struct bytes base = bytes_basename(c->name);
    uint32_t object = audit_path_object(o, c->object), entry, first;
    bool several;

    if (audit_path_is_state(o, &o->root, c->object)) {
        if (!bytes_equal(base, o->base) && audit_object_younger(o, 0, f->time_ms * NS_PER_MS))
            return false;
        *ret = (struct audit_spot){ .here = true, .root = true };
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
    *ret = (struct audit_spot){ .here = true, .directory = tree_parent_of(o->tree, entry), .entry = entry };
    ret->name = tree_name(o->tree, entry, ret->room);
    ret->one_of_several = several || (!bytes_equal(ret->name, base) &&
                                      (tree_next_name(o->tree, first) || f->time_ms * NS_PER_MS <= o->listed_ns));
    return true;
}

/* Which of two directories the old name was in: the one where the index has it. */
static void settle_parents(const struct audit_object *o, const struct audit_change *c,
                           const struct audit_path **from, const struct audit_path **to)
{
    struct audit_spot spot;

    if (!c->parents_unsure)
        return;
    if (c->previous_name.len && spot_in(o, *to, c->previous_name, &spot) && spot.entry &&
        !(spot_in(o, *from, c->previous_name, &spot) && spot.entry))
        *from = *to, *to = c->previous_parent;
}

/* Without touching what may not answer: on the way, or where a link at its end leads. What is mounted at its end is not touched. */
static bool real_path(const char *path, char real[PATH_MAX])
{
    char target[1];

    if (!foreign_way_answers(bytes_dirname(bytes_of(path))) ||
        (readlink(path, target, sizeof(target)) > 0 && !foreign_way_answers(bytes_of(path))))
        return false;
    return realpath(path, real) != NULL;
}

/* What was mounted there distinguishes namespaces; the text may lead through links. */
static bool was_mounted(const struct audit_object *o, const char *path, const struct audit_path *p)
{
    uint64_t device = audit_path_is_identified(p) ? p->file.device : 0;
    char real[PATH_MAX];

    return audit_mounts_at(&o->mounts, bytes_of(path), device) ||
           (!o->wanted.ns_pid && real_path(path, real) && audit_mounts_at(&o->mounts, bytes_of(real), device));
}

/* A mount point is a path, not a file: what is mounted on the same directory by another path does not
 * touch this one. */
static bool spot_of_mount(const struct audit_object *o, const struct audit_facts *f,
                          const struct audit_change *c, struct audit_spot *ret)
{
    char path[PATH_MAX], real[PATH_MAX];

    if (!c->object || !audit_written_path(f->cwd, c->object->name, path, sizeof(path)))
        return false;
    if (!bytes_path_covers(o->wanted.path, bytes_of(path))) {
        if (o->wanted.ns_pid || !real_path(path, real) ||
            !bytes_path_covers(o->wanted.path, bytes_of(real)))
            return false;
        memcpy(path, real, sizeof(path));
    }
    if (c->operation == OPERATION_MOUNT ? !is_ours(o, bytes_of(path), c->object)
                                        : !was_mounted(o, path, c->object))
        return false;
    *ret = (struct audit_spot){ .here = true, .root = strlen(path) == o->wanted.path.len };
    memcpy(ret->text, path, sizeof(path));
    return true;
}

void audit_spots_find(const struct audit_object *o, const struct audit_facts *f,
                       const struct audit_change *c, struct audit_spot *now, struct audit_spot *old)
{
    const struct audit_path *to = c->parent, *from = c->previous_parent;
    struct bytes name = c->name.len ? c->name : c->previous_name;

    *now = *old = (struct audit_spot){ 0 };
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
        struct audit_spot other;

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

int audit_spot_path(const struct audit_object *o, const struct audit_spot *s, struct sbuf *out)
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
