/* SPDX-License-Identifier: MIT */
#include "watch/watchset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/operation.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/sbuf.h"
#include "watch/count.h"
#include "watch/resolve.h"

/* One resolved view of a watch. */
struct object {
    struct object *next;
    struct arena arena;
    struct place place;
};

struct watch {
    struct target target;
    uint32_t index;
    uint32_t group;
    struct object *objects;
    struct container *container; /* owned reference; NULL: host, or not there (yet) */
    bool up;                     /* the container runs, as far as the engines have told */
    bool waiting_said, missing_said;
    uint64_t previous_start_ns;  /* of the start before container->started_ns */
    uint64_t layer_files;        /* regular files below the path in its own layer when it went down */
    struct bytes dropped_id;     /* the container that was destroyed last, in target.arena */
};

struct watchset {
    struct watchset_options options;
    struct watch **watches;
    size_t count;
    struct found {
        struct watch *watch;
        struct object *object; /* NULL: removed */
    } *by_id;                  /* index is the object's id: an event names its object by it */
    uint32_t next_object;
    struct sbuf text;
    bool window;
};

int watchset_new(const struct watchset_options *options, struct watchset **ret, struct err *err)
{
    struct watchset *set = calloc(1, sizeof(*set));

    if (!set)
        return err_set(err, -ENOMEM, "watches");
    set->options = *options;
    set->next_object = 1;
    *ret = set;
    return 0;
}

static void object_free(struct object *o)
{
    arena_done(&o->arena);
    free(o);
}

void watchset_free(struct watchset *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        struct watch *w = set->watches[i];

        while (w->objects) {
            struct object *o = w->objects;

            w->objects = o->next;
            object_free(o);
        }
        container_unref(w->container);
        target_done(&w->target);
        free(w);
    }
    free(set->watches);
    free(set->by_id);
    sbuf_done(&set->text);
    free(set);
}

static bool same_place(const struct watch_object *a, const struct watch_object *b)
{
    return a->view == b->view && a->ns_pid == b->ns_pid && bytes_equal(a->path, b->path);
}

static struct object *find_place(const struct watch *w, const struct watch_object *wanted)
{
    for (struct object *o = w->objects; o; o = o->next)
        if (same_place(&o->place.object, wanted))
            return o;
    return NULL;
}

static int add_object(struct watchset *set, struct watch *w, const struct place *place,
                      struct err *err)
{
    struct found *by_id = reallocarray(set->by_id, set->next_object + 1, sizeof(*by_id));
    struct object *o = calloc(1, sizeof(*o));
    struct watch_object *object;
    int r;

    if (by_id)
        set->by_id = by_id;
    if (!o || !by_id) {
        free(o);
        return err_set(err, -ENOMEM, "watches");
    }
    o->place = *place;
    object = &o->place.object;
    object->path = arena_copy(&o->arena, place->object.path);
    object->host_path = arena_copy(&o->arena, place->object.host_path);
    o->place.victim_path = arena_copy(&o->arena, place->victim_path);
    o->place.shown_host_path = arena_copy(&o->arena, place->shown_host_path);
    object->id = set->next_object++;
    set->by_id[object->id] = (struct found){ 0 };
    object->group = w->group;
    object->permissions = set->options.permissions;
    object->writes = set->options.writes;
    r = object->path.data ? set->options.add(set->options.data, object, err) : -ENOMEM;
    if (r < 0) {
        object_free(o);
        return r;
    }
    set->by_id[object->id] = (struct found){ w, o };
    o->next = w->objects;
    w->objects = o;
    return 0;
}

/* Make the watch's objects equal to `places`: what stays is not touched, so that nothing blinks. */
static int set_places(struct watchset *set, struct watch *w, const struct place *places, size_t n,
                      struct err *err)
{
    struct object **at = &w->objects;
    int first_error = 0;

