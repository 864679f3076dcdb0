/* SPDX-License-Identifier: MIT */
/* Following the containers of a watch: looking them up, through restart, removal and recreation. */
#include "watch/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "watch/announce.h"
#include "watch/count.h"
#include "watch/early.h"
#include "watch/instance.h"
#include "watch/new_life.h"
#include "watch/objects.h"
#include "watch/state.h"

#define LOOK_NS (30 * NS_PER_S)      /* a plural watch asks for what the engines' notifications may have left out */
#define EXPECT_NS (60 * NS_PER_S)    /* what was made or went down may start so long afterwards */
#define LOOKS 64                     /* host paths looked at in one go; the sensors say of most of what happens to the others */

/* ---- looking up ---- */

/* Follow a container's record: remember the start before the last one. */
static void set_container(struct watchset *set, struct instance *i, struct container *c)
{
    set->any_container = i->watch->met = true;
    if (i->container && c && bytes_equal(i->container->id, c->id) &&
        c->started_ns > i->container->started_ns)
        i->previous_start_ns = i->container->started_ns;
    container_ref(c);
    container_unref(i->container);
    i->container = c;
}

static void set_layer(struct instance *i, struct bytes layer)
{
    free(i->layer);
    i->layer = layer.len ? strndup(layer.data, layer.len) : NULL;
}

/* The view is taken over. */
static int take_view(struct watchset *set, struct instance *i, struct container_view *view,
                     bool first, struct err *err)
{
    struct watch *w = i->watch;
    bool same = i->container && bytes_equal(i->container->id, view->container->id), anew = i->container && !same;
    uint64_t previous_start_ns = same ? i->container->started_ns : 0;
    struct place places[PLACES_MAX];
    struct arena arena = { 0 };
    int n, r;

    i->up = view->running;
    if (i->up)
        i->down_ns = i->next_start_ns = 0;
    announce_recreated(set, i, view);
    first |= !same;
    set_container(set, i, view->container);
    set_layer(i, layer_of(view));
    n = resolve_container(view, w->target.path, &arena, places, PLACES_MAX);
    if (anew && n >= 0)
        announce_mounted(set, i, places, (size_t)n);
    i->removed = i->in_layer = false;
    for (int k = 0; k < n; k++)
        i->in_layer |= places[k].victim_kind == VICTIM_CONTAINER;
    r = n < 0 ? err_set(err, n, "resolving the path") : objects_set(set, i, places, (size_t)n, err);
    instances_forget_removed(set, w);
    if (r == 0 && i->up)
        early_report_gap(set, i, view->container, places, (size_t)n);
    if (r == -ESRCH) { /* it ended meanwhile, and may begin again before we hear of it */
        i->up = view->running = false;
        i->expected_ns = clock_ns(CLOCK_MONOTONIC);
        r = 0;
    }
    i->failed = r < 0;
    if (first && r == 0) {
        announce_resolved(set, i);
        if (i->up)
            announce_missing(set, w, places, (size_t)n, !anew);
    }
    if (r == 0)
        announce_tmpfs(set, i, places, (size_t)n, previous_start_ns);
    w->waiting_said = false;
    early_take_view(i, view);
    if (r < 0)
        i->seen_pid = 0;
    arena_done(&arena);
    return r;
}

/* A link that is gone is waited for: it was on the way, and will be when it is made anew. */
static int keep_links(const struct watch *w, struct arena *arena, struct place *places, int n, size_t size)
{
    for (const struct object *o = w->objects; o && n > 0 && (size_t)n < size; o = o->next) {
        struct stat st;

        if (!o->place.link || !foreign_way_answers(o->place.object.host_path) || lstat(o->place.object.host_path.data, &st) == 0 || errno != ENOENT)
            continue;
        places[n] = o->place;
        places[n].object.path = places[n].object.host_path = places[n].victim_path = places[n].shown_host_path =
            arena_copy(arena, o->place.object.path);
        n++;
    }
    return n;
}

