/* SPDX-License-Identifier: MIT */
/* The objects of a watch, which the sensors know, and who uses them. */
#include "watch/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "foreign/mounts.h"
#include "util/clock.h"
#include "watch/state.h"

#define RETIRED_NS (10 * NS_PER_S) /* an event waits in a sensor for less than that */
#define RETIRED_MAX 256

static void object_free(struct object *o)
{
    sbuf_done(&o->sharers);
    arena_done(&o->arena);
    free(o->uses);
    free(o);
}

void objects_free(struct watch *w)
{
    while (w->objects) {
        struct object *o = w->objects;

        w->objects = o->next;
        object_free(o);
    }
}

static bool same_place(const struct watch_object *a, const struct watch_object *b)
{
    return a->view == b->view && a->ns_pid == b->ns_pid && bytes_equal(a->path, b->path);
}

static struct use *find_use(struct object *o, const struct instance *i)
{
    for (size_t k = 0; k < o->use_count; k++)
        if (o->uses[k].instance == i)
            return &o->uses[k];
    return NULL;
}

static struct object *find_place(const struct watch *w, const struct watch_object *wanted)
{
    for (struct object *o = w->objects; o; o = o->next)
        if (same_place(&o->place.object, wanted))
            return o;
    return NULL;
}

/* Most see the object at its own path: then the bytes are equal, which is a quick test. */
static struct bytes copy_path(struct object *o, struct bytes path)
{
    struct bytes own = o->place.object.path;

    return own.data && bytes_equal(own, path) ? own : arena_copy(&o->arena, path);
}

static int add_use(struct object *o, struct instance *i, const struct place *place)
{
    struct use *uses = reallocarray(o->uses, o->use_count + 1, sizeof(*uses));

    if (!uses)
        return -ENOMEM;
    o->uses = uses;
    uses[o->use_count++] = (struct use){
        .instance = i,
        .victim_path = copy_path(o, place->victim_path),
        .shown_host_path = copy_path(o, place->shown_host_path),
        .victim_kind = place->victim_kind,
    };
    return 0;
}

static int add_object(struct watchset *set, struct instance *i, const struct place *place,
                      struct err *err)
{
    struct object *o = calloc(1, sizeof(*o));
    struct watch_object *object;
    int r;

    if (!o)
        return err_set(err, -ENOMEM, "watches");
    o->place = *place;
    o->watch = i->watch;
    object = &o->place.object;
    object->path = arena_copy(&o->arena, place->object.path);
    if (add_use(o, i, place) < 0) {
        object_free(o);
        return err_set(err, -ENOMEM, "watches");
    }
    object->host_path = arena_copy(&o->arena, place->object.host_path);
    if (i->container)
        object->container = arena_copy(&o->arena, i->container->name.len ? i->container->name : i->container->id);
    o->place.victim_path = o->uses[0].victim_path;
    o->place.shown_host_path = o->uses[0].shown_host_path;
    object->id = set->next_object++;
    object->group = i->group;
    object->permissions = watch_permissions(set, i->watch);
    object->writes = set->options.writes;
    HASH_ADD(by_id, set->by_id, place.object.id, sizeof(object->id), o);
    if (!HASH_IS_IN(by_id, o)) {
        object_free(o);
        return err_set(err, -ENOMEM, "watches");
    }
    r = object->path.data ? set->options.add(set->options.data, object, err) : -ENOMEM;
    if (r < 0) {
        HASH_DELETE(by_id, set->by_id, o);
        object_free(o);
        return r;
    }
    o->next = i->watch->objects;
    i->watch->objects = o;
    return 0;
}

static void retired_free(struct watchset *set, struct object *o)
{
    struct instance *i = o->uses[0].instance;

    HASH_DELETE(by_id, set->by_id, o);
    set->retired_count--;
    container_unref(i->container);
    free(i);
    object_free(o);
}

void objects_forget_retired(struct watchset *set, bool all)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    struct object **at = &set->retired;
    size_t kept = 0;

    while (*at) {
        struct object *o = *at;

        if (!all && kept < RETIRED_MAX && now - o->retired_ns < RETIRED_NS) {
            kept++;
            at = &o->next;
            continue;
        }
        *at = o->next;
        retired_free(set, o);
    }
}