    for (size_t i = 0; i < n; i++) {
        int r;

        if (find_place(w, &places[i].object))
            continue;
        r = add_object(set, w, &places[i], first_error ? NULL : err);
        if (r < 0 && first_error == 0)
            first_error = r;
    }
    while (*at) {
        struct object *o = *at;
        bool wanted = false;

        for (size_t i = 0; i < n && !wanted; i++)
            wanted = same_place(&o->place.object, &places[i].object);
        if (wanted) {
            at = &o->next;
            continue;
        }
        set->options.remove(set->options.data, o->place.object.id);
        set->by_id[o->place.object.id].object = NULL;
        *at = o->next;
        object_free(o);
    }
    return first_error;
}

static void update_window(struct watchset *set)
{
    bool on = watchset_is_waiting(set);

    if (on == set->window)
        return;
    set->window = on;
    set->options.window(set->options.data, on);
}

bool watchset_is_waiting(const struct watchset *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->watches[i]->target.kind != TARGET_HOST && !set->watches[i]->up)
            return true;
    return false;
}

static void say_resolved(struct watchset *set, const struct watch *w)
{
    const struct container *c = w->container;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    escape_terminal(&s, w->target.text);
    sbuf_add_str(&s, " is ");
    escape_terminal(&s, w->target.path);
    sbuf_add_str(&s, " of container ");
    escape_terminal(&s, c->name.len ? c->name : c->id);
    sbuf_add_str(&s, " (");
    escape_terminal(&s, c->runtime);
    if (c->image_name.len) {
        sbuf_add_str(&s, ", ");
        escape_terminal(&s, c->image_name);
    }
    sbuf_add_str(&s, ", ");
    escape_terminal(&s, (struct bytes){ c->id.data, MIN(c->id.len, (size_t)12) });
    sbuf_add_str(&s, w->up ? ")" : ", not running)");
    set->options.notice(set->options.data, sbuf_str(&s));
}

/* Follow a container's record: remember the start before the last one. */
static void set_container(struct watch *w, struct container *c)
{
    if (w->container && c && bytes_equal(w->container->id, c->id) &&
        c->started_ns > w->container->started_ns)
        w->previous_start_ns = w->container->started_ns;
    container_ref(c);
    container_unref(w->container);
    w->container = c;
}

/* What is not there is waited for, and the wait is said: a slip of the pen shows at once. */
static void say_missing(struct watchset *set, struct watch *w, const struct place *places, size_t n)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    for (size_t i = 0; i < n; i++) {
        const struct watch_object *o = &places[i].object;
        _cleanup_close_ int fd = beneath_open_host(o->host_path, o->root_len, O_PATH | O_NOFOLLOW);

        if (fd >= 0)
            return;
    }
    if (w->missing_said)
        return;
    w->missing_said = true;
    escape_terminal(&s, w->target.text);
    sbuf_add_str(&s, " does not exist yet; waiting for it");
    set->options.notice(set->options.data, sbuf_str(&s));
    set->options.explain(set->options.data, WATCH_MISSING, 0, 0, w->target.text);
}

/* A tmpfs is empty after each start, without anybody deleting its files. */
static void explain_tmpfs(struct watchset *set, const struct watch *w, const struct place *places,
                          size_t n, uint64_t previous_start_ns)
{
    if (!w->up || !previous_start_ns || w->container->started_ns <= previous_start_ns)
        return;
    for (size_t i = 0; i < n; i++)
        if (places[i].object.view == VIEW_VOLUME && places[i].object.ns_pid)
            set->options.explain(set->options.data, WATCH_TMPFS_EMPTIED, w->container->started_ns, 0,
                                 places[i].victim_path);
}

