/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/rename.h"

#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/handles.h"
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/moved.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/overlay.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/resolve.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/rename_above.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/window.h"
#include "util/limits.h"

static bool is_same_directory(const struct fanotify_handle *a, const struct fanotify_handle *b)
{
    return a->data.len && fanotify_handle_equal(a, b);
}

/* A name beside `path`: not every file system opens a directory by its handle, and here there is no need to. */
static void beside(struct event *e, struct bytes path, struct bytes name, struct bytes *field)
{
    struct sbuf other = SBUF_INIT;
    struct bytes directory = bytes_dirname(path);

    if (!name.len || !directory.len)
        return;
    sbuf_add_bytes(&other, directory);
    if (directory.len > 1)
        sbuf_add_char(&other, '/');
    sbuf_add_bytes(&other, name);
    event_set(e, field, sbuf_bytes(&other));
    sbuf_done(&other);
}

static void emit_rename(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to,
                        const struct fanotify_event *e, const struct file_state *file, const struct fanotify_cause *now)
{
    const struct rename_end *known = to->here ? to : from;
    struct event *event = fanotify_event_new(o, OPERATION_RENAME, known->directory, known->name, file,
                                             now);
    struct sbuf path = SBUF_INIT;

    if (!event)
        return;
    if (!to->here) {
        event->previous_path = event->path;
        event->path = BYTES_NULL;
        if (is_same_directory(&e->from.directory, &e->to.directory))
            beside(event, event->previous_path, e->to.name, &event->path);
        else
            fanotify_rename_outside(o, &e->to, event, &event->path);
    } else if (!from->here) {
        if (is_same_directory(&e->from.directory, &e->to.directory))
            beside(event, event->path, e->from.name, &event->previous_path);
        else
            fanotify_rename_outside(o, &e->from, event, &event->previous_path);
    } else if (fanotify_path(o, from->directory, from->name, &path) == 0) {
        event_set(event, &event->previous_path, sbuf_bytes(&path));
    }
    sbuf_done(&path);
    fanotify_send(o, event, now);
}

static void emit_replaced(struct fanotify_object *o, const struct rename_end *to, const struct file_state *victim, const struct fanotify_cause *now)
{
    static const struct file_state unknown = { 0 };
    bool tombstone = fanotify_tombstone_take(o, to->directory, to->name); /* what was there was gone before it was looked at */

    if (victim->known || tombstone)
        fanotify_send(o, fanotify_event_new(o, OPERATION_REPLACE, to->directory, to->name, tombstone ? &unknown : victim,
                                            now), now);
}

/* It was gone before anybody could look: what is there now came later, and has an event of its own. */
static void move_tombstone(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    uint32_t there = tree_child(o->tree, to->directory, to->name);
    struct tree_change change = { 0 };
    struct file_state gone = { 0 };

    if (there) {
        bool later = fanotify_found_cancel(o, there); /* a listing found it */

        tree_remove(o->tree, there, &change);
        if (later)
            change.before = (struct file_state){ 0 };
    }
    emit_rename(o, from, to, e, &gone, now);
    emit_replaced(o, to, &change.before, now);
    fanotify_tombstone_add(o, to->directory, to->name);
}

/* A listing found it under the name that it has now; made it was under another, before anybody looked. */
static void emit_made_first(struct fanotify_object *o, const struct rename_end *from, const struct file_state *file, const struct fanotify_cause *now)
{
    struct fanotify_cause cause = *now;
    struct event *event;

    cause.presumed = true;
    cause.note = FOUND_NOTE;
    event = fanotify_event_new(o, S_ISDIR(file->mode) ? OPERATION_MKDIR : OPERATION_CREATE, from->directory, from->name, file, &cause);
    if (event)
        event->operation_presumed = true;
    fanotify_send(o, event, now);
}

