/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/rename_above.h"

#include <sys/fanotify.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/handles.h"
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/resolve.h"

/* The part of the path that an ancestor's user watches: the component number `depth`. */
static struct bytes component(const struct fanotify_object *o, uint32_t depth, size_t *ret_end)
{
    struct bytes p = o->parent;
    size_t at = 0;

    for (;; depth--) {
        size_t start;

        while (at < p.len && p.data[at] == '/')
            at++;
        start = at;
        while (at < p.len && p.data[at] != '/')
            at++;
        if (depth == 0 || at == p.len) {
            *ret_end = at;
            return depth == 0 ? (struct bytes){ p.data + start, at - start } : BYTES_NULL;
        }
    }
}

/* The directory that holds this component of the path, as the path has it. */
static struct bytes above(const struct fanotify_object *o, uint32_t depth)
{
    size_t end = 0;

    if (depth)
        (void)component(o, depth - 1, &end);
    return end ? (struct bytes){ o->parent.data, end } : bytes_of("/");
}

/* A directory on the way to the path: where it is, the path says. */
static bool is_on_the_way(const struct fanotify_object *o, const struct fanotify_handle *directory, struct bytes *ret)
{
    struct fanotify_user user;
    uint32_t at = 0;

    while (fanotify_handles_next(o->sensor->handles, directory, &at, &user))
        if (user.object == o && user.ancestor) {
            *ret = above(o, user.directory);
            return true;
        }
    return false;
}

void fanotify_rename_outside(struct fanotify_object *o, const struct fanotify_place *place, struct event *e, struct bytes *field)
{
    struct sbuf path = SBUF_INIT;
    struct bytes known;

    *field = BYTES_NULL;
    if (!place->name.len)
        return;
    if (is_on_the_way(o, &place->directory, &known))
        sbuf_add_bytes(&path, known);
    else
        (void)fanotify_resolve(o, &place->directory, &path);
    if (path.len) {
        if (path.len > 1)
            sbuf_add_char(&path, '/');
        sbuf_add_bytes(&path, place->name);
        event_set(e, field, sbuf_bytes(&path));
    }
    sbuf_done(&path);
}

static bool was_emitted_above(const struct fanotify_object *o, const struct fanotify_event *e)
{
    for (const struct fanotify_object *m = o->sensor->objects; m; m = m->next)
        if (m != o && m->wanted.group == o->wanted.group && m->emitted_above == e)
            return true;
    return false;
}

/* What the index knows goes with a directory above, until that comes back. Another one that comes there is looked at later. */
static void note_carried(struct fanotify_object *o, const struct fanotify_event *e, bool away)
{
    uint64_t moved = e->object.data.data ? fanotify_handle_hash(&e->object) : 1;

    if (away)
        o->carried_away = moved;
    else if (moved == 1 || o->carried_away == 1 || o->carried_away == moved || o->wanted.view == VIEW_MERGED) /* or it is not known */
        o->carried_away = 0;
}

/* The directory where an overlay prepares what it copies up or makes over a whiteout, and clears away what was removed (WORKDIR/work), each
 * under a number: for those who look through the overlay nothing moves there. */
static bool is_overlays_own(struct fanotify_object *o, const struct fanotify_place *place)
{
    struct sbuf path = SBUF_INIT;
    bool own;

    if (o->wanted.view != VIEW_UPPER || !bytes_starts_with(place->name, bytes_of("#")))
        return false;
    own = fanotify_resolve(o, &place->directory, &path) == 0 && bytes_equal(bytes_basename(sbuf_bytes(&path)), bytes_of("work"));
    sbuf_done(&path);
    return own;
}

void fanotify_rename_above(struct fanotify_object *o, uint32_t depth, const struct fanotify_event *e, bool away,
                           const struct fanotify_cause *now)
{
    size_t end;
    struct bytes part = component(o, depth, &end), moved = { o->parent.data, end };
    struct event *event = NULL;

    if (!part.len || !bytes_equal(part, away ? e->from.name : e->to.name))
        return;
    /* what is there now was looked at later; or another view of the same files emitted it */
    if (now->replayed || was_emitted_above(o, e)) {
        fanotify_object_request_recheck(o, now->to_real_ns);
        if (!now->replayed)
            note_carried(o, e, away);
        return;
    }
    note_carried(o, e, away);
    o->emitted_above = e;
    if (!is_overlays_own(o, away ? &e->to : &e->from))
        event = fanotify_event_bare(o, OPERATION_RENAME, now);
    if (event && away) {
        event_set(event, &event->previous_path, moved);
        fanotify_rename_outside(o, &e->to, event, &event->path);
    } else if (event) {
        event_set(event, &event->path, moved);
        fanotify_rename_outside(o, &e->from, event, &event->previous_path);
    }
    o->arrived |= !away;
    if (event)
        fanotify_send(o, event, now);
    fanotify_object_request_recheck(o, now->to_real_ns);
    if (!away && !o->tree) { /* at once: what the queue has next may be about what came */
        fanotify_object_came(o, e->mask & FAN_ONDIR, NULL, now);
        fanotify_replaced_gap(o, o->recheck_real_ns);
        o->recheck_real_ns = 0;
        o->arrived = false;
    }
}