static int resolve_watch(struct watchset *set, struct watch *w, bool first, struct err *err)
{
    uint64_t previous_start_ns = w->container ? w->container->started_ns : 0;
    struct place places[PLACES_MAX];
    struct container_view view = { 0 };
    struct arena arena = { 0 };
    struct err why = ERR_INIT;
    int n, r;

    if (w->target.kind == TARGET_HOST) {
        n = resolve_host(w->target.path, &arena, places, PLACES_MAX);
        r = n < 0 ? err_set(err, n, "resolving the path") : set_places(set, w, places, (size_t)n, err);
        if (r == 0 && first)
            say_missing(set, w, places, (size_t)n);
        arena_done(&arena);
        return r;
    }
    r = engines_find(set->options.engines, BYTES_NULL, w->target.container, &view, &why);
    if (r == -ENOENT) {
        w->up = false;
        if (!w->waiting_said) {
            char text[LIMIT_ERR + 64];

            snprintf(text, sizeof(text), "%s; waiting for it", err_text(&why, r));
            set->options.notice(set->options.data, text);
            w->waiting_said = true;
        }
        return 0;
    }
    if (r < 0)
        return err_say(err, r, "%s", err_text(&why, r));
    w->up = view.running;
    if (w->dropped_id.len && !bytes_equal(w->dropped_id, view.container->id)) {
        set->options.explain(set->options.data, WATCH_RECREATED, view.container->created_ns,
                             w->layer_files, view.container->name);
        w->dropped_id = BYTES_NULL;
    }
    if (!w->container || !bytes_equal(w->container->id, view.container->id))
        first = true;
    set_container(w, view.container);
    n = resolve_container(&view, w->target.path, &arena, places, PLACES_MAX);
    r = n < 0 ? err_set(err, n, "resolving the path") : set_places(set, w, places, (size_t)n, err);
    if (first && r == 0) {
        say_resolved(set, w);
        if (w->up)
            say_missing(set, w, places, (size_t)n);
    }
    if (r == 0)
        explain_tmpfs(set, w, places, (size_t)n, previous_start_ns);
    w->waiting_said = false;
    container_view_done(&view);
    arena_done(&arena);
    return r;
}

int watchset_add(struct watchset *set, struct target *target, struct err *err)
{
    struct watch **watches = reallocarray(set->watches, set->count + 1, sizeof(*watches));
    struct watch *w = calloc(1, sizeof(*w));
    int r;

    if (watches)
        set->watches = watches;
    if (!watches || !w) {
        free(w);
        target_done(target);
        return err_set(err, -ENOMEM, "watches");
    }
    w->target = *target;
    *target = (struct target){ 0 };
    w->index = (uint32_t)set->count;
    w->group = (uint32_t)set->count + 1;
    set->watches[set->count++] = w;
    if (set->text.len)
        sbuf_add_char(&set->text, ' ');
    sbuf_add_bytes(&set->text, w->target.text);
    r = resolve_watch(set, w, true, err);
    update_window(set);
    return r;
}

struct bytes watchset_text(const struct watchset *set)
{
    return sbuf_bytes(&set->text);
}

/* Does this name, id or prefix mean `c`? The engine decides when it is asked; this only says
 * whether asking is worth it. */
static bool may_mean(const struct target *t, const struct container *c)
{
    if (t->kind != TARGET_CONTAINER)
        return t->kind != TARGET_HOST;
    return bytes_equal(t->container, c->name) || bytes_starts_with(c->id, t->container);
}

static uint64_t count_layer(const struct watch *w)
{
    uint64_t files = 0;

    for (const struct object *o = w->objects; o; o = o->next)
        if (o->place.object.view == VIEW_UPPER)
            files += count_files(o->place.object.path);
    return files;
}

static void life_of_watch(struct watchset *set, struct watch *w, const struct life *life)
{
    bool ours = w->container && bytes_equal(w->container->id, life->container->id);
    struct err err = ERR_INIT;
    int r;

    switch (life->kind) {
    case LIFE_DIE:
        if (!ours)
            return;
        w->up = false;
        w->layer_files = count_layer(w);
        break;
    case LIFE_DESTROY:
        if (!ours)
            return;
        w->up = false;
        w->dropped_id = arena_copy(&w->target.arena, w->container->id);
        (void)set_places(set, w, NULL, 0, NULL);
        container_unref(TAKE_PTR(w->container));
        break;
    case LIFE_CREATE:
    case LIFE_START:
    case LIFE_RENAME:
        if (!ours && !may_mean(&w->target, life->container))
            return;
        r = resolve_watch(set, w, false, &err);
        if (r < 0)
            log_warn(set->options.log, "%s; looking again in a second", err_text(&err, r));
        break;
    default:
        break;
    }
}