/* Both names are still there, each with the other's file. */
static bool is_exchange(struct fanotify_object *o, const struct rename_end *from, uint32_t victim)
{
    int fd = victim ? fanotify_object_directory(o, from->directory) : -1;
    struct file_state now;
    char text[LIMIT_NAME + 1];

    if (fd < 0)
        return false;
    memcpy(text, from->name.data, from->name.len);
    text[from->name.len] = '\0';
    return tree_stat_at(o->tree, fd, text, &now) == 0 && tree_is_that(o->tree, tree_object_of(o->tree, victim), &now);
}

static bool concerns(const struct fanotify_event *e, const struct fanotify_place *place)
{
    return fanotify_place_equal(&e->at, place) || fanotify_place_equal(&e->from, place) || fanotify_place_equal(&e->to, place);
}

/* The kernel reports an exchange as two moves, the second behind the first and the other way round; only what others do
 * elsewhere may come between. Where the files are reported too it is certain: what is moved back is the same file, what is
 * exchanged is another. */
static bool exchange_follows(struct sensor *s, const struct fanotify_event *e, uint64_t *ret_other, const struct fanotify_cause *now)
{
    struct fanotify_ahead at = { 0 };
    struct fanotify_event next;

    *ret_other = 0;

    if (now->replayed || !(e->mask & FANOTIFY_RENAME) || !e->object.data.len)
        return false;
    while (fanotify_queue_ahead(s, &at, &next)) {
        bool back;

        if (next.from_layer != e->from_layer) /* the same once more */
            continue;
        back = (next.mask & FANOTIFY_RENAME) && fanotify_place_equal(&next.from, &e->to) && fanotify_place_equal(&next.to, &e->from);

        if (back && next.pid == e->pid && next.object.data.len && !fanotify_handle_equal(&next.object, &e->object))
            *ret_other = fanotify_handle_hash(&next.object);
        if (next.pid == e->pid || back || concerns(&next, &e->from) || concerns(&next, &e->to))
            break;
    }
    return *ret_other != 0;
}

/* One of them, or both, were gone before anybody looked: what is known goes to its new name. The next event has the other
 * half. */
static void exchange_unseen(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to, const struct fanotify_event *e,
                            uint32_t moved, uint32_t there, uint64_t other, const struct fanotify_cause *now)
{
    bool from_tombstone = fanotify_tombstone_take(o, from->directory, from->name), to_tombstone = fanotify_tombstone_take(o, to->directory, to->name);
    struct file_state state = { 0 };
    struct tree_change change;

    if (moved)
        tree_state(o->tree, tree_object_of(o->tree, moved), &state);
    if (moved)
        (void)tree_rename(o->tree, moved, to->directory, to->name, &change);
    else if (there)
        (void)tree_rename(o->tree, there, from->directory, from->name, &change);
    if (to_tombstone)
        fanotify_tombstone_add(o, from->directory, from->name);
    if (from_tombstone)
        fanotify_tombstone_add(o, to->directory, to->name);
    o->exchange.pid = e->pid;
    o->exchange.unseen = other;
    emit_rename(o, from, to, e, &state, now);
}

/* By a handle of a folder, also where it is gone. */
static bool is_folder_of(const struct fanotify_object *o, uint32_t directory, const struct fanotify_handle *handle)
{
    struct fanotify_user user;
    uint32_t at = 0;

    while (fanotify_handles_next(o->sensor->handles, handle, &at, &user))
        if (user.object == o && !user.ancestor && user.directory == directory)
            return true;
    return false;
}

/*
 * The same move twice is one event, emitted with the first. So what comes back here may be there already by the index, and
 * the one that the index has at the old name is gone: a folder has but one name, so that it went there, over the other one.
 */
