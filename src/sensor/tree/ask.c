/* SPDX-License-Identifier: MIT */
/*
 * The index itself: records of objects and names, and tables that find them. Nothing here looks at a file
 * system; look.c and walk.c do.
 */
#include "sensor/tree/ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/tree/state.h"
#include "sensor/tree/statx.h"
#include "sensor/tree/storage.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/limits.h"

uint32_t tree_root(const struct tree *t)
{
    return t->root;
}

/* A number of an object, which an alias is not. */
static bool get_object(const struct tree *t, uint32_t object, struct record *ret)
{
    return records_get(&t->records, object, ret) && !ret->object;
}

static bool get_name(const struct tree *t, uint32_t name, struct record *ret)
{
    return records_get(&t->records, name, ret) && ret->parent;
}

uint32_t tree_find(const struct tree *t, uint64_t device, uint64_t inode)
{
    int d = tree_device_find(t, device);

    return d < 0 ? 0 : tree_find_identity(t, (uint16_t)d, inode);
}

uint32_t tree_child(const struct tree *t, uint32_t directory, struct bytes name)
{
    uint32_t hash, at, left, n;
    const struct slots *s;
    struct record r;

    if (!get_object(t, directory, &r) || !r.children)
        return 0;
    s = &t->children[r.children];
    hash = tree_hash_name(t, name);
    slots_start(s, hash, &at, &left);
    while ((n = slots_next(s, hash, &at, &left)))
        if (records_get(&t->records, n, &r) && bytes_equal(r.name, name))
            return n;
    return 0;
}

uint32_t tree_find_path(const struct tree *t, struct bytes path)
{
    uint32_t directory = t->root, n = 0;
    struct bytes part;

    while ((part = bytes_next_component(&path)).len) {
        n = tree_child(t, directory, part);
        if (!n)
            return 0;
        directory = tree_object_of(t, n);
    }
    return n;
}

uint32_t tree_object_of(const struct tree *t, uint32_t name)
{
    struct record r;

    if (!get_name(t, name, &r))
        return 0;
    return r.object ? r.object : name;
}

uint32_t tree_parent_of(const struct tree *t, uint32_t name)
{
    struct record r;

    return get_name(t, name, &r) ? r.parent : 0;
}

struct bytes tree_name(const struct tree *t, uint32_t name, char room[LIMIT_NAME + 1])
{
    struct record r;

    room[0] = '\0';
    if (!get_name(t, name, &r))
        return BYTES_NULL;
    memcpy(room, r.name.data, r.name.len);
    room[r.name.len] = '\0';
    return (struct bytes){ room, r.name.len };
}

uint32_t tree_first_name(const struct tree *t, uint32_t object)
{
    struct record r;

    if (!get_object(t, object, &r))
        return 0;
    return r.parent ? object : r.next_alias;
}

uint32_t tree_next_name(const struct tree *t, uint32_t name)
{
    struct record r;

    return get_name(t, name, &r) ? r.next_alias : 0;
}

uint32_t tree_first_child(const struct tree *t, uint32_t directory)
{
    struct record r;

    return get_object(t, directory, &r) && r.children ? slots_first(&t->children[r.children]) : 0;
}

uint32_t tree_next_child(const struct tree *t, uint32_t name)
{
    struct record r, above;

    if (!get_name(t, name, &r) || !get_object(t, r.parent, &above) || !above.children)
        return 0;
    return slots_after(&t->children[above.children], tree_hash_name(t, r.name), name);
}

uint32_t tree_next(const struct tree *t, uint32_t name)
{
    struct record r;

    do
        name = records_next(&t->records, name);
    while (name && !get_name(t, name, &r));
    return name;
}

bool tree_is_directory(const struct tree *t, uint32_t object)
{
    struct record r;

    return records_get(&t->records, object, &r) && r.directory;
}

