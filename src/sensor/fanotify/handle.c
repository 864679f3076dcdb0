/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/handle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/young.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/meaning.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/rename.h"
#include "sensor/fanotify/window.h"
#include "util/clock.h"
#include "util/limits.h"

static void on_user(const struct fanotify_user *user, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    struct fanotify_object *o = user->object;

    if (o->tombstone_until_ms || (now->replayed && !o->claims))
        return;
    if (user->ancestor) {
        if (o->waiting.len && bytes_equal(e->at.name, o->waiting) && (e->mask & FAN_CREATE))
            fanotify_object_came(o, e->mask & FAN_ONDIR, now, now);
        return;
    }
    if (!o->tree || o->carried_away)
        return;
    if ((e->mask & FAN_DELETE_SELF) && o->base.len && user->directory == tree_root(o->tree))
        fanotify_object_request_recheck(o, now->to_real_ns); /* the directory that holds the path: another may be there already */
    else if (bytes_equal_str(e->at.name, "."))
        fanotify_on_self(o, user->directory, e, now);
    else if (e->at.name.len && e->at.name.len <= LIMIT_NAME &&
             fanotify_object_covers(o, user->directory, e->at.name))
        fanotify_on_name(o, user->directory, e->at.name, e, now);
}

static void on_error(struct sensor *s, const struct fanotify_event *e)
{
    log_warn(s->options.log,
             "the file system reports an error of its own (%s, %u times): files may be damaged without "
             "anybody changing them; see dmesg",
             errno_name(e->error) ? errno_name(e->error) : "?", e->error_count);
}

/* ---- two halves of a move, where the kernel does not report them as one ---- */

static void hold_half(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    size_t handle = e->at.directory.data.len, name = e->at.name.len;

    fanotify_moved_flush(s);
    if (handle > FANOTIFY_HANDLE_MAX || name > LIMIT_NAME)
        return;
    s->moved = *e;
    memcpy(s->moved_bytes, e->at.directory.data.data, handle);
    memcpy(s->moved_bytes + handle, e->at.name.data, name);
    s->moved.from.directory = e->at.directory;
    s->moved.from.directory.data.data = s->moved_bytes;
    s->moved.from.name = (struct bytes){ s->moved_bytes + handle, name };
    s->moved.to = (struct fanotify_place){ 0 };
    s->moved.bytes = NULL;
    s->moved_cause = *now;
}

void fanotify_moved_flush(struct sensor *s)
{
    if (!s->moved.pid)
        return;
    fanotify_rename(s, &s->moved, &s->moved_cause);
    s->moved.pid = 0;
}

static void on_halves(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    struct fanotify_event whole = *e;

    if ((e->mask & FAN_MOVED_FROM) && (e->mask & FAN_MOVED_TO))
        return; /* away and back again before anybody looked */
    if (e->mask & FAN_MOVED_FROM) {
        hold_half(s, e, now);
        return;
    }
    whole.to = e->at;
    if (s->moved.pid == e->pid && (s->moved.mask & FAN_ONDIR) == (e->mask & FAN_ONDIR)) {
        whole.from = s->moved.from;
        s->moved.pid = 0;
    }
    fanotify_rename(s, &whole, now);
}

/* ---- all objects ---- */

/* A volume below a watched path is reached through the overlay, and is watched by its place on the host
 * too: one change, emitted by the view that is nearest to the victim. */
static int by_view(const void *a, const void *b)
{
    const struct fanotify_user *x = a, *y = b;
    int i = (int)x->object->wanted.view, j = (int)y->object->wanted.view;

    return i != j ? (i > j) - (i < j) : (x->object->wanted.id > y->object->wanted.id) - (x->object->wanted.id < y->object->wanted.id);
}

static bool emits(const struct fanotify_user *user)
{
    return !user->ancestor && user->object->tree && !user->object->tombstone_until_ms;
}

static bool waits(struct sensor *s, bool (*is_that)(void *data, const struct fanotify_event *e), void *data)
{
    struct fanotify_ahead at = { 0 };
    struct fanotify_event next;

    while (fanotify_queue_ahead(s, &at, &next))
        if (is_that(data, &next))
            return true;
    return false;
}