static bool came_back(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to, const struct fanotify_event *e,
                      uint32_t moved, uint32_t there, const struct fanotify_cause *now)
{
    uint32_t object = tree_object_of(o->tree, there);
    bool folder = object && is_folder_of(o, object, &e->object);
    struct tree_change gone = { 0 };
    struct file_state state = { 0 };

    /* a second name of the same file is never replaced: such a rename does nothing, and is no event */
    if (object && object == tree_object_of(o->tree, moved) && !fanotify_found_has(o, there)) {
        tree_state(o->tree, object, &state);
        tree_remove(o->tree, moved, &gone);
        emit_rename(o, from, to, e, &state, now);
        return true;
    }
    tree_state(o->tree, object, &state);
    if (!e->object.data.len || !object || object == tree_object_of(o->tree, moved) || !(folder || fanotify_arrival_is(o, to->directory, to->name, &e->object) ||
                                            (!fanotify_found_has(o, there) && fanotify_handle_may_be(&e->object, state.inode))))
        return false;
    (void)fanotify_found_cancel(o, there);
    tree_remove(o->tree, moved, &gone);
    if (folder) {
        emit_rename(o, to, from, e, &state, now);
        emit_replaced(o, from, &gone.before, now);
    }
    emit_rename(o, from, to, e, &state, now);
    return true;
}

/* The same, and what was at the old name was gone before anybody looked: what comes back now replaced it. */
static bool came_back_from_unseen(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to,
                                  const struct fanotify_event *e, uint32_t there, const struct fanotify_cause *now)
{
    struct file_state state = { 0 };

    tree_state(o->tree, tree_object_of(o->tree, there), &state);
    if (!state.known || !e->object.data.len || !fanotify_handle_may_be(&e->object, state.inode))
        return false;
    (void)fanotify_tombstone_take(o, from->directory, from->name);
    emit_rename(o, from, to, e, &state, now);
    return true;
}

/* In an upper layer: what covered a lower file leaves a whiteout behind, and may replace one, which is nothing that was there. */
static void covers_lower(struct fanotify_object *o, const struct rename_end *from, struct file_state *replaced, const struct fanotify_cause *now)
{
    struct tree_change left;

    if (replaced->known && S_ISCHR(replaced->mode) && !(replaced->mode & 07777))
        *replaced = (struct file_state){ 0 };
    fanotify_upper_gone(o, from->directory, from->name);
    (void)fanotify_look(o, from->directory, from->name, now, &left);
}

static void within(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to,
                   const struct fanotify_event *e, const struct fanotify_cause *now)
{
    uint32_t moved = tree_child(o->tree, from->directory, from->name);
    uint32_t there = tree_child(o->tree, to->directory, to->name);
    struct tree_change change = { 0 };
    struct file_state state;
    pid_t pid = now->pid;
    uint64_t other = 0;
    /* an overlay exchanges a file with a whiteout in its upper layer, for a rename */
    bool exchanged = o->wanted.view != VIEW_UPPER && exchange_follows(o->sensor, e, &other, now);

    fanotify_late_gone_at(o, there);
    there = tree_child(o->tree, to->directory, to->name);
    if (fanotify_found_later(o, moved, &e->object))
        moved = 0;
    fanotify_late_found_name(o, moved);
    if (o->exchange.unseen && o->exchange.pid == pid && o->exchange.unseen == fanotify_handle_hash(&e->object)) {
        tree_state(o->tree, tree_object_of(o->tree, there), &state);
        o->exchange.pid = 0;
        o->exchange.unseen = 0;
        emit_rename(o, from, to, e, &state, now);
        return;
    }
    if (exchanged && !(moved && there)) {
        fanotify_late_found_name(o, there);
        exchange_unseen(o, from, to, e, moved, there, other, now);
        return;
    }
    if (!o->exchange.unseen && o->exchange.pid == pid && pid && moved && o->exchange.to == moved && o->exchange.from == there) {
        o->exchange.pid = 0;
        tree_state(o->tree, tree_object_of(o->tree, there), &state);
        emit_rename(o, from, to, e, &state, now);
        return;
    }
    if (o->exchange.pid == pid) {
        o->exchange.pid = 0;
        o->exchange.unseen = 0;
    }
    if (moved && there && (exchanged || is_exchange(o, from, there))) {
        (void)tree_exchange(o->tree, moved, there);
        o->exchange.pid = pid;
        o->exchange.unseen = 0;
        o->exchange.from = tree_child(o->tree, from->directory, from->name);
        o->exchange.to = tree_child(o->tree, to->directory, to->name);
        tree_state(o->tree, tree_object_of(o->tree, o->exchange.to), &state);
        emit_rename(o, from, to, e, &state, now);
        return;
    }
    if (!moved && there && o->wanted.view != VIEW_UPPER && !fanotify_found_has(o, there) && came_back_from_unseen(o, from, to, e, there, now))
        return;
    if (!moved && o->wanted.view != VIEW_UPPER && fanotify_tombstone_take(o, from->directory, from->name)) {
        move_tombstone(o, from, to, e, now);
        return;
    }
    if (moved && there && o->wanted.view != VIEW_UPPER && came_back(o, from, to, e, moved, there, now))
        return;
    if (fanotify_found_cancel(o, there) && !moved) {
        tree_state(o->tree, tree_object_of(o->tree, there), &state);
        emit_made_first(o, from, &state, now);
    }
    if (!moved || tree_rename(o->tree, moved, to->directory, to->name, &change) < 0) {
        (void)fanotify_look(o, to->directory, to->name, now, &change);
        if (change.same_object)
            change.before = (struct file_state){ 0 };
        if (change.name && S_ISDIR(change.after.mode))
            fanotify_object_walk(o, change.name, NULL);
    }
    if (change.after.known & FILE_INODE)
        fanotify_unexplained_renamed(o, &change.after);
    emit_rename(o, from, to, e, &change.after, now);
    if (o->wanted.view == VIEW_UPPER)
        covers_lower(o, from, &change.before, now);
    emit_replaced(o, to, &change.before, now);
}

