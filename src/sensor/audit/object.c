/* SPDX-License-Identifier: MIT */
#include "sensor/audit/object.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sensor/object/mounts.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/mountinfo.h"

int audit_object_new(const struct watch_object *wanted, struct audit_object **ret, struct err *err)
{
    struct audit_object *o = calloc(1, sizeof(*o));
    int r = o ? watched_init(&o->watched, wanted, err) : err_set(err, -ENOMEM, "watch");

    if (r < 0)
        free(o);
    else
        *ret = o;
    return r;
}

static void disarm(struct watched_object *w, void *data)
{
    struct audit_object *o = (struct audit_object *)w;
    struct audit_rules *rules = data;

    if (rules) {
        audit_rules_remove(rules, TAKE_PTR(o->rules));
        audit_rules_remove(rules, TAKE_PTR(o->name_rules));
    }
    audit_way_done(&o->way, rules);
    o->dirty_count = 0;
}

void audit_object_free(struct audit_object *o, struct audit_rules *rules)
{
    if (!o)
        return;
    disarm(&o->watched, rules);
    tree_free(o->tree);
    audit_mounts_done(&o->mounts);
    watched_done(&o->watched);
    free(o);
}

struct audit_object *audit_object_tombstone(struct audit_object *o, uint64_t since_ms, uint64_t until_ms)
{
    struct audit_object *tombstone = NULL;

    if (!o->tree || audit_object_new(&o->wanted, &tombstone, NULL) < 0)
        return NULL;
    tombstone->gone = true; /* nothing can be looked at any more */
    tombstone->tombstone_until_ms = until_ms;
    tombstone->tombstone_since_ms = since_ms;
    tombstone->path_kind = o->path_kind;
    tombstone->tree = TAKE_PTR(o->tree);
    tombstone->root = o->root;
    tombstone->parent_state = o->parent_state;
    tombstone->audit_device = o->audit_device;
    tombstone->stat_device = o->stat_device;
    return tombstone;
}

/* There the time is that of the layer's file, which copying up changes. */
static bool is_overlay(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* ---- devices ---- */

/* The table of mounts: what audit prints is the super block's device, which stat() does not say everywhere. */
static void look_at_mounts(struct audit_object *o, int fd)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int64_t id = fd < 0 ? -EBADF : beneath_mount_of(fd);
    struct mountinfo mount;
    struct bytes rest;

    o->audit_device = o->stat_device = o->super_device = 0;
    if (mounts_read(o->wanted.ns_pid, &text) < 0)
        return;
    audit_mounts_look(&o->mounts, sbuf_bytes(&text), o->wanted.path);
    rest = sbuf_bytes(&text);
    while (mountinfo_next(&rest, &mount)) {
        if (id > 0 && mount.id == (uint64_t)id && mount.device != o->root.device) {
            o->audit_device = mount.device;
            o->stat_device = o->root.device;
        }
        if (mountinfo_covers(&mount, o->wanted.path)) /* the last one is on top */
            o->super_device = mount.device;
    }
}

uint64_t audit_object_device(const struct audit_object *o, uint64_t device)
{
    return o->audit_device && device == o->audit_device ? o->stat_device : device;
}

/* ---- placing ---- */

/* The directory that holds the path, by which a new thing of that name is known. */
static void look_at_parent(struct audit_object *o)
{
    _cleanup_close_ int fd = -EBADF;

    o->parent_state = (struct file_state){ 0 };
    if (o->base.len == 0)
        return;
    fd = watched_open_above(&o->watched, o->parent.len, O_PATH | O_DIRECTORY);
    if (fd >= 0)
        (void)tree_stat_known(fd, &o->parent_state);
}

/* The longest part of the path that is there, for the time until the rest appears. */
static void look_above(struct audit_object *o)
{
    struct bytes dir = o->wanted.path;
    int fd = -EBADF;

    do {
        dir = bytes_dirname(dir);
        fd = watched_open_above(&o->watched, dir.len, O_PATH | O_DIRECTORY);
    } while (dir.len > 1 && fd < 0);
    o->above = (struct file_state){ 0 };
    o->above_len = dir.len;
    if (fd >= 0)
        (void)tree_stat_known(fd, &o->above);
    closep(&fd);
}

bool audit_object_above_is_gone(const struct audit_object *o)
{
    _cleanup_close_ int fd = watched_open_above(&o->watched, o->above_len, O_PATH | O_DIRECTORY);
    struct file_state now = { 0 };

    if (fd >= 0)
        (void)tree_stat_known(fd, &now);
    return now.inode != o->above.inode || now.device != o->above.device;
}

