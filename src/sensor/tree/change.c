/* SPDX-License-Identifier: MIT */
/* Changing the index: what is seen is put, names go, move and change places. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/tree/ask.h"
#include "sensor/tree/change.h"
#include "sensor/tree/state.h"
#include "sensor/tree/statx.h"
#include "sensor/tree/storage.h"
#include "util/limits.h"
#include "util/macro.h"

/* ---- states ---- */

static uint32_t attributes_of(struct tree *t, const struct tree_seen *seen, uint16_t device)
{
    const struct file_state *s = &seen->state;

    return tree_attributes_get(t, &(struct object_attributes){ .mode = s->mode,
                                              .uid = s->uid,
                                              .gid = s->gid,
                                              .flags = s->known & FILE_FLAGS ? s->flags : 0,
                                              .known_flags = s->known & FILE_FLAGS,
                                              .device = device,
                                              .links = s->links < LINKS_MANY ? (uint16_t)s->links : LINKS_MANY,
                                              .xattrs = (char *)(uintptr_t)seen->xattrs,
                                              .xattr_len = (uint32_t)seen->xattr_len });
}

int tree_set_seen(struct tree *t, uint32_t object, const struct tree_seen *seen)
{
    const struct file_state *s = &seen->state;
    struct record r;
    uint32_t was;
    bool was_directory;

    if (!records_get(&t->records, object, &r))
        return -ENOENT;
    was = r.attributes;
    was_directory = r.directory;
    r.attributes = attributes_of(t, seen, t->attributes[was].device);
    if (!r.attributes)
        return -ENOMEM;
    r.size = s->size;
    r.mtime_ns = s->mtime_ns;
    r.ctime_ns = s->ctime_ns;
    r.born = tree_born(s);
    r.directory = r.children || S_ISDIR(s->mode);
    if (records_set(&t->records, object, &r) < 0) {
        tree_attributes_put(t, r.attributes);
        return -ENOMEM;
    }
    tree_attributes_put(t, was);
    if (r.directory != was_directory)
        t->used_directories += r.directory ? 1 : -1ull;
    return 0;
}

void tree_forget_contents(struct tree *t, uint32_t object)
{
    struct record r;

    if (!records_get(&t->records, object, &r) || r.object)
        return;
    r.size = SIZE_UNKNOWN;
    (void)records_set(&t->records, object, &r);
}

/* One name less: what is there has one link less, if nobody looks. */
static void one_link_less(struct tree *t, uint32_t object)
{
    struct object_attributes attributes;
    struct record r;
    uint32_t l, old;

    if (!records_get(&t->records, object, &r) || r.directory)
        return;
    attributes = t->attributes[r.attributes];
    if (attributes.links <= 1 || attributes.links == LINKS_MANY)
        return;
    attributes.links--;
    l = tree_attributes_get(t, &attributes);
    if (!l)
        return; /* no memory: it is known too high until it is looked at */
    old = r.attributes;
    r.attributes = l;
    tree_attributes_put(t, records_set(&t->records, object, &r) < 0 ? l : old);
}

/* ---- objects ---- */

/* As it was seen, with that name (of a root: none) in that directory. 0: out of memory. */
static uint32_t object_new(struct tree *t, const struct tree_seen *seen, uint32_t directory, struct bytes name)
{
    int device = tree_device_number(t, seen->state.device);
    struct record r = { .parent = directory,
                        .directory = S_ISDIR(seen->state.mode),
                        .inode = seen->state.inode,
                        .size = seen->state.size,
                        .mtime_ns = seen->state.mtime_ns,
                        .ctime_ns = seen->state.ctime_ns,
                        .born = tree_born(&seen->state),
                        .name = name };
    uint32_t o;

    if (device < 0)
        return 0;
    r.attributes = attributes_of(t, seen, (uint16_t)device);
    o = r.attributes ? records_new(&t->records, &r) : 0;
    if (!o || tree_identity_reserve(t, o) < 0) {
        if (o)
            records_free(&t->records, o);
        tree_attributes_put(t, r.attributes);
        return 0;
    }
    tree_identity_add(t, (uint16_t)device, r.inode, o);
    t->used_objects++;
    if (r.directory)
        t->used_directories++;
    return o;
}

static void object_free(struct tree *t, uint32_t o)
{
    struct record r;

    if (!records_get(&t->records, o, &r))
        return;
    if (r.directory) {
        if (t->options.forget)
            t->options.forget(t->options.data, o);
        t->used_directories--;
    }
    tree_identity_remove(t, o);
    tree_attributes_put(t, r.attributes);
    records_free(&t->records, o);
    t->used_objects--;
}

int tree_set_root_seen(struct tree *t, const struct tree_seen *seen)
{
    t->root = object_new(t, seen, 0, BYTES_NULL);
    return t->root ? 0 : -ENOMEM;
}

static uint32_t name_count(const struct tree *t, uint32_t object)
{
    uint32_t count = 0;

    for (uint32_t n = tree_first_name(t, object); n; n = tree_next_name(t, n))
        count++;
    return count;
}