static int resolve_path(struct watchset *set, struct watch *w, bool first, struct err *err)
{
    struct place places[PLACES_MAX];
    struct arena arena = { 0 };
    struct bytes path = w->target.path;
    struct err why = ERR_INIT;
    int n, r = 0;

    if (w->target.selector.kind == SELECTOR_VOLUME) {
        struct bytes root;

        r = engines_volume(set->options.engines, w->target.selector.text, &arena, &root, first ? &why : NULL);
        if (r == -ENOENT) {
            if (first)
                announce_waiting(set, w, err_text(&why, r));
            arena_done(&arena);
            return 0;
        }
        if (r == 0)
            path = path.len > 1 ? arena_join_path(&arena, root, path) : root;
    }
    if (r == 0 && !first && !foreign_way_answers(path)) /* as it was, until it answers */
        r = -ETIMEDOUT;
    n = r < 0 ? r : resolve_host(path, &arena, places, PLACES_MAX);
    n = keep_links(w, &arena, places, n, PLACES_MAX);
    r = n < 0 ? err_set(err, n, "resolving the path")
              : objects_set(set, w->instances, places, (size_t)n, err);
    w->instances->up = r == 0;
    if (r == 0 && first)
        announce_missing(set, w, places, (size_t)n, true);
    arena_done(&arena);
    return r;
}

static int resolve_name(struct watchset *set, struct watch *w, bool first, struct err *err)
{
    struct instance *i = w->instances;
    struct container_view view = { 0 };
    struct err why = ERR_INIT;
    bool quiet = w->waiting_said && !first;
    int r = engines_find(set->options.engines, w->target.selector.runtime, w->target.selector.text, &view,
                         quiet ? NULL : &why);

    i->failed = false;
    if (r == -ENOENT || r == -ETIMEDOUT || r == -ENODEV) {
        /* an engine that hangs, or is not there: it may come, and the container with it */
        i->failed = r != -ENOENT;
        if (!i->failed || !i->container)
            i->up = false;
        if (!quiet && !(i->failed && i->container)) /* a slow engine's container is there all the same */
            announce_waiting(set, w, err_text(&why, r));
        return 0;
    }
    if (r < 0) {
        i->failed = true;
        return err_say(err, r, "%s", err_text(&why, r));
    }
    return take_view(set, i, &view, first, err);
}

struct looking {
    struct watchset *set;
    struct watch *watch;
    bool first;
    int first_error;
    struct err *err;
};

/* The engine is slow: what its notification announced is expected, and asked for until it answers. */
static void expect_unseen(struct watchset *set, struct instance *i, struct container *c)
{
    set_container(set, i, c);
    i->unseen = i->failed = true;
    i->expected_ns = clock_ns(CLOCK_MONOTONIC);
}

/* One container that matches a plural watch: a new instance, or a notification about one. */
static int take_match(void *data, struct container *c)
{
    struct looking *l = data;
    struct instance *i;
    struct container_view view = { 0 };
    bool made;
    int r;

    if (!selector_matches(&l->watch->target.selector, c))
        return 0;
    i = instance_find(l->watch, c);
    made = !i || i->unseen;
    if (i && i->up && !i->failed)
        return 0;
    r = engines_find(l->set->options.engines, c->runtime, c->id, &view, NULL);
    if (r == -ENOENT) { /* gone in between */
        if (i && i->unseen)
            instance_remove(l->set, i);
        return 0;
    }
    if (r < 0 && i && i->unseen)
        return 0;
    if (!i)
        i = instance_add(l->set, l->watch, l->err);
    if (!i) {
        container_view_done(&view);
        l->first_error = -ENOMEM;
        return -ENOMEM;
    }
    if (r < 0 && made) {
        expect_unseen(l->set, i, c);
        return 0;
    }
    i->unseen = false;
    if (r == 0)
        r = take_view(l->set, i, &view, made, l->first_error ? NULL : l->err);
    i->failed = r < 0;
    if (made && !i->up && !l->first)
        i->expected_ns = clock_ns(CLOCK_MONOTONIC);
    if (r < 0 && l->first_error == 0)
        l->first_error = r;
    return 0;
}

