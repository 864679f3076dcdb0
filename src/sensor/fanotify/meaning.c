/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/meaning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sensor/fanotify/appear.h"
#include "sensor/fanotify/attributes.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/young.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/moved.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/overlay.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/resolve.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/writes.h"
#include "util/cleanup.h"
#include "util/limits.h"

#define CONTENT (FAN_MODIFY | FAN_CLOSE_WRITE)

/* Reported by the directory as of itself: its handle is the one of where it happened. */
static bool is_self(const struct fanotify_event *e)
{
    return bytes_equal_str(e->at.name, ".");
}

static bool is_that(const struct fanotify_object *o, int directory, const char *name,
                    const struct fanotify_handle *wanted)
{
    char buffer[FANOTIFY_HANDLE_MAX];
    struct fanotify_handle found;
    int fd, r;

    if (!wanted->data.data || o->wanted.view == VIEW_MERGED) /* an overlay's handles change with a copy-up */
        return true;
    fd = tree_answers(o->tree, directory, name) ? openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    r = fanotify_handle_of(fd, buffer, &wanted->fsid, &found);
    close(fd);
    return r < 0 || fanotify_handle_equal(&found, wanted);
}

static uint64_t birth_of(const struct file_state *s)
{
    return s->known & FILE_BORN ? (uint64_t)s->born_ns : 0;
}

/* Made while the events were waiting: others may have had its name and its inode's number in the same tick of the clock. */
static bool is_young(const struct file_state *s, const struct fanotify_cause *cause)
{
    return (s->known & FILE_BORN) && s->born_ns + FANOTIFY_STAMP_NS >= (int64_t)cause->from_real_ns;
}

/* The first name is gone already: the same file all the same, not a new one that was given its number. */
static bool is_second_name(const struct file_state *known, const struct file_state *now)
{
    return known->known && now->links == 1 && known->mtime_ns == now->mtime_ns && known->size == now->size && S_ISREG(now->mode);
}

/* Perhaps: by its handle it would be known if it had been made since we watch, but for a lower file of an overlay, which gets another
 * handle, and another birth, with the copy that its second name makes of it. Those have no device of their own, and are old. */
static bool is_of_lower_layer(const struct fanotify_object *o, const struct file_state *known)
{
    return (known->known & FILE_CTIME) && !major(known->device) && known->ctime_ns + FANOTIFY_STAMP_NS < (int64_t)o->sensor->watch_real_ns;
}

/* The name in the index; 0 also where only what comes later has it: a listing found that. */
static uint32_t present(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e)
{
    uint32_t entry = tree_child(o->tree, directory, name);

    return fanotify_found_later(o, entry, &e->object) ? 0 : entry;
}

/*
 * How the file of an event is now. Its name may have been taken away since, or given to another file,
 * by what the next events report: then the index is left as it is, and the file is found by its handle.
 */
