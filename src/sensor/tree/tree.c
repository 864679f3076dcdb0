/* SPDX-License-Identifier: MIT */
/*
 * The index itself: arrays of objects and names, two hash tables, a pool of texts. Nothing here
 * looks at a file system; walk.c does.
 */
#include "sensor/tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "foreign/mounts.h"
#include "sensor/tree/internal.h"
#include "util/limits.h"
#include "util/macro.h"

#define DEVICES_MAX 65535u
#define LINKS_MANY UINT16_MAX

/* ---- life ---- */

int tree_new(const struct tree_options *options, struct tree **ret, struct err *err)
{
    struct tree *t = calloc(1, sizeof(*t));

    if (t)
        t->looks_buckets = calloc(LOOKS_BUCKETS, sizeof(*t->looks_buckets));
    if (!t || !t->looks_buckets) {
        free(t);
        return err_set(err, -ENOMEM, "index of the tree");
    }
    t->options = *options;
    t->root_fd = -EBADF;
    if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
        t->seed = (uint64_t)(uintptr_t)t * 0x9e3779b97f4a7c15ull; /* ASLR is better than nothing */
    *ret = t;
    return 0;
}

/* Everything but the options goes. */
void tree_clear(struct tree *t)
{
    if (t->options.forget)
        for (uint32_t o = 1; o < t->object_count; o++)
            if (tree_is_directory(t, o))
                t->options.forget(t->options.data, o);
    for (uint32_t l = 1; l < t->looks_count; l++)
        free(t->looks[l].xattrs);
    free(t->objects);
    free(t->names);
    free(t->looks);
    free(t->text);
    free(t->by_identity.slots);
    free(t->by_name.slots);
    free(t->devices);
    memset(t->looks_buckets, 0, LOOKS_BUCKETS * sizeof(*t->looks_buckets));
    *t = (struct tree){ .options = t->options,
                        .seed = t->seed,
                        .looks_buckets = t->looks_buckets,
                        .mounts = t->mounts,
                        .frames = t->frames,
                        .frame_size = t->frame_size,
                        .root_fd = -EBADF };
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    tree_walk_done(t);
    tree_clear(t);
    free(t->frames);
    free(t->looks_buckets);
    foreign_mounts_free(t->mounts);
    free(t);
}

/* ---- asking ---- */

uint32_t tree_root(const struct tree *t)
{
    return t->root;
}

static int device_find(const struct tree *t, uint64_t device)
{
    for (uint32_t i = 0; i < t->device_count; i++)
        if (t->devices[i] == device)
            return (int)i;
    return -ENOENT;
}

static uint32_t find(const struct tree *t, uint16_t device, uint64_t inode)
{
    const struct table *table = &t->by_identity;
    uint32_t i;

    if (!table->size)
        return 0;
    for (i = tree_table_home(table, tree_hash_identity(t, device, inode)); table->slots[i];
         i = i + 1 == table->size ? 0 : i + 1) {
        const struct object *o = &t->objects[table->slots[i]];

        if (o->inode == inode && o->device == device)
            return table->slots[i];
    }
    return 0;
}

uint32_t tree_find(const struct tree *t, uint64_t device, uint64_t inode)
{
    int d = device_find(t, device);

    return d < 0 ? 0 : find(t, (uint16_t)d, inode);
}

uint32_t tree_child(const struct tree *t, uint32_t directory, struct bytes name)
{
    const struct table *table = &t->by_name;
    uint32_t i;

    if (!table->size || !directory)
        return 0;
    for (i = tree_table_home(table, tree_hash_name(t, directory, name)); table->slots[i];
         i = i + 1 == table->size ? 0 : i + 1) {
        const struct name *n = &t->names[table->slots[i]];

        if (n->parent == directory && bytes_equal(tree_text(t, n->text), name))
            return table->slots[i];
    }
    return 0;
}

uint32_t tree_find_path(const struct tree *t, struct bytes path)
{
    uint32_t directory = t->root, n = 0;
    size_t i = 0;

    while (i < path.len) {
        struct bytes part = { path.data + i, 0 };

        while (i < path.len && path.data[i] != '/')
            i++, part.len++;
        while (i < path.len && path.data[i] == '/')
            i++;
        if (!part.len)
            continue;
        n = tree_child(t, directory, part);
        if (!n)
            return 0;
        directory = t->names[n].object;
    }
    return n;
}

uint32_t tree_object_of(const struct tree *t, uint32_t name)
{
    return name && name < t->name_count ? t->names[name].object : 0;
}

