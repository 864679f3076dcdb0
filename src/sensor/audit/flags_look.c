/* SPDX-License-Identifier: MIT */
#include "sensor/audit/flags_look.h"

#include <errno.h>
#include <unistd.h>

#include "sensor/tree/statx.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"

#define SET_MS 10 /* a record of something else, a moment later, is not taken for this call's work */
#define OPENING 4u /* a directory costs as much as so many */

static bool differs(const struct file_state *known, const struct file_state *now)
{
    return now->inode == known->inode && (known->known & now->known & FILE_FLAGS) && known->flags != now->flags;
}

/* Since it was known nothing else was changed, so that the time of its last change is that of its flags. */
static bool is_of_flags(const struct file_state *known, const struct file_state *now)
{
    const unsigned all = FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE | FILE_LINKS | FILE_MTIME;

    return (known->known & now->known & all) == all && known->mode == now->mode && known->uid == now->uid && known->gid == now->gid &&
           known->size == now->size && known->links == now->links && known->mtime_ns == now->mtime_ns;
}

/* Changed and changed back before anybody looked, or set to what they were: nothing differs but when something was changed last, and
 * that was in the moment of the call. */
static bool was_set_again(const struct audit_flags_search *f, const struct file_state *known, const struct file_state *now)
{
    uint64_t now_ms = now->ctime_ns > 0 ? (uint64_t)now->ctime_ns / NS_PER_MS : 0;

    return f->call_ms && now->inode == known->inode && (known->known & now->known & FILE_FLAGS) && known->flags == now->flags &&
           (known->known & now->known & FILE_CTIME) && known->ctime_ns < now->ctime_ns && now_ms >= f->call_ms &&
           now_ms - f->call_ms <= SET_MS && is_of_flags(known, now);
}

static bool found(struct audit_flags_search *f, const struct file_state *known, const struct file_state *now)
{
    f->set_again = known->flags == now->flags;
    f->s->completion.files[1] = (struct audit_path){ .type = AUDIT_NAME_NORMAL, .file = *now };
    f->is_of_flags = is_of_flags(known, now);
    f->any = true;
    return true;
}

/* What is at the path itself. */
static bool search_root(struct audit_flags_search *f, struct audit_object *o, int root)
{
    struct file_state known = o->flagged, now;

    if (tree_stat_known(root, &now) < 0 || now.device != known.device ||
        (!differs(&known, &now) && !was_set_again(f, &known, &now)))
        return false;
    o->flagged = o->root = now;
    return found(f, &known, &now);
}

static bool search_name(struct audit_flags_search *f, struct audit_object *o, int directory, uint32_t name)
{
    char *text = f->s->completion.names[2];
    struct file_state known, now;
    struct tree_change change;

    (void)tree_name(o->tree, name, text);
    tree_state(o->tree, tree_object_of(o->tree, name), &known);
    if (tree_stat_at(o->tree, directory, text, &now) < 0 || now.inode != known.inode) {
        f->unseen = true; /* it was moved, and that is still to be read, or removed */
        return false;
    }
    if (!differs(&known, &now) && !was_set_again(f, &known, &now))
        return false;
    return audit_object_look(o, directory, name, &change) && change.same_object &&
           (change.after.flags != known.flags || was_set_again(f, &known, &change.after)) && found(f, &known, &change.after);
}

/* By the numbers of names, which stay as others come and go. */
bool audit_flags_look(struct audit_flags_search *f, struct audit_object *o, uint64_t *left)
{
    _cleanup_close_ int root = o->gone ? -EBADF : watched_open(&o->watched), fd = -EBADF;
    uint32_t directory = 0;

    if (root < 0) {
        f->unseen |= !o->gone && o->path_kind != AUDIT_PATH_ABSENT;
        *left = 0;
        return false;
    }
    if (search_root(f, o, root))
        return true;
    for (; o->tree && *left && f->budget; (*left)--, f->budget--) {
        uint32_t parent;

        o->flags_at = tree_next(o->tree, o->flags_at);
        if (!o->flags_at)
            o->flags_at = tree_next(o->tree, 0);
        parent = tree_parent_of(o->tree, o->flags_at);
        if (!parent)
            break;
        if (parent != directory) {
            closep(&fd);
            fd = tree_open_directory(o->tree, root, parent, NULL);
            directory = parent;
            f->stale |= fd == -ESTALE;
            f->unseen |= fd < 0;
            f->budget -= MIN(f->budget - 1, OPENING);
        }
        if (fd >= 0 && search_name(f, o, fd, o->flags_at)) {
            (*left)--;
            return true;
        }
    }
    if (f->budget)
        *left = 0;
    return false;
}

uint64_t audit_flags_names(const struct audit_object *o)
{
    struct tree_counts counts = { 0 };

    if (o->tree)
        tree_count(o->tree, &counts);
    return counts.names + 1;
}