static int fill_tree(struct audit_object *o, int fd, struct err *err)
{
    struct tree_options options = { .cross_mounts = true, .ns_pid = o->wanted.ns_pid };
    int r = 0;

    if (!o->tree)
        r = tree_new(&options, &o->tree, err);
    if (r == 0)
        r = tree_set_root(o->tree, fd, err);
    while (r == 0 && tree_is_walking(o->tree)) {
        r = tree_walk(o->tree, 0, NULL, NULL, err);
        if (r > 0)
            r = 0;
    }
    return r;
}

/* Another file may be there by the time that the rules are loaded. */
static int arm(struct watched_object *w, void *data, struct err *err)
{
    struct audit_object *o = (struct audit_object *)w;
    struct audit_rules *rules = data;
    struct audit_place place = { .ns_pid = o->wanted.ns_pid,
                                 .path = o->path,
                                 .permissions = o->wanted.permissions };
    struct audit_rule_set *new_rules = NULL, *name_rules = NULL;
    _cleanup_close_ int fd = watched_open(&o->watched), again = -EBADF;
    struct file_state now = { 0 }, after = { 0 };
    enum audit_path_kind path_kind = AUDIT_PATH_ABSENT;
    char above[PATH_MAX];
    int r;

    o->dirty_count = 0;
    if (fd >= 0)
        (void)tree_stat(fd, NULL, &now);
    if (fd >= 0)
        path_kind = S_ISDIR(now.mode) ? AUDIT_PATH_DIRECTORY : AUDIT_PATH_FILE;
    place.directory = path_kind != AUDIT_PATH_FILE;
    if (path_kind == AUDIT_PATH_ABSENT) {
        look_above(o);
        snprintf(above, sizeof(above), "%.*s", (int)o->above_len, o->path);
        place.path = above;
        place.wide = true;
    }
    r = audit_rules_add(rules, &place, &new_rules, err);
    if (r < 0)
        return r == -ENOENT ? -EAGAIN : r;
    if (path_kind == AUDIT_PATH_DIRECTORY && o->base.len) {
        struct audit_place name = place;

        name.directory = false;
        (void)audit_rules_add(rules, &name, &name_rules, NULL);
    }
    look_at_parent(o); /* after the rules are loaded: who makes it from now on is recorded */
    again = watched_open(&o->watched);
    if (again >= 0)
        (void)tree_stat(again, NULL, &after);
    if ((again < 0) != (fd < 0) || now.inode != after.inode || now.device != after.device) {
        audit_rules_remove(rules, new_rules);
        audit_rules_remove(rules, name_rules);
        return -EAGAIN;
    }
    audit_rules_remove(rules, o->rules);
    audit_rules_remove(rules, o->name_rules);
    o->rules = new_rules;
    o->name_rules = name_rules;
    o->path_kind = path_kind;
    o->root = o->flagged = now;
    o->root_born_ns = fd >= 0 && !is_overlay(fd) ? tree_birth(fd, NULL) : 0;
    look_at_mounts(o, fd);
    audit_way_place(&o->way, &o->watched, rules);
    if (path_kind == AUDIT_PATH_DIRECTORY)
        return fill_tree(o, fd, err);
    tree_free(TAKE_PTR(o->tree));
    return 0;
}

static bool is_stale(struct watched_object *w)
{
    struct audit_object *o = (struct audit_object *)w;
    struct file_state now = { 0 };
    _cleanup_close_ int fd = -EBADF;

    o->needs_recheck = false;
    fd = watched_open(&o->watched);
    if (fd < 0 && watched_is_gone(w))
        return false;
    if (fd >= 0)
        (void)tree_stat_known(fd, &now);
    if (fd < 0 && o->path_kind == AUDIT_PATH_ABSENT) {
        look_at_parent(o); /* the way to it is made name by name: by its folder it is known when it comes */
        return audit_object_above_is_gone(o);
    }
    if (fd < 0)
        return true;
    if (o->path_kind == AUDIT_PATH_ABSENT || S_ISDIR(now.mode) != (o->path_kind == AUDIT_PATH_DIRECTORY))
        return true;
    if (o->path_kind == AUDIT_PATH_FILE) { /* the rule follows the name; so do we */
        if (now.inode != o->root.inode || now.device != o->root.device)
            o->flagged = now;
        o->root = now;
        return false;
    }
    return now.inode != o->root.inode || now.device != o->root.device ||
           (o->root_born_ns && tree_birth(fd, NULL) != o->root_born_ns);
}