uint32_t tree_parent_of(const struct tree *t, uint32_t name)
{
    return tree_object_of(t, name) ? t->names[name].parent : 0;
}

struct bytes tree_name(const struct tree *t, uint32_t name)
{
    return tree_object_of(t, name) ? tree_text(t, t->names[name].text) : BYTES_NULL;
}

static bool in_use(const struct tree *t, uint32_t object)
{
    return object && object < t->object_count && t->objects[object].looks;
}

uint32_t tree_first_name(const struct tree *t, uint32_t object)
{
    return in_use(t, object) ? t->objects[object].first_name : 0;
}

uint32_t tree_next_name(const struct tree *t, uint32_t name)
{
    return tree_object_of(t, name) ? t->names[name].link : 0;
}

uint32_t tree_first_child(const struct tree *t, uint32_t directory)
{
    return in_use(t, directory) ? t->objects[directory].first_child : 0;
}

uint32_t tree_next_child(const struct tree *t, uint32_t name)
{
    return tree_object_of(t, name) ? t->names[name].next : 0;
}

bool tree_is_directory(const struct tree *t, uint32_t object)
{
    return in_use(t, object) && S_ISDIR(t->looks[t->objects[object].looks].mode);
}

void tree_state(const struct tree *t, uint32_t object, struct file_state *ret)
{
    const struct object *o = &t->objects[object];
    const struct looks *l;

    *ret = (struct file_state){ 0 };
    if (!in_use(t, object))
        return;
    l = &t->looks[o->looks];
    *ret = (struct file_state){
        .known = FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE | FILE_INODE | FILE_DEVICE |
                 FILE_MTIME | FILE_CTIME | (l->known_flags ? FILE_FLAGS : 0) |
                 (o->links != LINKS_MANY ? FILE_LINKS : 0),
        .mode = l->mode,
        .uid = l->uid,
        .gid = l->gid,
        .flags = l->flags,
        .links = o->links,
        .size = o->size,
        .inode = o->inode,
        .device = t->devices[o->device],
        .mtime_ns = o->mtime_ns,
        .ctime_ns = o->ctime_ns,
    };
    if (o->size == SIZE_UNKNOWN) {
        ret->known &= ~(FILE_SIZE | FILE_MTIME | FILE_CTIME);
        ret->size = 0;
    }
}

void tree_forget_contents(struct tree *t, uint32_t object)
{
    if (in_use(t, object))
        t->objects[object].size = SIZE_UNKNOWN;
}

struct bytes tree_xattrs(const struct tree *t, uint32_t object)
{
    const struct looks *l;

    if (!in_use(t, object))
        return BYTES_NULL;
    l = &t->looks[t->objects[object].looks];
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

    for (;;) {
        size_t at = out->len;

        if (name) {
            if (at > start)
                sbuf_add_char(out, '/');
            at = out->len;
            sbuf_add_bytes(out, tree_text(t, t->names[name].text));
            if (sbuf_error(out))
                return -ENOMEM;
            reverse(out->data + at, out->len - at);
            if (out->len - start > LIMIT_PATH) {
                sbuf_truncate(out, start);
                return -ENAMETOOLONG; /* also what a circle of bind mounts comes to */
            }
            directory = t->names[name].parent;
        }
        if (directory == t->root)
            break;
        name = t->objects[directory].first_name;
        if (!name) {
            sbuf_truncate(out, start);
            return -ENOENT;
        }
    }
    if (out->len > start)
        reverse(out->data + start, out->len - start);
    return 0;
}

int tree_name_path(const struct tree *t, uint32_t name, struct sbuf *out)
{
    return tree_object_of(t, name) ? write_path(t, name, 0, out) : -ENOENT;
}

int tree_directory_path(const struct tree *t, uint32_t directory, struct sbuf *out)
{
    return in_use(t, directory) ? write_path(t, 0, directory, out) : -ENOENT;
}

uint64_t tree_objects(const struct tree *t)
{
    return t->used_objects;
}

uint64_t tree_directories(const struct tree *t)
{
    return t->used_directories;
}

uint64_t tree_names(const struct tree *t)
{
    return t->used_names;
}

size_t tree_memory(const struct tree *t)
{
    return sizeof(*t) + t->object_count * sizeof(*t->objects) + t->name_count * sizeof(*t->names) +
           t->looks_count * sizeof(*t->looks) + LOOKS_BUCKETS * sizeof(*t->looks_buckets) +
           (size_t)t->text_count * TEXT_UNIT + t->xattr_memory +
           ((size_t)t->by_identity.size + t->by_name.size) * sizeof(uint32_t);
}