static int resolve_plural(struct watchset *set, struct watch *w, bool first, struct err *err)
{
    struct looking looking = { set, w, first, 0, err };

    w->next_look_ns = clock_ns(CLOCK_MONOTONIC) + LOOK_NS;
    (void)engines_each(set->options.engines, take_match, &looking);
    if (!w->instances && first) {
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

        sbuf_add_str(&s, "no container matches ");
        escape_terminal(&s, w->target.text);
        announce_waiting(set, w, sbuf_str(&s));
    }
    return looking.first_error;
}

int follow_resolve(struct watchset *set, struct watch *w, bool first, struct err *err)
{
    switch (w->target.selector.kind) {
    case SELECTOR_NONE:
    case SELECTOR_VOLUME:
        return resolve_path(set, w, first, err);
    case SELECTOR_NAME:
        return resolve_name(set, w, first, err);
    default:
        return resolve_plural(set, w, first, err);
    }
}

/* ---- what happens to them ---- */

static bool is_expected(const struct instance *i)
{
    if (i->up || i->watch->target.selector.kind == SELECTOR_NONE ||
        i->watch->target.selector.kind == SELECTOR_VOLUME)
        return false;
    if (!selector_is_plural(&i->watch->target.selector))
        return true; /* it was asked for by its name: it is waited for however long */
    return i->expected_ns && clock_ns(CLOCK_MONOTONIC) - i->expected_ns < EXPECT_NS;
}

static bool anyone_is_expected(const struct watchset *set)
{
    for (size_t k = 0; k < set->count; k++)
        for (const struct instance *i = set->watches[k]->instances; i; i = i->next)
            if (is_expected(i))
                return true;
    return false;
}

/* Asked at every event, of however many watches: it was looked at when last something changed. */
bool watchset_is_waiting(const struct watchset *set)
{
    return set->window;
}

void follow_window(struct watchset *set)
{
    bool on = anyone_is_expected(set);

    if (on == set->window)
        return;
    set->window = on;
    set->options.window(set->options.data, on);
}

static uint64_t count_layer(const struct instance *i)
{
    uint64_t files = 0;

    for (const struct object *o = i->watch->objects; o; o = o->next)
        if (o->place.object.view == VIEW_UPPER && object_use(o)->instance == i)
            files += count_files(o->place.object.path);
    return files;
}

static void on_destroy(struct watchset *set, struct instance *i, const struct lifecycle_event *life)
{
    bool kept = i->layer && access(i->layer, F_OK) == 0;

    i->up = false;
    early_done(i);
    i->expected_ns = clock_ns(CLOCK_MONOTONIC);
    if (i->layer && !kept && i->in_layer)
        set->options.explain(set->options.data, WATCH_REMOVED, life->time_ns, i->layer_files, i->container->name);
    i->removed = true;
    if (selector_is_plural(&i->watch->target.selector)) {
        objects_keep_volumes(set, i);
        instances_forget_removed(set, i->watch);
        return;
    }
    /* a runtime that is used by hand leaves the files where they are, and they stay in view */
    if (kept) {
        objects_drop_seen_inside(set, i);
        return;
    }
    if (objects_keep_volumes(set, i)) /* the container is still whose they are */
        return;
    container_unref(i->previous);
    i->previous = TAKE_PTR(i->container);
}

static void life_of_instance(struct watchset *set, struct instance *i, const struct lifecycle_event *life)
{
    switch (life->kind) {
    case LIFECYCLE_DIE:
        i->up = false;
        i->expected_ns = clock_ns(CLOCK_MONOTONIC);
        i->down_ns = life->time_ns;
        i->next_start_ns = 0;
        i->layer_files = count_layer(i);
        break;
    case LIFECYCLE_DESTROY:
        on_destroy(set, i, life);
        break;
    default:
        break;
    }
}