static void out_of(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to,
                   const struct fanotify_event *e, const struct fanotify_cause *now)
{
    uint32_t entry = tree_child(o->tree, from->directory, from->name);
    struct tree_change change = { 0 };

    fanotify_late_found_name(o, entry);
    if (o->wanted.view == VIEW_UPPER) {
        struct tree_change at_old;
        struct sbuf path = SBUF_INIT;
        bool work;

        tree_state(o->tree, tree_object_of(o->tree, entry), &change.before);
        if (fanotify_look(o, from->directory, from->name, now, &at_old) == 0 && at_old.after.known)
            return; /* something came for it: emitted with that */
        work = fanotify_resolve(o, &e->to.directory, &path) == 0 && memmem(path.data, path.len, "/work/", 6);
        sbuf_done(&path);
        if (!work && !(S_ISCHR(change.before.mode)))
            emit_rename(o, from, to, e, &change.before, now);
        else if (change.before.known && !S_ISCHR(change.before.mode))
            fanotify_send(o, fanotify_event_new(o, S_ISDIR(change.before.mode) ? OPERATION_RMDIR
                                                                              : OPERATION_UNLINK,
                                                from->directory, from->name, &change.before,
                                                now), now);
        fanotify_upper_gone(o, from->directory, from->name);
        return;
    }
    if (tree_is_directory(o->tree, tree_object_of(o->tree, entry))) { /* numbers below it are given up */
        fanotify_late_found(o->sensor);
        fanotify_late_gone(o->sensor);
    }
    tree_remove(o->tree, entry, &change);
    emit_rename(o, from, to, e, &change.before, now);
}

static void into(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to,
                 const struct fanotify_event *e, const struct fanotify_cause *now)
{
    uint32_t entry = tree_child(o->tree, to->directory, to->name);
    struct file_state victim = { 0 };
    struct tree_change change;

    (void)fanotify_found_cancel(o, entry);
    if (!now->replayed) /* else what is there now came later */
        tree_state(o->tree, tree_object_of(o->tree, entry), &victim);
    (void)fanotify_look(o, to->directory, to->name, now, &change);
    if (o->wanted.view == VIEW_UPPER) {
        bool directory = change.name && S_ISDIR(change.after.mode) && !change.same_object;

        if (change.name)
            fanotify_upper_appeared(o, to->directory, to->name,
                                    victim.known && !change.same_object ? &victim : NULL,
                                    NULL, now);
        if (directory)
            fanotify_object_walk(o, tree_child(o->tree, to->directory, to->name), now);
        return;
    }
    emit_rename(o, from, to, e, &change.after, now);
    if (!change.same_object) /* else it was looked at since it came: what was there is not known */
        emit_replaced(o, to, &victim, now);
    if (change.name && S_ISDIR(change.after.mode))
        fanotify_object_walk(o, tree_child(o->tree, to->directory, to->name), NULL);
}