/* ---- changing ---- */

static int device_number(struct tree *t, uint64_t device)
{
    int i = device_find(t, device);
    uint64_t *devices;

    if (i >= 0)
        return i;
    if (t->device_count == DEVICES_MAX)
        return -E2BIG;
    devices = reallocarray(t->devices, t->device_count + 1, sizeof(*devices));
    if (!devices)
        return -ENOMEM;
    t->devices = devices;
    devices[t->device_count] = device;
    return (int)t->device_count++;
}

int tree_set_seen(struct tree *t, uint32_t object, const struct seen *seen)
{
    const struct file_state *s = &seen->state;
    struct looks looks = { .mode = s->mode,
                           .uid = s->uid,
                           .gid = s->gid,
                           .flags = s->known & FILE_FLAGS ? s->flags : 0,
                           .known_flags = s->known & FILE_FLAGS ? 1 : 0,
                           .xattrs = (char *)(uintptr_t)seen->xattrs,
                           .xattr_len = (uint32_t)seen->xattr_len };
    uint32_t l = tree_looks_get(t, &looks);
    struct object *o = &t->objects[object];

    if (!l)
        return -ENOMEM;
    tree_looks_put(t, o->looks);
    o->looks = l;
    o->size = s->size;
    o->mtime_ns = s->mtime_ns;
    o->ctime_ns = s->ctime_ns;
    o->links = s->links < LINKS_MANY ? (uint16_t)s->links : LINKS_MANY;
    return 0;
}

static uint32_t name_count(const struct tree *t, uint32_t object)
{
    uint32_t count = 0;

    for (uint32_t n = t->objects[object].first_name; n; n = t->names[n].link)
        count++;
    return count;
}

uint32_t tree_object_put(struct tree *t, const struct seen *seen, bool another_name)
{
    int device = device_number(t, seen->state.device);
    uint32_t o;

    if (device < 0)
        return 0;
    o = find(t, (uint16_t)device, seen->state.inode);
    if (o) {
        uint32_t was = t->looks[t->objects[o].looks].mode & S_IFMT;
        bool type_differs = was != (seen->state.mode & S_IFMT);
        bool too_many = another_name && !S_ISDIR(was) &&
                        name_count(t, o) + 1 > MAX(seen->state.links, 1u);

        if (!type_differs && !too_many)
            return tree_set_seen(t, o, seen) < 0 ? 0 : o;
        /* The number was given to a new file, and the news of the old one's end is still on its way.
         * The old one stays as a ghost: its name still tells how it was, its identity does not. */
        tree_table_remove(t, &t->by_identity, tree_hash_of_object, o);
    }
    if (tree_table_reserve(t, &t->by_identity, tree_hash_of_object) < 0)
        return 0;
    o = tree_object_new(t);
    if (!o)
        return 0;
    t->objects[o].inode = seen->state.inode;
    t->objects[o].device = (uint16_t)device;
    if (tree_set_seen(t, o, seen) < 0) {
        t->objects[o].inode = t->object_free;
        t->object_free = o;
        return 0;
    }
    tree_table_insert(&t->by_identity, tree_hash_of_object(t, o), o);
    t->used_objects++;
    if (S_ISDIR(seen->state.mode))
        t->used_directories++;
    return o;
}

static void object_free(struct tree *t, uint32_t o)
{
    if (tree_is_directory(t, o)) {
        if (t->options.forget)
            t->options.forget(t->options.data, o);
        t->used_directories--;
    }
    tree_table_remove(t, &t->by_identity, tree_hash_of_object, o);
    tree_looks_put(t, t->objects[o].looks);
    t->objects[o] = (struct object){ .inode = t->object_free };
    t->object_free = o;
    t->used_objects--;
}

static void link_child(struct tree *t, uint32_t n, uint32_t directory)
{
    struct name *name = &t->names[n];
    uint32_t first = t->objects[directory].first_child;

    name->parent = directory;
    name->previous = 0;
    name->next = first;
    if (first)
        t->names[first].previous = n;
    t->objects[directory].first_child = n;
}

static void unlink_child(struct tree *t, uint32_t n)
{
    struct name *name = &t->names[n];

    if (name->previous)
        t->names[name->previous].next = name->next;
    else
        t->objects[name->parent].first_child = name->next;
    if (name->next)
        t->names[name->next].previous = name->previous;
}

