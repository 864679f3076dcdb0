/* SPDX-License-Identifier: MIT */
#include "sensor/audit/object.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"

int audit_object_new(const struct watch_object *wanted, struct audit_object **ret, struct err *err)
{
    struct audit_object *o = calloc(1, sizeof(*o));

    if (!o)
        return err_set(err, -ENOMEM, "watch");
    o->pidfd = -EBADF;
    o->wanted = *wanted;
    o->path = strndup(wanted->path.data, wanted->path.len);
    o->host_path = strndup(wanted->host_path.data, wanted->host_path.len);
    if (!o->path || !o->host_path) {
        audit_object_free(o, NULL);
        return err_set(err, -ENOMEM, "watch");
    }
    o->wanted.path = bytes_of(o->path);
    o->wanted.host_path = bytes_of(o->host_path);
    o->name = bytes_basename(o->wanted.path);
    if (wanted->ns_pid) {
        o->pidfd = (int)syscall(SYS_pidfd_open, wanted->ns_pid, 0); /* Linux 5.3 */
        if (o->pidfd < 0 && errno == ESRCH)
            o->gone = true;
    }
    *ret = o;
    return 0;
}

void audit_object_free(struct audit_object *o, struct audit_rules *rules)
{
    if (!o)
        return;
    if (rules) {
        audit_rules_remove(rules, o->rules);
        audit_rules_remove(rules, o->name_rules);
    }
    audit_way_done(&o->way, rules);
    tree_free(o->tree);
    audit_mounts_done(&o->mounts);
    if (o->pidfd >= 0)
        close(o->pidfd);
    free(o->path);
    free(o->host_path);
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
    tombstone->stand = o->stand;
    tombstone->tree = TAKE_PTR(o->tree);
    tombstone->root = o->root;
    tombstone->parent = o->parent;
    tombstone->audit_device = o->audit_device;
    tombstone->stat_device = o->stat_device;
    return tombstone;
}

void audit_object_let_go(struct audit_object *o, struct audit_rules *rules, uint64_t until_ms)
{
    audit_rules_remove(rules, TAKE_PTR(o->rules));
    audit_rules_remove(rules, TAKE_PTR(o->name_rules));
    audit_way_done(&o->way, rules);
    o->gone = o->unwatched = true;
    o->tombstone_until_ms = until_ms;
    o->dirty_count = 0;
}

static bool namespace_gone(struct audit_object *o)
{
    struct pollfd pollfd = { .fd = o->pidfd, .events = POLLIN };

    if (!o->gone && o->pidfd >= 0 && poll(&pollfd, 1, 0) > 0)
        o->gone = true;
    return o->gone;
}

