/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/marks.h"
#include "sensor/fanotify/moved.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/writes.h"
#include "sensor/object/way.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define FIRST_STEPS 150000 /* a tree of less (3,000 directories, or files in one) is looked at as a whole before the watch is ready */

/* One listing; what it finds is emitted if there is a cause. */
struct listing {
    struct fanotify_object *object;
    const struct fanotify_cause *cause;
};

static void on_found(void *data, uint32_t name)
{
    const struct listing *l = data;

    if (l->cause)
        fanotify_found_add(l->object, name, l->cause);
}

static int walked(const struct fanotify_object *o, int r)
{
    if (r == -EMFILE) /* ours to repair: what is not marked is not seen */
        log_warn(o->sensor->options.log, "fanotify: too many open files; raise the limit (ulimit -n)");
    return r;
}

static int walk(struct fanotify_object *o, unsigned steps, const struct fanotify_cause *cause, struct err *err)
{
    struct listing listing = { o, cause };

    return walked(o, tree_walk(o->tree, steps, on_found, &listing, err));
}

void fanotify_object_walk(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause)
{
    uint32_t object = tree_object_of(o->tree, name);
    int fd = tree_is_directory(o->tree, object) ? fanotify_object_directory(o, object) : -1;

    if (fd >= 0)
        fanotify_object_walk_at(o, fd, name, cause);
}

void fanotify_object_walk_at(struct fanotify_object *o, int fd, uint32_t name, const struct fanotify_cause *cause)
{
    struct listing listing = { o, cause };
    uint32_t object = tree_object_of(o->tree, name);

    if (!tree_is_directory(o->tree, object) || tree_queue(o->tree, fd, object, NULL) < 0)
        return;
    /* only this: what the first listing has still to find was there before, and nobody's deed */
    o->reports_found = cause != NULL;
    (void)walked(o, tree_walk_queued(o->tree, on_found, &listing, NULL));
    o->reports_found = false;
}

bool fanotify_object_list(struct fanotify_object *o, unsigned steps)
{
    int r;

    if (!o->listing || !o->tree)
        return false;
    r = walk(o, steps, NULL, NULL);
    o->listing = r > 0;
    return o->listing;
}

/* Directories first, all of them marked; of a large tree the files are looked at later, in pieces. */
static int fill(struct fanotify_object *o, const struct fanotify_cause *cause, struct err *err)
{
    uint32_t top = fanotify_object_top(o);
    uint32_t object = o->base.len ? tree_object_of(o->tree, top) : tree_root(o->tree);
    int fd, r;

    if (!tree_is_directory(o->tree, object))
        return 0;
    fd = fanotify_object_directory(o, object);
    if (fd < 0)
        return fd;
    tree_set_names_only(o->tree, !cause);
    r = tree_queue(o->tree, fd, object, err);
    if (r == 0)
        r = walk(o, 0, cause, err);
    tree_set_names_only(o->tree, false);
    if (r < 0 || cause)
        return r;
    fd = fanotify_object_directory(o, object);
    if (fd < 0 || tree_queue(o->tree, fd, object, NULL) < 0)
        return 0;
    o->listing = walk(o, FIRST_STEPS, NULL, NULL) > 0;
    o->sensor->any_listing |= o->listing;
    return 0;
}

static void on_step(void *data, int fd, bool missing)
{
    struct fanotify_object *o = data;

    if (missing)
        fanotify_marks_awaited(o, fd);
    else if (!o->unmarked)
        fanotify_marks_way(o, fd);
}

static bool may_enter(void *data, int fd, const char *name)
{
    const struct fanotify_object *o = data;

    return watched_may_enter(&o->watched, fd, name);
}

/* The way to the path, each directory marked for moves; the descriptor of the one that holds the path, or -ENOENT with
 * o->waiting for the first component that is not there. */
static int go(struct fanotify_object *o)
{
    struct way_options options = { .flags = O_DIRECTORY, .step = on_step, .may_enter = may_enter, .data = o };
    size_t prefix = o->wanted.host_path.len - o->wanted.path.len;
    struct bytes rest = o->parent;
    char path[PATH_MAX];
    int fd;

    if (o->wanted.host_path.len < o->wanted.path.len || prefix + 2 > sizeof(path))
        return -ENAMETOOLONG;
    fanotify_object_drop_ancestors(o);
    snprintf(path, sizeof(path), "%.*s/", (int)prefix, o->host_path);
    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    fd = way_open(fd, &rest, &options);
    if (fd < 0 || !rest.len)
        return fd;
    close(fd);
    o->waiting = bytes_next_component(&rest);
    return -ENOENT;
}

static bool is_marked(const struct fanotify_object *o)
{
    uint32_t top = tree_object_of(o->tree, fanotify_object_top(o));

    return top && fanotify_handles_has(o->sensor->handles, &(struct fanotify_user){ (struct fanotify_object *)(uintptr_t)o, top, false });
}