static void see(struct fanotify_object *o, uint32_t directory, struct bytes name,
                const struct fanotify_event *e, const struct fanotify_cause *cause, struct tree_change *ret, struct fanotify_birth *ret_birth,
                bool *ret_walked)
{
    uint32_t entry = present(o, directory, name, e), object = tree_object_of(o->tree, entry);
    int fd = fanotify_object_directory(o, directory), r = -ENOENT;
    struct file_state now, known;
    const struct fanotify_handle *handle = is_self(e) ? &e->at.directory : &e->object;
    char text[LIMIT_NAME + 1];
    bool other = false;

    *ret = (struct tree_change){ 0 };
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    tree_state(o->tree, object, &known);
    if (fd >= 0)
        r = tree_stat_at(o->tree, fd, text, &now);
    /* what is there now may be the next one: its own event is on its way */
    if (r == 0 && ((e->mask & FAN_CREATE) || !entry || is_young(&now, cause)) && !is_that(o, fd, text, &e->object)) {
        other = true;
        r = -ENOENT;
    }
    if (r == 0 && (e->mask & FAN_CREATE) && !entry && !S_ISDIR(now.mode)) {
        struct file_state first;

        tree_state(o->tree, tree_find(o->tree, now.device, now.inode), &first);
        ret_birth->linked = (!e->object.data.data || is_of_lower_layer(o, &first)) && is_second_name(&first, &now);
    }
    if (r == 0 && (!entry || (e->mask & FAN_CREATE) ||
                   tree_is_that(o->tree, object, &now))) {
        (void)fanotify_look(o, directory, name, cause, ret);
        ret_birth->born_real_ns = birth_of(&now);
        if (!(e->mask & FAN_CREATE) || !e->object.data.data || (ret->after.known && ret->after.inode == now.inode))
            return;
        other = ret->after.known; /* between the two looks another one came there, or it went: its handle says what it is */
        *ret = (struct tree_change){ 0 };
    }
    ret->before = known;
    ret->name = entry;
    fd = handle->data.data ? fanotify_open_handle(o, handle) : -ESTALE;
    if (fd < 0 && fd != -ESTALE && other) { /* this file system opens nothing by its handles */
        (void)fanotify_look(o, directory, name, cause, ret);
        return;
    }
    if (fd < 0) {
        if (e->mask & FAN_MODIFY)
            tree_forget_contents(o->tree, object);
        if (e->mask & FAN_ATTRIB)
            fanotify_unseen_note(o, object);
        return;
    }
    if (!entry) /* what comes later gets its name by its own event */
        (void)fanotify_found_cancel(o, tree_child(o->tree, directory, name));
    if (entry && !(e->mask & FAN_CREATE)) {
        if (tree_refresh_object(o->tree, fd, object, ret, NULL) == 0 && !cause->silent)
            fanotify_unexplained_add(o, directory, name, ret);
    } else if (tree_stat(fd, NULL, &now) == 0) {
        uint32_t found = S_ISDIR(now.mode) ? tree_first_name(o->tree, tree_find(o->tree, now.device, now.inode)) : 0;

        ret_birth->born_real_ns = birth_of(&now);
        if (found && fanotify_found_cancel(o, found)) /* a listing found it under a later name */
            (void)tree_rename(o->tree, found, directory, name, ret);
        else
            (void)tree_put_state(o->tree, directory, name, &now, ret);
        if (S_ISDIR(now.mode) && ret->name) { /* it moved on: listed where it is */
            fanotify_object_walk_at(o, fd, ret->name, cause->silent ? NULL : cause);
            *ret_walked = true;
        }
    }
    close(fd);
}

/* What follows is known by the directory's handle, also where the directory is gone before it can be opened. */
static void walk_new(struct fanotify_object *o, uint32_t name, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    struct fanotify_user user = { o, tree_object_of(o->tree, name), false };

    fanotify_object_walk(o, name, now->silent ? NULL : now);
    if (user.directory && e->object.data.data && !fanotify_handles_has(o->sensor->handles, &user) &&
        fanotify_handles_add(o->sensor->handles, &e->object, &user) == 0)
        (void)fanotify_young_add(o, user.directory, &e->object, -1);
}

static void do_create(struct fanotify_object *o, uint32_t directory, struct bytes name,
                      const struct fanotify_event *e, const struct fanotify_cause *now, const struct tree_change *c, const struct fanotify_birth *birth,
                      bool walked, bool *ret_gone)
{
    struct event *event;

    if (!c->after.known || !c->name) { /* gone again: that it was made is known, not what it was */
        struct fanotify_cause cause = *now;
        bool before = fanotify_made_before(o->sensor, &e->object);

        if (!(e->mask & FAN_ONDIR) && !before)
            cause.note = "gone before it could be looked at: a file, perhaps a link or a special file";
        event = fanotify_event_new(o, e->mask & FAN_ONDIR ? OPERATION_MKDIR : before ? OPERATION_LINK : OPERATION_CREATE,
                                   directory, name, NULL, &cause);
        if (event)
            event->operation_presumed = cause.note != NULL;
        fanotify_send(o, event, &cause);
        if (e->mask & FAN_ONDIR)
            *ret_gone = fanotify_gone_add(o, directory, name, &e->object);
        else if (!(e->mask & FAN_DELETE))
            fanotify_tombstone_add(o, directory, name);
        if (!(e->mask & (FAN_ONDIR | FAN_CLOSE_WRITE)) && !before)
            fanotify_made_open(o->sensor, &e->object, e->pid);
        return;
    }
    if (o->wanted.view == VIEW_UPPER)
        fanotify_upper_appeared(o, directory, name, c->same_object ? NULL : &c->before, birth, now);
    else
        fanotify_emit_new(o, c->name, birth, now);
    if (S_ISDIR(c->after.mode) && !walked)
        walk_new(o, tree_child(o->tree, directory, name), e, now);
}