/* Events from before it was given up come later, when the sensor's queue is read: whose it was is
 * kept until then. */
static void retire(struct watchset *set, struct object *o)
{
    const struct instance *was = o->uses[0].instance;
    struct instance *i = calloc(1, sizeof(*i));

    if (!i) {
        uint64_t now = clock_ns(CLOCK_REALTIME);

        if (set->options.gap)
            set->options.gap(set->options.data, now - NS_PER_S, now, "no memory to wait for the last changes of a place that is watched no longer");
        HASH_DELETE(by_id, set->by_id, o);
        object_free(o);
        return;
    }
    *i = (struct instance){ .watch = was->watch,
                            .group = was->group,
                            .container = container_ref(was->container),
                            .previous_start_ns = was->previous_start_ns };
    o->uses[0].instance = i;
    o->use_count = 1;
    o->retired_ns = clock_ns(CLOCK_MONOTONIC);
    o->next = set->retired;
    set->retired = o;
    set->retired_count++;
    if (set->retired_count > RETIRED_MAX)
        objects_forget_retired(set, false);
}

/* Take the instance's use of *at away; the object goes with its last one. */
static void drop_use(struct watchset *set, struct object **at, struct use *use)
{
    struct object *o = *at;

    if (o->use_count > 1) {
        *use = o->uses[--o->use_count];
        return;
    }
    set->options.remove(set->options.data, o->place.object.id);
    *at = o->next;
    retire(set, o);
}

int objects_set(struct watchset *set, struct instance *i, const struct place *places, size_t n,
                struct err *err)
{
    struct object **at = &i->watch->objects;
    int first_error = 0;

    set->new_places = true;
    for (size_t k = 0; k < n; k++) {
        struct object *o = find_place(i->watch, &places[k].object);
        int r = 0;

        if (!o)
            r = add_object(set, i, &places[k], first_error ? NULL : err);
        else if (!find_use(o, i))
            r = add_use(o, i, &places[k]);
        if (r < 0 && first_error == 0)
            first_error = r;
    }
    while (*at) {
        struct object *o = *at;
        struct use *use = find_use(o, i);
        bool wanted = !use;

        for (size_t k = 0; k < n && !wanted; k++)
            wanted = same_place(&o->place.object, &places[k].object);
        if (!wanted)
            drop_use(set, at, use);
        if (*at == o)
            at = &o->next;
    }
    return first_error;
}

static void drop_where(struct watchset *set, struct instance *i, bool (*is)(const struct watch_object *object))
{
    struct object **at = &i->watch->objects;

    while (*at) {
        struct object *o = *at;
        struct use *use = is(&o->place.object) ? find_use(o, i) : NULL;

        if (use)
            drop_use(set, at, use);
        if (*at == o)
            at = &o->next;
    }
}

static bool is_seen_inside(const struct watch_object *o)
{
    return o->ns_pid != 0;
}

static bool goes_with_container(const struct watch_object *o)
{
    return o->ns_pid || o->view != VIEW_VOLUME;
}

void objects_drop_seen_inside(struct watchset *set, struct instance *i)
{
    drop_where(set, i, is_seen_inside);
}

bool objects_keep_volumes(struct watchset *set, struct instance *i)
{
    set->new_places = true;
    drop_where(set, i, goes_with_container);
    for (struct object *o = i->watch->objects; o; o = o->next)
        if (find_use(o, i))
            return true;
    return false;
}

bool object_is_there(const struct object *o)
{
    struct stat st;

    return !foreign_way_answers(o->place.object.host_path) || lstat(o->place.object.host_path.data, &st) == 0;
}

bool objects_concern(const struct instance *i)
{
    for (struct object *o = i->watch->objects; o; o = o->next) {
        bool others = false;

        if (!find_use(o, i))
            continue;
        for (size_t k = 0; k < o->use_count; k++)
            others |= !o->uses[k].instance->removed;
        if (!others && object_is_there(o))
            return true;
    }
    return false;
}

const struct use *object_use(const struct object *o)
{
    for (size_t k = 0; k < o->use_count; k++)
        if (o->uses[k].instance->up)
            return &o->uses[k];
    return &o->uses[0];
}