void tree_state(const struct tree *t, uint32_t object, struct file_state *ret)
{
    const struct object_attributes *l;
    struct record r;

    *ret = (struct file_state){ 0 };
    if (!get_object(t, object, &r))
        return;
    l = &t->attributes[r.attributes];
    *ret = (struct file_state){
        .known = FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE | FILE_INODE | FILE_DEVICE |
                 FILE_MTIME | FILE_CTIME | (l->known_flags ? FILE_FLAGS : 0) |
                 (l->links != LINKS_MANY ? FILE_LINKS : 0),
        .mode = l->mode,
        .uid = l->uid,
        .gid = l->gid,
        .flags = l->flags,
        .links = l->links,
        .size = r.size,
        .inode = r.inode,
        .device = t->devices[l->device],
        .mtime_ns = r.mtime_ns,
        .ctime_ns = r.ctime_ns,
    };
    if (r.size == SIZE_UNKNOWN) {
        ret->known &= ~(FILE_SIZE | FILE_MTIME | FILE_CTIME);
        ret->size = 0;
    }
}

bool tree_is_that(const struct tree *t, uint32_t object, const struct file_state *seen)
{
    struct record r;

    return get_object(t, object, &r) && r.inode == seen->inode && t->devices[t->attributes[r.attributes].device] == seen->device &&
           !tree_born_differs(r.born, seen);
}

struct bytes tree_xattrs(const struct tree *t, uint32_t object)
{
    const struct object_attributes *l;
    struct record r;

    if (!get_object(t, object, &r))
        return BYTES_NULL;
    l = &t->attributes[r.attributes];
    return (struct bytes){ l->xattrs, l->xattr_len };
}

static void reverse(char *p, size_t len)
{
    for (size_t i = 0; i < len / 2; i++) {
        char c = p[i];

        p[i] = p[len - 1 - i];
        p[len - 1 - i] = c;
    }
}

/* Written backwards from the leaf, each name reversed, and turned round as a whole at the end. */
static int write_path(const struct tree *t, uint32_t name, uint32_t directory, struct sbuf *out)
{
    size_t start = out->len;
    struct record r;

    for (;;) {
        size_t at = out->len;

        if (name && get_name(t, name, &r)) {
            if (at > start)
                sbuf_add_char(out, '/');
            at = out->len;
            sbuf_add_bytes(out, r.name);
            if (sbuf_error(out))
                return -ENOMEM;
            reverse(out->data + at, out->len - at);
            if (out->len - start > LIMIT_PATH) {
                sbuf_truncate(out, start);
                return -ENAMETOOLONG; /* also what a circle of bind mounts comes to */
            }
            directory = r.parent;
        }
        if (directory == t->root)
            break;
        name = tree_first_name(t, directory);
        if (!name) {
            sbuf_truncate(out, start);
            return -ENOENT;
        }
    }
    if (out->len > start)
        reverse(out->data + start, out->len - start);
    return 0;
}

int tree_directory_path(const struct tree *t, uint32_t directory, struct sbuf *out)
{
    struct record r;

    return get_object(t, directory, &r) ? write_path(t, 0, directory, out) : -ENOENT;
}

uint64_t tree_objects(const struct tree *t)
{
    return t->used_objects;
}

void tree_count(const struct tree *t, struct tree_counts *ret)
{
    *ret = (struct tree_counts){
        .objects = t->used_objects,
        .directories = t->used_directories,
        .names = t->used_names,
        .unreadable = t->unreadable,
        .memory = sizeof(*t) + t->records.memory + t->by_identity.size * sizeof(uint32_t) + t->children_memory +
                  t->children_count * sizeof(*t->children) + t->attributes_count * sizeof(*t->attributes) +
                  t->by_attributes.size * sizeof(uint32_t) + t->xattr_memory,
    };
}

void tree_log(const struct tree *t, const struct log *log, const char *who, struct bytes path)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    struct tree_counts c;

    if (!t || !log || log->level > LOG_LEVEL_DEBUG)
        return;
    tree_count(t, &c);
    escape_terminal(&shown, path);
    log_debug(log, "%s: index of %s: %" PRIu64 " directories, %" PRIu64 " names of %" PRIu64 " files, %" PRIu64 " kB; "
                   "%" PRIu64 " could not be read",
              who, sbuf_str(&shown), c.directories, c.names, c.objects, c.memory / 1024, c.unreadable);
}