/* The object of that identity, if what was seen is another name of it. */
static uint32_t known_object(struct tree *t, const struct tree_seen *seen)
{
    uint32_t o = tree_find(t, seen->state.device, seen->state.inode), was;
    struct record r;

    if (!o || !records_get(&t->records, o, &r))
        return 0;
    was = t->attributes[r.attributes].mode & S_IFMT;
    if (was == (seen->state.mode & S_IFMT) && !tree_born_differs(r.born, &seen->state) &&
        (S_ISDIR(was) || name_count(t, o) < MAX(seen->state.links, 1u)))
        return o;
    /* The number was given to a new file, and the event of the old one's end is still on its way.
         * The old one stays as a tombstone: its name still has its last state, its identity does not. */
    tree_identity_remove(t, o);
    return 0;
}

/* ---- names ---- */

/* The oldest name stays the first: a directory's path does not change because it got an alias. */
static uint32_t alias_new(struct tree *t, uint32_t object, uint32_t directory, struct bytes name)
{
    uint32_t first = tree_first_name(t, object), before = first ? first : object, n;
    struct record r, alias = { .parent = directory, .object = object, .name = name };

    if (!records_get(&t->records, before, &r))
        return 0;
    alias.next_alias = r.next_alias;
    n = records_new(&t->records, &alias);
    if (!n)
        return 0;
    (void)records_get(&t->records, before, &r);
    r.next_alias = n;
    if (records_set(&t->records, before, &r) < 0) {
        records_free(&t->records, n);
        return 0;
    }
    return n;
}

static void alias_free(struct tree *t, uint32_t n)
{
    struct record r, before;
    uint32_t at;

    if (!records_get(&t->records, n, &r))
        return;
    for (at = r.object; records_get(&t->records, at, &before) && before.next_alias != n; at = before.next_alias)
        ;
    before.next_alias = r.next_alias;
    (void)records_set(&t->records, at, &before); /* no longer than it was */
    records_free(&t->records, n);
}

/* One name goes; its object too if that was the last one. Its children must be gone by then. moved: it has as many
 * names as before, of which the index knows another already. */
static void drop_name(struct tree *t, uint32_t n, bool moved)
{
    uint32_t object = tree_object_of(t, n);
    struct record r;

    if (!object || !records_get(&t->records, n, &r))
        return;
    tree_children_remove(t, r.parent, n);
    tree_children_trim(t, r.parent);
    if (object != n) {
        alias_free(t, n);
    } else {
        (void)records_get(&t->records, n, &r);
        r.parent = 0;
        r.name = BYTES_NULL;
        (void)records_set(&t->records, n, &r);
    }
    t->used_names--;
    if (!tree_first_name(t, object) && object != t->root)
        object_free(t, object);
    else if (!moved)
        one_link_less(t, object);
}

static bool goes_with_name(const struct tree *t, uint32_t n)
{
    uint32_t o = tree_object_of(t, n);

    return o != t->root && tree_first_name(t, o) == n && !tree_next_name(t, n);
}

/* A loop, not recursion: depth is chosen by others. */
static void drop_below(struct tree *t, uint32_t top)
{
    uint32_t directory = top;

    for (;;) {
        uint32_t n = tree_first_child(t, directory);

        if (n) {
            if (goes_with_name(t, n) && tree_first_child(t, tree_object_of(t, n)))
                directory = tree_object_of(t, n);
            else
                drop_name(t, n, false);
            continue;
        }
        if (directory == top)
            return;
        n = tree_first_name(t, directory);
        directory = tree_parent_of(t, n);
        drop_name(t, n, false);
    }
}

static void remove_name(struct tree *t, uint32_t n)
{
    if (goes_with_name(t, n))
        drop_below(t, tree_object_of(t, n));
    drop_name(t, n, false);
}