static void life_of_watch(struct watchset *set, struct watch *w, const struct lifecycle_event *life)
{
    struct instance *ours = instance_find(w, life->container);
    bool matches = selector_matches(&w->target.selector, life->container);
    struct err err = ERR_INIT;
    int r = 0;

    if (life->kind == LIFECYCLE_DIE || life->kind == LIFECYCLE_DESTROY) {
        if (ours)
            life_of_instance(set, ours, life);
        return;
    }
    if ((!ours && !matches) ||
        (life->kind != LIFECYCLE_CREATE && life->kind != LIFECYCLE_START && life->kind != LIFECYCLE_RENAME))
        return;
    if (ours && life->kind == LIFECYCLE_START) {
        if (!ours->down_ns) /* it was down when it was first looked up, or its end was not reported */
            ours->down_ns = life->time_ns;
        ours->next_start_ns = life->time_ns;
        (void)early_look(set, ours);
    }
    if (selector_is_plural(&w->target.selector)) {
        struct looking looking = { set, w, false, 0, &err };

        if (ours && life->kind == LIFECYCLE_START)
            ours->up = false; /* its pid is another one now */
        (void)take_match(&looking, life->container);
        r = looking.first_error;
    } else {
        r = follow_resolve(set, w, false, &err);
    }
    if (r < 0)
        log_warn(set->options.log, "%s; looking again in a second", err_text(&err, r));
}

void watchset_life(struct watchset *set, const struct lifecycle_event *life)
{
    for (size_t k = 0; k < set->count; k++) {
        struct watch *w = set->watches[k];

        if (w->target.selector.kind != SELECTOR_NONE && w->target.selector.kind != SELECTOR_VOLUME)
            life_of_watch(set, w, life);
    }
    follow_window(set);
}

/* A link may appear on the way, or change. */
static bool may_lead_elsewhere(const struct watch *w)
{
    bool may = false;

    for (const struct object *o = w->objects; o && !may; o = o->next)
        may = o->place.link || !object_is_there(o);
    return may;
}

static bool has_turn(const struct watchset *set, size_t k)
{
    return k >= set->next_look && k - set->next_look < LOOKS;
}

bool watchset_leads_elsewhere(const struct watchset *set)
{
    return set->look;
}

void watchset_poll(struct watchset *set)
{
    const bool all = set->look;

    set->look = false;
    for (size_t k = 0; k < set->count; k++) {
        struct watch *w = set->watches[k];
        struct err err = ERR_INIT;
        bool look = false;

        if (set->any_container)
            new_life_look(set, w);
        switch (w->target.selector.kind) {
        case SELECTOR_NONE:
            look = (all || has_turn(set, k)) && may_lead_elsewhere(w);
            break;
        case SELECTOR_NAME:
            look = !w->instances->up || w->instances->failed;
            break;
        case SELECTOR_VOLUME:
            look = !w->objects;
            break;
        default:
            instances_forget_removed(set, w);
            look = clock_ns(CLOCK_MONOTONIC) >= w->next_look_ns;
            for (const struct instance *i = w->instances; i; i = i->next)
                look |= i->failed;
        }
        if (look)
            (void)follow_resolve(set, w, false, &err);
    }
    set->next_look = set->next_look + LOOKS < set->count ? set->next_look + LOOKS : 0;
    objects_forget_retired(set, false);
    follow_window(set);
}

bool watchset_concerns(const struct watchset *set, const struct container *c)
{
    for (size_t k = 0; k < set->count; k++) {
        const struct watch *w = set->watches[k];

        if (instance_find(w, c) || selector_matches(&w->target.selector, c))
            return true;
    }
    return false;
}

static bool was_met(const struct watch *w)
{
    struct stat st;
    bool met = w->met || w->target.selector.kind == SELECTOR_NONE || (w->target.selector.kind == SELECTOR_VOLUME && w->objects);

    if (!met || !w->missing_said)
        return met;
    for (const struct object *o = w->objects; o; o = o->next)
        if (o->place.object.host_path.data && foreign_way_answers(o->place.object.host_path) && lstat(o->place.object.host_path.data, &st) == 0)
            return true;
    return false;
}

void watchset_each_absent(const struct watchset *set, void (*each)(void *data, struct bytes text), void *data)
{
    for (size_t i = 0; i < set->count; i++)
        if (!was_met(set->watches[i]))
            each(data, set->watches[i]->target.text);
}