static int try_to_place(struct fanotify_object *o, const struct fanotify_cause *cause, struct err *err)
{
    struct tree_options options = { .cross_mounts = true, .xattrs = true, .ns_pid = o->wanted.ns_pid, .data = o,
                                    .directory = fanotify_marks_directory, .forget = fanotify_marks_forget };
    _cleanup_close_ int fd = -EBADF;
    struct tree_change change = { 0 };
    int r, blind = 0;

    fanotify_late_gone(o->sensor);
    fanotify_object_close(o);
    fanotify_found_forget(o);
    fanotify_writes_forget(o);
    fanotify_unexplained_forget(o);
    o->listing = false;
    o->waiting = BYTES_NULL;
    fd = go(o);
    if (fd == -ENOENT && o->waiting.len) {
        tree_free(TAKE_PTR(o->tree));
        return 0;
    }
    if (fd < 0)
        return err_set(err, fd, "opening the directory that the path stands in");
    if (!o->tree)
        r = tree_new(&options, &o->tree, err);
    else
        r = 0;
    if (r == 0)
        r = tree_start(o->tree, fd, err);
    if (r < 0)
        return r;
    fanotify_object_note_open(o);
    o->root_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    r = o->base.len && !o->unmarked ? fanotify_marks_parent(o, fd) : 0;
    if ((r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV) && o->wanted.view == VIEW_MERGED) {
        o->unmarked = true;
        r = 0;
    }
    if (r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV) {
        blind = r; /* a volume in an overlay that takes no marks: what lies below may take them */
        r = 0;
    }
    if (r < 0)
        return err_set(err, r, "marking a directory");
    if (o->base.len) {
        if (watched_may_enter(&o->watched, fd, o->base.data)) /* else nothing is there, until it answers */
            r = tree_refresh(o->tree, fd, tree_root(o->tree), o->base, &change, err);
        if (r < 0)
            return r;
        if (!o->unmarked)
            fanotify_marks_children(o, fd);
        if (change.name && cause)
            fanotify_found_add(o, change.name, cause);
    }
    o->reports_found = cause != NULL;
    r = fill(o, cause, err);
    o->reports_found = false;
    if (r == 0 && blind && !o->unmarked && !is_marked(o))
        return err_say(err, blind, "this file system has no file handles, fanotify cannot report names on it; "
                                   "use --sensor audit");
    return r;
}

static int arm(struct watched_object *w, void *data, struct err *err)
{
    struct fanotify_object *o = (struct fanotify_object *)w;
    int r;

    o->sensor->any_marked = true;
    o->placed_boot_ns = clock_ns(CLOCK_BOOTTIME);
    o->carried_away = 0;
    o->differs = false;
    r = try_to_place(o, data, err);
    return r == -ESTALE || r == -ENOENT ? -EAGAIN : r;
}

/* Nothing of it will be emitted; its marks stay (marks.h). */
static void disarm(struct watched_object *w, void *data)
{
    struct fanotify_object *o = (struct fanotify_object *)w;

    (void)data;
    o->sensor->any_marked = true;
    fanotify_found_forget(o);
    fanotify_writes_forget(o);
    fanotify_unexplained_forget(o);
    fanotify_gone_forget(o);
    fanotify_restless_forget(o);
    fanotify_object_close(o);
    o->listing = false;
}

const struct watched_ops fanotify_object_ops = { .arm = arm, .disarm = disarm, .is_stale = fanotify_object_is_stale };

/* A layer is looked at besides: what its overlay shows counts. */
static bool is_behind(const struct fanotify_object *o)
{
    bool shown = false;

    for (const struct fanotify_object *m = o->sensor->objects; m && !shown; m = m->next)
        shown = m->wanted.group == o->wanted.group && m->wanted.view == VIEW_MERGED && !m->tombstone_until_ms;
    return shown && o->wanted.view != VIEW_MERGED;
}

void fanotify_object_came(struct fanotify_object *o, bool folder, const struct fanotify_cause *emitted, const struct fanotify_cause *now)
{
    const char *awaited = o->waiting.data;
    struct sensor *s = o->sensor;

    (void)watched_place(&o->watched, &fanotify_object_ops, (void *)emitted, NULL);
    if (!folder || !awaited || o->tree || !o->waiting.data || o->waiting.data > awaited) /* or it waits for what comes in that */
        return;
    if (now->replayed || is_behind(o) || s->unseen_at == s->handled + 1)
        return;
    s->unseen_at = s->handled + 1;
    fanotify_object_gap(o, LOST_WATCH_WINDOW, now->from_real_ns,
                        "a folder on the way to a watched path came, and was gone before it was looked at: what was done in it");
}