static void do_delete(struct fanotify_object *o, uint32_t directory, struct bytes name,
                      const struct fanotify_event *e, const struct fanotify_cause *now)
{
    uint32_t entry = present(o, directory, name, e);
    struct tree_change change = { 0 };

    (void)fanotify_tombstone_take(o, directory, name);
    tree_remove(o->tree, entry, &change);
    /* the overlay's own mark of absence goes where a file comes back */
    if (o->wanted.view == VIEW_UPPER && change.before.known && S_ISCHR(change.before.mode) &&
        !(change.before.mode & 07777))
        return;
    if (o->wanted.view == VIEW_UPPER)
        fanotify_upper_gone(o, directory, name);
    fanotify_send(o, fanotify_event_new(o, e->mask & FAN_ONDIR ? OPERATION_RMDIR : OPERATION_UNLINK,
                                        directory, name, &change.before, now), now);
}

/* A file that was opened with O_TMPFILE and linked later goes on by the number that the kernel gave it for a
 * name: what its name is now. */
static uint32_t linked_later(struct fanotify_object *o, uint32_t entry, const struct fanotify_event *e)
{
    _cleanup_close_ int fd = -1;
    struct file_state state;
    uint32_t name;

    if (!e->object.data.data || (e->mask & (FAN_CREATE | FAN_DELETE)))
        return 0;
    fd = fanotify_open_handle(o, &e->object);
    if (fd < 0 || tree_stat(fd, NULL, &state) < 0)
        return 0;
    name = tree_first_name(o->tree, tree_find(o->tree, state.device, state.inode));
    while (name && name == entry)
        name = tree_next_name(o->tree, name);
    return name;
}

static void on_content(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                       const struct fanotify_cause *now, const struct tree_change *change)
{
    uint64_t mask = e->mask;
    bool times_set;

    if (!(mask & FAN_CREATE) && fanotify_made_is_open(o->sensor, &e->object, e->pid, mask & FAN_CLOSE_WRITE)) {
        if (mask & FAN_CLOSE_WRITE)
            mask |= FAN_CREATE;
        else if (change->after.known)
            fanotify_writes_made(o, directory, name, &change->after, now);
    }
    times_set = (mask & FAN_MODIFY) && fanotify_set_times(change, now) && !now->replayed && fanotify_queue_is_alone(o->sensor, e);
    fanotify_written(o, directory, name, mask, times_set, change, now);
}

/* Which came first is not known here: it was there before, so that it went first. */
static void went_and_came(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                          struct fanotify_cause *now, enum fanotify_moved moved)
{
    struct fanotify_birth birth = { 0 };
    struct tree_change change = { 0 };
    bool gone = false;

    do_delete(o, directory, name, e, now);
    (void)fanotify_look(o, directory, name, now, &change);
    now->moved = moved != FANOTIFY_UNMOVED;
    do_create(o, directory, name, e, now, &change, &birth, false, &gone);
    if (!change.after.known)
        do_delete(o, directory, name, e, now);
}

/* What was written, read or executed. */
static void on_use(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                   struct fanotify_cause *now, struct tree_change *change)
{
    bool both = (e->mask & FAN_CREATE) && (e->mask & FAN_DELETE);

    if ((e->mask & FAN_MODIFY) && (e->mask & FAN_ONDIR) && change->before.mtime_ns != change->after.mtime_ns &&
        change->after.known && !(e->mask & FAN_ATTRIB))
        fanotify_send(o, fanotify_event_new(o, OPERATION_UTIME, directory, name, &change->after, now), now);
    else if ((e->mask & CONTENT) && !(e->mask & FAN_ONDIR) && !both)
        on_content(o, directory, name, e, now, change);
    if (e->mask & (FAN_ACCESS | FAN_CLOSE_NOWRITE) && (o->wanted.permissions & 1))
        fanotify_accessed(o, directory, name, OPERATION_READ, now);
    if (e->mask & FAN_OPEN_EXEC)
        fanotify_accessed(o, directory, name, OPERATION_EXEC, now);
}