void watchset_life(struct watchset *set, const struct life *life)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->watches[i]->target.kind != TARGET_HOST)
            life_of_watch(set, set->watches[i], life);
    update_window(set);
}

void watchset_poll(struct watchset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        struct watch *w = set->watches[i];
        struct err err = ERR_INIT;

        if (w->target.kind != TARGET_HOST && !w->up)
            (void)resolve_watch(set, w, false, &err);
    }
    update_window(set);
}

bool watchset_concerns(const struct watchset *set, const struct container *c)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct watch *w = set->watches[i];

        if (w->target.kind == TARGET_HOST)
            continue;
        if ((w->container && bytes_equal(w->container->id, c->id)) || may_mean(&w->target, c))
            return true;
    }
    return false;
}

/* A path of the object's namespace in other terms: below the object its prefix is exchanged; what
 * lies elsewhere reads the same for the host, and for a container as long as it is its own view. */
static struct bytes translate(struct event *e, const struct watch_object *o, struct bytes path,
                              struct bytes prefix)
{
    struct bytes rest;

    if (!path.data || !bytes_path_covers(o->path, path))
        return BYTES_NULL;
    if (!prefix.data)
        return BYTES_NULL;
    rest = (struct bytes){ path.data + o->path.len, path.len - o->path.len };
    return rest.len ? arena_join_path(&e->arena, prefix, rest) : arena_copy(&e->arena, prefix);
}

static void set_since_start(const struct watch *w, struct event *e)
{
    uint64_t start = w->container->started_ns;

    /* seen between two starts, or told late: count from the start before it */
    if (e->time_ns < start && w->previous_start_ns && !w->up)
        start = w->previous_start_ns;
    if (!start)
        return;
    e->since_start_ns = (int64_t)(e->time_ns - start);
    e->since_start_known = true;
}

static void give(const struct watch *w, const struct object *o, struct event *e)
{
    const struct watch_object *object = &o->place.object;
    struct bytes path = e->path, previous = e->previous_path, victim;

    e->watch = w->index;
    e->watch_text = arena_copy(&e->arena, w->target.text);
    victim = translate(e, object, path, o->place.victim_path);
    e->host_path = translate(e, object, path, o->place.shown_host_path);
    if (!e->host_path.data && object->ns_pid == 0)
        e->host_path = path;
    if (victim.data)
        e->path = victim;
    victim = translate(e, object, previous, o->place.victim_path);
    e->previous_host_path = translate(e, object, previous, o->place.shown_host_path);
    if (!e->previous_host_path.data && object->ns_pid == 0)
        e->previous_host_path = previous;
    if (victim.data)
        e->previous_path = victim;
    e->victim_kind = o->place.victim_kind;
    if (w->container) {
        e->victim = container_ref(w->container);
        set_since_start(w, e);
    }
}

/* Does the event touch the object's path, something below it, or what it stands in? */
static bool touches(const struct object *o, const struct event *e)
{
    struct bytes path = o->place.object.path;

    return bytes_path_covers(path, e->path) || bytes_path_covers(path, e->previous_path) ||
           (e->path.len && bytes_path_covers(e->path, path)) ||
           (e->previous_path.len && bytes_path_covers(e->previous_path, path));
}

bool watchset_event(struct watchset *set, struct event *event)
{
    struct found found;

    if (!(operation_info(event->operation)->permission & set->options.permissions))
        return false;
    if (event->object == 0 || event->object >= set->next_object)
        return false;
    found = set->by_id[event->object];
    if (!found.object || (event->path.len && !touches(found.object, event)))
        return false;
    give(found.watch, found.object, event);
    if (set->options.key.len)
        event_set(event, &event->key, set->options.key);
    return true;
}