static bool find_side(struct sensor *s, struct fanotify_object *o, const struct fanotify_place *place,
                      bool away, const struct fanotify_event *e, struct rename_end *ret, const struct fanotify_cause *now)
{
    struct fanotify_user user;
    uint32_t at = 0;
    bool named = false;

    *ret = (struct rename_end){ .name = place->name };
    while (fanotify_handles_next(s->handles, &place->directory, &at, &user)) {
        if (user.object != o)
            continue;
        if (user.ancestor) {
            fanotify_rename_above(o, user.directory, e, away, now);
            named = true;
        } else if (o->tree && !o->carried_away && place->name.len && place->name.len <= LIMIT_NAME &&
                   fanotify_object_covers(o, user.directory, place->name)) {
            ret->here = true;
            ret->directory = user.directory;
        }
    }
    return named || ret->here;
}

static void note_arrival(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to, const struct fanotify_handle *object)
{
    if (from->here && fanotify_arrival_is(o, from->directory, from->name, object)) /* else an exchange has brought another one */
        fanotify_arrival_note(o, from->directory, from->name, NULL);
    if (to->here)
        fanotify_arrival_note(o, to->directory, to->name, object);
}

static void note_move(struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to, const struct fanotify_event *e)
{
    struct fanotify_user user;
    uint32_t at = 0;

    if (from->here)
        fanotify_found_moved(o, tree_object_of(o->tree, tree_child(o->tree, from->directory, from->name)));
    if (!from->here || !to->here)
        return;
    while (e->object.data.data && fanotify_handles_next(o->sensor->handles, &e->object, &at, &user))
        if (user.object == o && !user.ancestor)
            fanotify_restless_add(o, user.directory, from, to);
}

/* What is in a folder that went to and fro. */
static bool is_restless(const struct fanotify_object *o, const struct rename_end *from, const struct rename_end *to)
{
    return (from->here && fanotify_restless_is(o, from->directory)) || (to->here && fanotify_restless_is(o, to->directory));
}

void fanotify_rename(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *when)
{
    struct fanotify_object *next;
    struct fanotify_user user;
    uint32_t at = 0;

    /* renames of the whole file system come here: most concern nobody */
    if (!fanotify_handles_next(s->handles, &e->from.directory, &at, &user) &&
        (at = 0, !fanotify_handles_next(s->handles, &e->to.directory, &at, &user))) {
        if (s->window_on && !when->replayed)
            fanotify_window_hold(s, e, when);
        return;
    }
    for (struct fanotify_object *o = s->objects; o; o = next) {
        struct fanotify_cause cause = *when, *now = &cause;
        struct rename_end from, to;

        next = o->next;
        if (o->tombstone_until_ms || (when->replayed && !o->claims))
            continue;
        (void)find_side(s, o, &e->from, true, e, &from, now);
        (void)find_side(s, o, &e->to, false, e, &to, now);
        for (const struct fanotify_object *m = s->objects; m != o && !cause.silent && (from.here || to.here);
             m = m->next)
            cause.silent = m->wanted.group == o->wanted.group && m->emitted_rename == e;
        o->emitted_rename = from.here || to.here ? e : NULL;
        if (e->mask & FAN_ONDIR)
            note_move(o, &from, &to, e);
        cause.moved = is_restless(o, &from, &to);
        if (from.here && to.here)
            within(o, &from, &to, e, now);
        else if (from.here)
            out_of(o, &from, &to, e, now);
        else if (to.here)
            into(o, &from, &to, e, now);
        note_arrival(o, &from, &to, &e->object);
    }
    for (struct fanotify_object *o = s->objects; o; o = o->next)
        o->emitted_rename = o->emitted_above = NULL;
}