void fanotify_handle_event(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    struct fanotify_event rest = *e;
    struct fanotify_user *users = NULL, user;
    size_t count = 0, size = 0;
    uint32_t at = 0;

    if (e->mask & FAN_Q_OVERFLOW) {
        s->overflow = true;
        return;
    }
    if (e->pid == s->options.self)
        return;
    if (e->mask & FANOTIFY_FS_ERROR) {
        on_error(s, e);
        return;
    }
    if (!fanotify_young_take(s, &rest, now->replayed ? NULL : waits))
        return;
    if (s->moved.pid && (s->moved.pid == e->pid || !(e->mask & FAN_MOVED_TO)) && !(e->mask & FAN_MOVED_TO))
        fanotify_moved_flush(s);
    if (rest.mask & FANOTIFY_RENAME) {
        fanotify_rename(s, &rest, now);
        return;
    }
    if (rest.mask & FAN_MOVE) {
        /* merged with other things that were done to the name: those come after it arrived or before it
         * went */
        on_halves(s, e, now);
        rest.mask &= ~(uint64_t)FAN_MOVE;
        if (!(rest.mask & ~(uint64_t)(FAN_ONDIR | FAN_EVENT_ON_CHILD)))
            return;
    }
    while (fanotify_handles_next(s->handles, &e->at.directory, &at, &user)) {
        if (count == size) {
            struct fanotify_user *bigger = reallocarray(users, size ? size * 2 : 16, sizeof(*users));

            if (!bigger) {
                s->lost_paths++;
                break;
            }
            users = bigger;
            size = size ? size * 2 : 16;
        }
        users[count++] = user;
    }
    if (count == 0 && s->window_on && !now->replayed)
        fanotify_window_hold(s, e, now);
    if (count > 1)
        qsort(users, count, sizeof(*users), by_view);
    for (size_t i = 0; i < count; i++) {
        struct fanotify_cause cause = *now;

        for (size_t j = 0; j < i && !cause.silent; j++)
            cause.silent = emits(&users[j]) && users[j].object != users[i].object &&
                           users[j].object->wanted.group == users[i].object->wanted.group;
        on_user(&users[i], &rest, &cause);
    }
    free(users);
    if ((rest.mask & FAN_CREATE) && (count || !s->window_on)) /* else it is looked at once more */
        fanotify_made_note(s, &rest.object);
}

/* ---- the start-up buffer ---- */

/* It stays: others may come that it belongs to as well. */
static bool replay(void *data, const void *entry)
{
    const struct fanotify_startup_entry *startup = entry;
    struct fanotify_cause cause = startup->cause;
    struct sensor *s = data;
    struct fanotify_event e;

    if (fanotify_decode((struct bytes){ startup->bytes, startup->len }, &e, NULL) < 0)
        return false;
    cause.replayed = cause.in_turn = true;
    fanotify_handle_event(s, &e, &cause);
    return false;
}

/* Who came since the last time looks through the start-up buffer. */
static bool take_fresh(struct sensor *s)
{
    bool any = s->any_fresh;

    if (!any && !s->any_claims)
        return false;
    for (struct fanotify_object *o = s->objects; o; o = o->next) {
        o->claims = o->fresh;
        o->fresh = false;
    }
    s->any_fresh = false;
    s->any_claims = any;
    return any;
}

void fanotify_handle_startup(struct sensor *s)
{
    struct startup_buffer *startup = fanotify_window_startup(s->window);

    while (take_fresh(s)) { /* emitting may bring a notification of another container, and its objects */
        uint64_t lost = startup_buffer_take_lost(startup, clock_ms(CLOCK_MONOTONIC));

        if (lost)
            fanotify_gap(s, LOST_WATCH_WINDOW, lost, s->empty_real_ns, "changes while a container was starting");
        startup_buffer_replay(startup, replay, s);
    }
    if (!s->window_on)
        startup_buffer_clear(startup);
}