/* The oldest name stays the first: a directory's path does not change because it got an alias. */
static void link_object(struct tree *t, uint32_t n, uint32_t object)
{
    uint32_t first = t->objects[object].first_name;

    t->names[n].object = object;
    if (first) {
        t->names[n].link = t->names[first].link;
        t->names[first].link = n;
    } else {
        t->names[n].link = 0;
        t->objects[object].first_name = n;
    }
}

static void unlink_object(struct tree *t, uint32_t n)
{
    uint32_t *at = &t->objects[t->names[n].object].first_name;

    while (*at != n)
        at = &t->names[*at].link;
    *at = t->names[n].link;
}

/* One name goes; its object too if that was the last one. Its children must be gone by then. */
static void drop_name(struct tree *t, uint32_t n)
{
    uint32_t object = t->names[n].object;

    tree_table_remove(t, &t->by_name, tree_hash_of_name, n);
    unlink_child(t, n);
    unlink_object(t, n);
    tree_text_drop(t, t->names[n].text);
    t->names[n] = (struct name){ .parent = t->name_free };
    t->name_free = n;
    t->used_names--;
    if (!t->objects[object].first_name && object != t->root)
        object_free(t, object);
    else if (t->objects[object].links > 1 && t->objects[object].links != LINKS_MANY &&
             !tree_is_directory(t, object))
        t->objects[object].links--;
}

static bool goes_with_name(const struct tree *t, uint32_t n)
{
    uint32_t o = t->names[n].object;

    return o != t->root && t->objects[o].first_name == n && !t->names[n].link;
}

/* A loop, not recursion: depth is chosen by others. */
static void drop_below(struct tree *t, uint32_t top)
{
    uint32_t directory = top;

    for (;;) {
        uint32_t n = t->objects[directory].first_child;

        if (n) {
            uint32_t child = t->names[n].object;

            if (goes_with_name(t, n) && t->objects[child].first_child)
                directory = child;
            else
                drop_name(t, n);
            continue;
        }
        if (directory == top)
            return;
        n = t->objects[directory].first_name;
        directory = t->names[n].parent;
        drop_name(t, n);
    }
}

static void remove_name(struct tree *t, uint32_t n)
{
    if (goes_with_name(t, n))
        drop_below(t, t->names[n].object);
    drop_name(t, n);
}

static uint32_t add_name(struct tree *t, uint32_t directory, struct bytes text, uint32_t object)
{
    uint32_t n;

    if (tree_table_reserve(t, &t->by_name, tree_hash_of_name) < 0)
        return 0;
    n = tree_name_new(t);
    if (!n)
        return 0;
    t->names[n].text = tree_text_new(t, text);
    if (!t->names[n].text) {
        t->names[n].parent = t->name_free;
        t->name_free = n;
        return 0;
    }
    link_child(t, n, directory);
    link_object(t, n, object);
    tree_table_insert(&t->by_name, tree_hash_of_name(t, n), n);
    t->used_names++;
    return n;
}

/* Which attribute differs: the first that is new, gone or has another digest. */
void tree_compare_xattrs(struct bytes before, struct bytes after, struct tree_change *ret)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        struct bytes a = pass ? before : after, b = pass ? after : before;

        for (size_t i = 0; i + 5 <= a.len; i += (size_t)(unsigned char)a.data[i] + 5) {
            size_t len = (unsigned char)a.data[i], j;
            bool same = false;

            for (j = 0; j + 5 <= b.len && !same; j += (size_t)(unsigned char)b.data[j] + 5)
                same = (unsigned char)b.data[j] == len &&
                       memcmp(b.data + j + 1, a.data + i + 1, len + (pass ? 0 : 4)) == 0;
            if (same)
                continue;
            ret->xattr_changed = true;
            ret->xattr_removed = pass == 1;
            memcpy(ret->xattr, a.data + i + 1, len);
            ret->xattr[len] = '\0';
            return;
        }
    }
}

int tree_put_seen(struct tree *t, uint32_t directory, struct bytes text, const struct seen *seen,
                  struct tree_change *ret)
{
    uint32_t n = tree_child(t, directory, text), object;
    struct tree_change c = { 0 };