/* There the time is that of the layer's file, which copying up changes. */
static bool is_overlay(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* ---- devices ---- */

static uint64_t mount_id(int fd)
{
    char path[48], text[256];
    _cleanup_close_ int info = -EBADF;
    const char *at;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    info = open(path, O_RDONLY | O_CLOEXEC);
    n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    at = strstr(text, "mnt_id:");
    return at ? strtoull(at + 7, NULL, 10) : 0;
}

/* The table of mounts: what audit prints is the super block's device, which stat() does not say everywhere. */
static void look_at_mounts(struct audit_object *o, int fd)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    uint64_t id = fd < 0 ? 0 : mount_id(fd);
    char path[48] = "/proc/self/mountinfo";
    struct mountinfo mount;
    struct bytes rest;

    o->audit_device = o->stat_device = o->super_device = 0;
    if (o->wanted.ns_pid)
        snprintf(path, sizeof(path), "/proc/%d/mountinfo", o->wanted.ns_pid);
    if (mountinfo_read(path, &text) < 0)
        return;
    audit_mounts_look(&o->mounts, sbuf_bytes(&text), o->wanted.path);
    rest = sbuf_bytes(&text);
    while (mountinfo_next(&rest, &mount)) {
        if (id && mount.id == id && mount.device != o->root.device) {
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

int audit_object_open(const struct audit_object *o)
{
    return beneath_open_host(o->wanted.host_path, o->wanted.root_len, O_PATH | O_NOFOLLOW);
}

/* The directory that the path stands in, by which a new thing of that name is known. */
static void look_at_parent(struct audit_object *o)
{
    struct bytes dir = bytes_dirname(o->wanted.host_path);
    _cleanup_close_ int fd = -EBADF;

    o->parent = (struct file_state){ 0 };
    if (o->name.len == 0 || dir.len == 0)
        return;
    /* of a root itself the parent is outside: then all of it is trusted */
    fd = beneath_open_host(dir, o->wanted.root_len <= dir.len ? o->wanted.root_len : 0,
                           O_PATH | O_DIRECTORY);
    if (fd >= 0)
        (void)tree_stat(fd, NULL, &o->parent);
}

/* The first `len` bytes of the path on the host, as a directory. */
static int open_above(const struct audit_object *o, size_t len)
{
    struct bytes path = { o->host_path, len };

    return beneath_open_host(path, o->wanted.root_len <= len ? o->wanted.root_len : 0, O_PATH | O_DIRECTORY);
}

/* The longest part of the path that is there, for the time until the rest appears. */
static void look_above(struct audit_object *o)
{
    size_t prefix = o->wanted.host_path.len - o->wanted.path.len; /* "/proc/PID/root" */
    struct bytes dir = o->wanted.path;
    int fd = -EBADF;

    do {
        dir = bytes_dirname(dir);
        fd = open_above(o, prefix + dir.len);
    } while (dir.len > 1 && fd < 0);
    o->above = (struct file_state){ 0 };
    o->above_len = prefix + dir.len;
    if (fd >= 0)
        (void)tree_stat(fd, NULL, &o->above);
    closep(&fd);
}

bool audit_object_above_is_gone(const struct audit_object *o)
{
    _cleanup_close_ int fd = open_above(o, o->above_len);
    struct file_state now = { 0 };

    if (fd >= 0)
        (void)tree_stat(fd, NULL, &now);
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

/* One attempt: -EAGAIN if something else stood there by the time that the rules were placed. */
static int place_once(struct audit_object *o, struct audit_rules *rules, struct err *err)
{
    struct audit_place place = { .ns_pid = o->wanted.ns_pid,
                                 .path = o->path,
                                 .permissions = o->wanted.permissions };
    struct audit_rule_set *new_rules = NULL, *name_rules = NULL;
    _cleanup_close_ int fd = audit_object_open(o), again = -EBADF;
    struct file_state now = { 0 }, after = { 0 };
    enum audit_stand stand = AUDIT_STAND_NOTHING;
    char above[PATH_MAX];
    int r;

    if (fd >= 0)
        (void)tree_stat(fd, NULL, &now);
    if (fd >= 0)
        stand = S_ISDIR(now.mode) ? AUDIT_STAND_DIRECTORY : AUDIT_STAND_FILE;
    place.directory = stand != AUDIT_STAND_FILE;
    if (stand == AUDIT_STAND_NOTHING) {
        look_above(o);
        snprintf(above, sizeof(above), "%.*s", (int)(o->above_len - (o->wanted.host_path.len - o->wanted.path.len)),
                 o->path);
        place.path = above;
        place.wide = true;
    }
    r = audit_rules_add(rules, &place, &new_rules, err);
    if (r < 0)
        return r == -ENOENT ? -EAGAIN : r;
    if (stand == AUDIT_STAND_DIRECTORY && o->name.len) {
        struct audit_place name = place;

        name.directory = false;
        (void)audit_rules_add(rules, &name, &name_rules, NULL);
    }
    look_at_parent(o); /* after the rules stand: who makes it from now on is recorded */
    again = audit_object_open(o);
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
    o->stand = stand;
    o->root = now;
    o->root_born_ns = fd >= 0 && !is_overlay(fd) ? tree_birth(fd, NULL) : 0;
    look_at_mounts(o, fd);
    audit_way_place(&o->way, &o->wanted, rules);
    if (stand == AUDIT_STAND_DIRECTORY)
        return fill_tree(o, fd, err);
    tree_free(TAKE_PTR(o->tree));
    return 0;
}

int audit_object_place(struct audit_object *o, struct audit_rules *rules, struct err *err)
{
    int r = -EAGAIN;

    o->doubtful = false;
    o->dirty_count = 0;
    for (int i = 0; r == -EAGAIN && i < 10; i++) {
        if (namespace_gone(o))
            return 0;
        r = place_once(o, rules, err);
    }
    if (r < 0 && namespace_gone(o))
        return 0;
    if (r == -EAGAIN) /* it changes all the time: the next look is a tick away */
        o->doubtful = true;
    return r == -EAGAIN ? 0 : r;
}

bool audit_object_is_stale(struct audit_object *o)
{
    struct file_state now = { 0 };
    _cleanup_close_ int fd = -EBADF;

    if (namespace_gone(o))
        return false;
    o->doubtful = false;
    fd = audit_object_open(o);
    if (fd < 0 && namespace_gone(o))
        return false;
    if (fd >= 0)
        (void)tree_stat(fd, NULL, &now);
    if (fd < 0 && o->stand == AUDIT_STAND_NOTHING) {
        look_at_parent(o); /* the way to it is made name by name: by its folder it is known when it comes */
        return audit_object_above_is_gone(o);
    }
    if (fd < 0)
        return true;
    if (o->stand == AUDIT_STAND_NOTHING || S_ISDIR(now.mode) != (o->stand == AUDIT_STAND_DIRECTORY))
        return true;
    if (o->stand == AUDIT_STAND_FILE) { /* the rule follows the name; so do we */
        o->root = now;
        return false;
    }
    return now.inode != o->root.inode || now.device != o->root.device ||
           (o->root_born_ns && tree_birth(fd, NULL) != o->root_born_ns);
}

/* ---- keeping up ---- */

bool audit_object_younger(const struct audit_object *o, uint32_t entry, uint64_t time_ns)
{
    _cleanup_close_ int root = o->gone ? -EBADF : audit_object_open(o), fd = -EBADF;
    char name[LIMIT_NAME + 1] = "";

    if (root < 0)
        return false;
    if (entry) {
        struct bytes base = tree_name(o->tree, entry);

        fd = tree_open_directory(o->tree, root, tree_parent_of(o->tree, entry), NULL);
        if (fd < 0 || base.len >= sizeof(name))
            return false;
        memcpy(name, base.data, base.len);
    }
    return tree_birth(entry ? fd : root, entry ? name : NULL) > time_ns + 20 * NS_PER_MS; /* audit's clock is that of the last timer tick */
}

void audit_object_walk(struct audit_object *o, uint32_t directory)
{
    _cleanup_close_ int root = o->gone ? -EBADF : audit_object_open(o), fd = -EBADF;

    if (root < 0)
        return;
    fd = tree_open_directory(o->tree, root, directory, NULL);
    if (fd < 0 || tree_queue(o->tree, fd, directory, NULL) < 0)
        return;
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

void audit_object_refresh(struct audit_object *o)
{
    _cleanup_close_ int root = -EBADF;

    if (o->dirty_count == 0 || !o->tree)
        return;
    root = audit_object_open(o);
    for (unsigned i = 0; root >= 0 && i < o->dirty_count; i++) {
        uint32_t object = tree_find(o->tree, o->dirty[i].device, o->dirty[i].inode), name;
        _cleanup_close_ int fd = -EBADF;
        struct tree_change change;
        char text[LIMIT_NAME + 1];
        struct bytes base;

        name = object ? tree_first_name(o->tree, object) : 0;
        if (!name)
            continue;
        fd = tree_open_directory(o->tree, root, tree_parent_of(o->tree, name), NULL);
        base = tree_name(o->tree, name);
        if (fd < 0 || base.len >= sizeof(text))
            continue;
        memcpy(text, base.data, base.len); /* the index may move its names */
        (void)tree_refresh(o->tree, fd, tree_parent_of(o->tree, name),
                           (struct bytes){ text, base.len }, &change, NULL);
    }
    o->dirty_count = 0;
}