/* What was seen gets that name. 0: out of memory. */
static uint32_t add_name(struct tree *t, uint32_t directory, struct bytes name, const struct tree_seen *seen)
{
    uint32_t o = known_object(t, seen), n;

    if (o && tree_set_seen(t, o, seen) < 0)
        return 0;
    n = o ? alias_new(t, o, directory, name) : object_new(t, seen, directory, name);
    if (!n)
        return 0;
    if (tree_children_reserve(t, directory, n) < 0) {
        if (o)
            alias_free(t, n);
        else
            object_free(t, n);
        return 0;
    }
    tree_children_add_named(t, directory, n, name);
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

int tree_put_seen(struct tree *t, uint32_t directory, struct bytes text, const struct tree_seen *seen,
                  struct tree_change *ret)
{
    uint32_t n = tree_child(t, directory, text), object;
    struct tree_change c = { 0 };

    if (!tree_is_directory(t, directory) || text.len == 0 || text.len > 255)
        return -EINVAL;
    if (n) {
        object = tree_object_of(t, n);
        tree_state(t, object, &c.before);
        c.same_object = tree_is_that(t, object, &seen->state) && (c.before.mode & S_IFMT) == (seen->state.mode & S_IFMT);
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
    n = add_name(t, directory, text, seen);
    if (!n)
        return -ENOMEM;
    c.name = n;
    c.object = tree_object_of(t, n);
    c.after = seen->state;
    *ret = c;
    return 0;
}

int tree_put_state(struct tree *t, uint32_t directory, struct bytes name, const struct file_state *state, struct tree_change *ret)
{
    const struct tree_seen seen = { .state = *state };

    return tree_put_seen(t, directory, name, &seen, ret);
}

void tree_remove(struct tree *t, uint32_t name, struct tree_change *ret)
{
    *ret = (struct tree_change){ 0 };
    if (!tree_object_of(t, name))
        return;
    tree_state(t, tree_object_of(t, name), &ret->before);
    ret->replaced_gone = goes_with_name(t, name);
    remove_name(t, name);
}

static bool is_below(const struct tree *t, uint32_t directory, uint32_t above)
{
    for (uint64_t steps = 0; steps <= t->used_objects; steps++) {
        if (directory == above)
            return true;
        if (directory == t->root)
            return false;
        directory = tree_parent_of(t, tree_first_name(t, directory));
        if (!directory)
            return false;
    }
    return true;
}

/* Another place and text for a name that is in no table meanwhile. -ENOMEM: it is as it was. */
static int place_name(struct tree *t, uint32_t name, uint32_t directory, struct bytes text)
{
    struct record r;

    if (!records_get(&t->records, name, &r))
        return -ENOENT;
    r.parent = directory;
    r.name = text;
    return records_set(&t->records, name, &r);
}

static int move_name(struct tree *t, uint32_t name, uint32_t directory, struct bytes text)
{
    uint32_t from = tree_parent_of(t, name);
    int r = tree_children_reserve(t, directory, name);

    if (r < 0)
        return r;
    tree_children_remove(t, from, name);
    r = place_name(t, name, directory, text);
    tree_children_add(t, r < 0 ? from : directory, name);
    tree_children_trim(t, from);
    return r;
}

/* What a rename finds where it goes to is what moves: it was looked at since, and only the old name goes. */
static void moved_already(struct tree *t, uint32_t name, uint32_t there, struct tree_change *ret)
{
    uint32_t object = tree_object_of(t, there);

    *ret = (struct tree_change){ .name = there, .object = object, .same_object = true };
    tree_state(t, object, &ret->after);
    if (tree_object_of(t, name) == object)
        drop_name(t, name, true);
    else
        remove_name(t, name);
}

int tree_rename(struct tree *t, uint32_t name, uint32_t directory, struct bytes new_name,
                struct tree_change *ret)
{
    uint32_t object = tree_object_of(t, name), there;
    struct tree_change c = { 0 };
    struct file_state state;
    int r;

    if (!object || !tree_is_directory(t, directory) || !new_name.len || new_name.len > 255)
        return -EINVAL;
    if (tree_is_directory(t, object) && is_below(t, directory, object))
        return -EINVAL;
    there = tree_child(t, directory, new_name);
    if (there && there != name) {
        tree_state(t, object, &state);
        tree_state(t, tree_object_of(t, there), &c.before);
        if (state.inode == c.before.inode && state.device == c.before.device) {
            moved_already(t, name, there, ret);
            return 0;
        }
        c.replaced_gone = goes_with_name(t, there);
        remove_name(t, there);
        if (tree_object_of(t, name) != object || !tree_is_directory(t, directory))
            return -ESTALE; /* it lay below what was replaced: not what a kernel does */
    }
    r = there == name ? 0 : move_name(t, name, directory, new_name);
    if (r < 0)
        return r;
    c.same_object = there == name;
    c.name = name;
    c.object = object;
    tree_state(t, object, &c.after);
    *ret = c;
    return 0;
}

int tree_exchange(struct tree *t, uint32_t a, uint32_t b)
{
    uint32_t object_a = tree_object_of(t, a), object_b = tree_object_of(t, b);
    uint32_t parent_a = tree_parent_of(t, a), parent_b = tree_parent_of(t, b);
    char text_a[LIMIT_NAME + 1], text_b[LIMIT_NAME + 1];
    struct bytes name_a, name_b;
    int r;

    if (!object_a || !object_b || is_below(t, parent_b, object_a) || is_below(t, parent_a, object_b))
        return -EINVAL;
    if (object_a == object_b)
        return 0;
    name_a = tree_name(t, a, text_a);
    name_b = tree_name(t, b, text_b);
    if (tree_children_reserve(t, parent_b, a) < 0 || tree_children_reserve(t, parent_a, b) < 0)
        return -ENOMEM;
    tree_children_remove(t, parent_a, a);
    tree_children_remove(t, parent_b, b);
    r = place_name(t, a, parent_b, name_b);
    if (r == 0) {
        r = place_name(t, b, parent_a, name_a);
        if (r < 0)
            (void)place_name(t, a, parent_a, name_a); /* there was room for it */
    }
    tree_children_add(t, tree_parent_of(t, a), a);
    tree_children_add(t, tree_parent_of(t, b), b);
    return r;
}