    if (!tree_is_directory(t, directory) || text.len == 0 || text.len > 255)
        return -EINVAL;
    if (n) {
        object = t->names[n].object;
        tree_state(t, object, &c.before);
        c.same_object = c.before.inode == seen->state.inode &&
                        c.before.device == seen->state.device &&
                        (c.before.mode & S_IFMT) == (seen->state.mode & S_IFMT);
        if (c.same_object) {
            if (t->options.xattrs)
                tree_compare_xattrs(tree_xattrs(t, object),
                                    (struct bytes){ seen->xattrs, seen->xattr_len }, &c);
            if (tree_set_seen(t, object, seen) < 0)
                return -ENOMEM;
            c.name = n;
            c.object = object;
            c.after = seen->state;
            *ret = c;
            return 0;
        }
        c.replaced_gone = goes_with_name(t, n);
        remove_name(t, n);
        /* a directory put over itself by a circle of mounts could have taken its parent along */
        if (!tree_is_directory(t, directory))
            return -ESTALE;
    }
    object = tree_object_put(t, seen, true);
    n = object ? add_name(t, directory, text, object) : 0;
    if (!n) {
        if (object && !t->objects[object].first_name && object != t->root)
            object_free(t, object);
        return -ENOMEM;
    }
    c.name = n;
    c.object = object;
    c.after = seen->state;
    *ret = c;
    return 0;
}

int tree_put(struct tree *t, uint32_t directory, struct bytes name, const struct statx *stx,
             struct tree_change *ret)
{
    struct seen seen = { 0 };

    tree_state_of_statx(stx, &seen.state);
    return tree_put_seen(t, directory, name, &seen, ret);
}

void tree_remove(struct tree *t, uint32_t name, struct tree_change *ret)
{
    *ret = (struct tree_change){ 0 };
    if (!tree_object_of(t, name))
        return;
    tree_state(t, t->names[name].object, &ret->before);
    ret->replaced_gone = goes_with_name(t, name);
    remove_name(t, name);
}

static bool is_below(const struct tree *t, uint32_t directory, uint32_t above)
{
    for (uint32_t steps = 0; steps < t->object_count; steps++) {
        uint32_t n;

        if (directory == above)
            return true;
        if (directory == t->root)
            return false;
        n = t->objects[directory].first_name;
        if (!n)
            return false;
        directory = t->names[n].parent;
    }
    return true;
}

int tree_rename(struct tree *t, uint32_t name, uint32_t directory, struct bytes new_name,
                struct tree_change *ret)
{
    uint32_t object = tree_object_of(t, name), there, text;
    struct tree_change c = { 0 };

    if (!object || !tree_is_directory(t, directory) || !new_name.len || new_name.len > 255)
        return -EINVAL;
    if (tree_is_directory(t, object) && is_below(t, directory, object))
        return -EINVAL;
    there = tree_child(t, directory, new_name);
    if (there == name) {
        tree_state(t, object, &c.after);
        c.name = name;
        c.object = object;
        c.same_object = true;
        *ret = c;
        return 0;
    }
    if (there) {
        const struct object *a = &t->objects[object], *b = &t->objects[t->names[there].object];

        if (a->inode == b->inode && a->device == b->device) {
            /* looked at since it moved: the new name is known already, only the old one goes */
            if (t->objects[object].links > 1)
                t->objects[object].links++; /* drop_name() takes one away; a rename does not */
            c.name = there;
            c.object = t->names[there].object;
            c.same_object = true;
            tree_state(t, c.object, &c.after);
            remove_name(t, name);
            *ret = c;
            return 0;
        }
        tree_state(t, t->names[there].object, &c.before);
        c.replaced_gone = goes_with_name(t, there);
        remove_name(t, there);
        if (tree_object_of(t, name) != object || !tree_is_directory(t, directory))
            return -ESTALE; /* it lay below what was replaced: not what a kernel does */
    }
    text = tree_text_new(t, new_name);
    if (!text)
        return -ENOMEM;
    tree_table_remove(t, &t->by_name, tree_hash_of_name, name);
    unlink_child(t, name);
    tree_text_drop(t, t->names[name].text);
    t->names[name].text = text;
    link_child(t, name, directory);
    tree_table_insert(&t->by_name, tree_hash_of_name(t, name), name);
    c.name = name;
    c.object = object;
    tree_state(t, object, &c.after);
    *ret = c;
    return 0;
}

int tree_exchange(struct tree *t, uint32_t a, uint32_t b)
{
    uint32_t object_a = tree_object_of(t, a), object_b = tree_object_of(t, b);

    if (!object_a || !object_b)
        return -EINVAL;
    if (object_a == object_b)
        return 0;
    unlink_object(t, a);
    unlink_object(t, b);
    link_object(t, a, object_b);
    link_object(t, b, object_a);
    return 0;
}