const struct watched_ops audit_object_ops = { .arm = arm, .disarm = disarm, .is_stale = is_stale };

/* ---- keeping up ---- */

bool audit_object_younger(const struct audit_object *o, uint32_t entry, uint64_t time_ns)
{
    _cleanup_close_ int root = o->gone ? -EBADF : watched_open(&o->watched), fd = -EBADF;
    char name[LIMIT_NAME + 1];

    if (root < 0)
        return false;
    if (entry) {
        fd = tree_open_directory(o->tree, root, tree_parent_of(o->tree, entry), NULL);
        if (fd < 0)
            return false;
        if (!tree_name(o->tree, entry, name).len || !tree_answers(o->tree, fd, name))
            return false;
    }
    return tree_birth(entry ? fd : root, entry ? name : NULL) > time_ns + 20 * NS_PER_MS; /* audit's clock is that of the last timer tick */
}

void audit_object_walk(struct audit_object *o, uint32_t directory)
{
    _cleanup_close_ int root = o->gone ? -EBADF : watched_open(&o->watched), fd = -EBADF;

    if (root < 0)
        return;
    fd = tree_open_directory(o->tree, root, directory, NULL);
    if (fd < 0 || tree_queue(o->tree, fd, directory, NULL) < 0)
        return;
    o->listed_ns = clock_ns(CLOCK_REALTIME);
    while (tree_is_walking(o->tree))
        if (tree_walk(o->tree, 0, NULL, NULL, NULL) < 0)
            break;
}

void audit_object_touch(struct audit_object *o, uint32_t object)
{
    struct file_state state;

    if (!o->tree)
        return;
    tree_state(o->tree, object, &state);
    for (unsigned i = 0; i < o->dirty_count; i++)
        if (o->dirty[i].inode == state.inode && o->dirty[i].device == state.device)
            return;
    if (o->dirty_count == ARRAY_SIZE(o->dirty))
        audit_object_refresh(o);
    if (o->dirty_count == ARRAY_SIZE(o->dirty)) /* the oldest gives way: a size may be out of date */
        memmove(o->dirty, o->dirty + 1, sizeof(o->dirty[0]) * --o->dirty_count);
    o->dirty[o->dirty_count++] = (struct audit_dirty){ state.device, state.inode };
}

bool audit_object_is_fresh(const struct audit_object *o, const struct file_state *state)
{
    for (unsigned i = 0; i < o->dirty_count; i++)
        if (o->dirty[i].inode == state->inode && o->dirty[i].device == state->device)
            return false;
    return true;
}

bool audit_object_look(struct audit_object *o, int directory, uint32_t name, struct tree_change *ret)
{
    char text[LIMIT_NAME + 1];
    struct bytes base = tree_name(o->tree, name, text);
    struct file_state known, now;

    tree_state(o->tree, tree_object_of(o->tree, name), &known);
    return tree_stat_at(o->tree, directory, text, &now) == 0 && now.inode == known.inode &&
           tree_refresh(o->tree, directory, tree_parent_of(o->tree, name), base, ret, NULL) == 0;
}

void audit_object_look_at_flags(struct audit_object *o)
{
    _cleanup_close_ int fd = o->gone ? -EBADF : watched_open(&o->watched);
    struct file_state now;

    if (fd >= 0 && tree_stat_known(fd, &now) == 0)
        o->flagged = now;
}

void audit_object_refresh(struct audit_object *o)
{
    _cleanup_close_ int root = -EBADF;
    unsigned kept = 0;

    if (o->dirty_count == 0 || !o->tree)
        return;
    root = watched_open(&o->watched);
    for (unsigned i = 0; root >= 0 && i < o->dirty_count; i++) {
        const struct audit_dirty dirty = o->dirty[i];
        uint32_t object = tree_find(o->tree, dirty.device, dirty.inode), name;
        _cleanup_close_ int fd = -EBADF;
        struct tree_change change;

        name = object ? tree_first_name(o->tree, object) : 0;
        if (!name)
            continue;
        fd = tree_open_directory(o->tree, root, tree_parent_of(o->tree, name), NULL);
        if (fd < 0 || !audit_object_look(o, fd, name, &change))
            o->dirty[kept++] = dirty; /* removed, which has not been read yet: the size that is known is an old one */
    }
    if (root >= 0)
        o->dirty_count = kept;
}