/* One mask may hold several things that one process did to one file while the event was waiting. */
void fanotify_on_name(struct fanotify_object *o, uint32_t directory, struct bytes name,
                    const struct fanotify_event *e, const struct fanotify_cause *when)
{
    uint32_t entry = present(o, directory, name, e);
    bool both = (e->mask & FAN_CREATE) && (e->mask & FAN_DELETE);
    struct fanotify_birth birth = { 0 };
    struct tree_change change = { 0 };
    char text[LIMIT_NAME + 1];
    uint32_t later;
    bool existed, walked = false, gone = false;
    enum fanotify_moved moved = FANOTIFY_UNMOVED;
    struct fanotify_cause cause = *when, *now = &cause;
    uint32_t folder;

    if (name.data[0] == '#' && (later = linked_later(o, entry, e)) != 0) {
        entry = later;
        directory = tree_parent_of(o->tree, entry);
        name = tree_name(o->tree, entry, text);
    }
    folder = is_self(e) ? tree_object_of(o->tree, entry) : directory;
    if (e->mask & (FAN_CREATE | FAN_DELETE)) {
        fanotify_late_gone_at(o, entry);
        entry = present(o, directory, name, e);
    }
    existed = entry != 0;
    if (e->mask & FAN_CREATE)
        (void)fanotify_found_cancel(o, entry);
    else
        fanotify_late_found_name(o, entry);
    if (e->mask & FAN_DELETE) {
        moved = fanotify_moved_between(o, folder, e, now);
        now->moved = moved == FANOTIFY_MOVED || (!(e->mask & FAN_CREATE) && moved);
    }
    if (both && !o->sensor->features.target && existed) {
        went_and_came(o, directory, name, e, now, moved);
        return;
    }
    if (!(e->mask & FAN_DELETE)) {
        see(o, directory, name, e, now, &change, &birth, &walked);
        moved = fanotify_moved_between(o, folder, e, now); /* after the look: what it saw may have been done later */
        now->moved = moved == FANOTIFY_MOVED || (!(e->mask & FAN_CREATE) && moved);
    } else {
        tree_state(o->tree, tree_object_of(o->tree, entry), &change.before);
        change.name = entry;
        if (e->mask & FAN_MODIFY) /* by the same process before it went */
            tree_forget_contents(o->tree, tree_object_of(o->tree, entry));
    }
    if (e->mask & FAN_CREATE) {
        birth.linked = birth.linked || fanotify_made_before(o->sensor, &e->object);
        if (e->mask & FAN_DELETE)
            change = (struct tree_change){ 0 };
        if (!fanotify_found_was_emitted(o, entry, &change.after, &e->object))
            do_create(o, directory, name, e, now, &change, &birth, walked, &gone);
        now->moved = moved != FANOTIFY_UNMOVED; /* what came first was done where the folder was then */
        if (e->mask & FAN_ATTRIB) {
            fanotify_unexplained_drop(o, &change.after); /* a listing had found it in the making */
            fanotify_made_with_attributes(o, directory, name, &change, now);
        }
        if (!(e->mask & FAN_CLOSE_WRITE) && change.after.known && !birth.linked)
            fanotify_writes_made(o, directory, name, &change.after, now);
    } else if (e->mask & FAN_ATTRIB) {
        fanotify_attributes(o, directory, name, e, &change, now);
    }
    on_use(o, directory, name, e, now, &change);
    o->sensor->born_real_ns = 0;
    if ((e->mask & (FAN_CREATE | FAN_DELETE)) || e->object.data.data) /* whatever was done to it: it was there */
        fanotify_arrival_note(o, directory, name, e->mask & FAN_DELETE ? NULL : &e->object);
    if ((e->mask & FAN_DELETE) && gone)
        fanotify_late_end(o, tree_object_of(o->tree, tree_child(o->tree, directory, name)), now);
    else if (e->mask & FAN_DELETE)
        do_delete(o, directory, name, e, now);
}

/* A directory's own event names it ".": it is a name in the one above, like all others. */
void fanotify_on_self(struct fanotify_object *o, uint32_t directory, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    uint32_t name = tree_first_name(o->tree, directory);
    struct tree_change change;
    char text[LIMIT_NAME + 1];
    int fd;

    if (name) {
        fanotify_on_name(o, tree_parent_of(o->tree, name), tree_name(o->tree, name, text), e, now);
        return;
    }
    if (o->base.len || directory != tree_root(o->tree))
        return;
    fd = fanotify_object_directory(o, directory);
    if ((e->mask & FAN_ATTRIB) && fd >= 0 &&
        tree_refresh_object(o->tree, fd, directory, &change, NULL) == 0)
        fanotify_attributes(o, directory, bytes_of(""), e, &change, now);
}

/* ---- two halves of a move, where the kernel does not report them as one ---- */
