/* SPDX-License-Identifier: MIT */
#include "watch/watchset.h"

#include <errno.h>
#include <stdlib.h>

#include "event/operation.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/coverage.h"
#include "watch/follow.h"
#include "watch/gone.h"
#include "watch/instance.h"
#include "watch/led.h"
#include "watch/objects.h"
#include "watch/plan.h"
#include "watch/state.h"
#include "watch/turn.h"

#define SHARERS_MAX 64               /* containers named beside the victim */
#define SHARERS_NS (10 * NS_PER_S)   /* so long an answer holds */

int watchset_new(const struct watchset_options *options, struct watchset **ret, struct err *err)
{
    struct watchset *set = calloc(1, sizeof(*set));

    if (!set)
        return err_set(err, -ENOMEM, "watches");
    set->options = *options;
    set->next_object = 1;
    set->next_group = 1;
    set->new_places = true;
    *ret = set;
    return 0;
}

void watchset_free(struct watchset *set)
{
    if (!set)
        return;
    objects_forget_retired(set, true);
    HASH_CLEAR(by_id, set->by_id);
    gone_forget(set, true);
    for (size_t i = 0; i < set->count; i++)
        watch_free(set->watches[i]);
    free(set->watches);
    sbuf_done(&set->text);
    watchset_forget_places(set);
    free(set);
}

static void add_text(struct watchset *set, const struct watch *w)
{
    if (set->text.len)
        sbuf_add_char(&set->text, ' ');
    sbuf_add_bytes(&set->text, w->target.text);
}

void watchset_make_text(struct watchset *set)
{
    sbuf_clear(&set->text);
    for (size_t i = 0; i < set->count; i++)
        if (!set->watches[i]->until_ns)
            add_text(set, set->watches[i]);
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
    w->index = set->next_index++;
    set->watches[set->count++] = w;
    set->new_places = true;
    if (!selector_is_plural(&w->target.selector) && !instance_add(set, w, err))
        return -ENOMEM;
    add_text(set, w);
    r = follow_resolve(set, w, true, err);
    w->since_ns = clock_ns(CLOCK_REALTIME);
    follow_window(set);
    return r;
}

struct bytes watchset_text(const struct watchset *set)
{
    return sbuf_bytes(&set->text);
}

/* Written as arena_join_path() would: one slash between. */
static bool is_below(struct bytes dir, struct bytes rest)
{
    return dir.len && dir.data[dir.len - 1] != '/' && rest.len > 1 && rest.data[0] == '/' && rest.data[1] != '/';
}

/* A path beside or above the object in the victim's terms: a layer's or a volume's own place on the host is no part of
 * them. BYTES_NULL: the victim does not see it. */
static struct bytes outside_for_victim(const struct watch_object *o, const struct use *use, struct bytes path)
{
    struct bytes own = o->path, victim = use->victim_path;
    size_t root;

    /* its own layer the victim sees all of, by the same names */
    if (!path.len || own.len <= victim.len || !(o->view == VIEW_UPPER || (path.len < own.len && bytes_path_covers(path, own))))
        return BYTES_NULL;
    root = own.len - victim.len;
    if (path.len <= root || memcmp(own.data + root, victim.data, victim.len) != 0 || memcmp(path.data, own.data, root) != 0 ||
        path.data[root] != '/')
        return BYTES_NULL;
    return (struct bytes){ path.data + root, path.len - root };
}

/* What of the path lies below the object; BYTES_NULL: it lies elsewhere. */
static struct bytes below(const struct watch_object *o, struct bytes path)
{
    if (!path.data || !bytes_path_covers(o->path, path))
        return BYTES_NULL;
    return (struct bytes){ path.data + o->path.len, path.len - o->path.len };
}

/* A path of the object's namespace in other terms: below the object its prefix is exchanged; what
 * lies elsewhere reads the same for the host, and for a container as long as it is its own view. */
static struct bytes translate(struct event *e, const struct watch_object *o, struct bytes path,
                              struct bytes rest, struct bytes prefix)
{
    if (!rest.data || !prefix.data)
        return BYTES_NULL;
    if (bytes_equal(prefix, o->path) && is_below(o->path, rest))
        return path; /* nothing is exchanged */
    return rest.len ? arena_join_path(&e->arena, prefix, rest) : arena_copy(&e->arena, prefix);
}

static void set_since_start(const struct instance *i, struct event *e)
{
    uint64_t start = i->container->started_ns;

    if (i->down_ns && e->time_ns > i->down_ns)
        start = i->next_start_ns; /* of its next life, which the engine has not shown yet */
    /* seen between two starts, or emitted late: count from the start before it */
    if (e->time_ns < start && i->previous_start_ns && !i->up)
        start = i->previous_start_ns;
    if (!start)
        return;
    e->since_start_ns = (int64_t)(e->time_ns - start);
    e->since_start_known = true;
}

static void add_name(struct sbuf *names, const struct container *c)
{
    sbuf_add_bytes(names, c->name.len ? c->name : c->id);
    sbuf_add(names, "", 1);
}

/* A layer of an image is below every container that was made of it: they are all its victims. */
static void ask_sharers(struct watchset *set, struct object *o)
{
    struct container *found[SHARERS_MAX];
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    bool all = true;
    size_t n;

    if (o->sharers_ns && now - o->sharers_ns < SHARERS_NS)
        return;
    n = engines_sharing(set->options.engines, o->place.object.path, found, SHARERS_MAX, &all);
    for (size_t k = 0; k < n; k++) {
        bool used = false;

        for (size_t u = 0; u < o->use_count; u++)
            used |= o->uses[u].instance->container &&
                    bytes_equal(o->uses[u].instance->container->id, found[k]->id);
        if (!used)
            add_name(&names, found[k]);
        container_unref(found[k]);
    }
    if (!all)
        sbuf_add(&names, "...", sizeof("..."));
    sbuf_clear(&o->sharers);
    sbuf_add_bytes(&o->sharers, sbuf_bytes(&names));
    o->sharers_ns = clock_ns(CLOCK_MONOTONIC);
}

static void name_sharers(struct watchset *set, struct object *o, const struct use *victim, struct event *e)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;

    for (size_t u = 0; u < o->use_count; u++)
        if (&o->uses[u] != victim && o->uses[u].instance->container)
            add_name(&names, o->uses[u].instance->container);
    if (o->place.object.view == VIEW_LOWER) {
        ask_sharers(set, o);
        sbuf_add_bytes(&names, sbuf_bytes(&o->sharers));
    }
    if (names.len)
        event_set(e, &e->sharers, sbuf_bytes(&names));
}

/* What a mount below the watched path holds is seen through the container's root as well: whose it is, and
 * where the host finds it, the mount says. */
static void look_below(const struct watch *w, const struct use *seen, struct event *e)
{
    const struct object *best = NULL;
    const struct use *found = NULL;

    for (const struct object *o = w->objects; o; o = o->next)
        for (size_t k = 0; k < o->use_count && o->place.object.view == VIEW_VOLUME; k++) {
            const struct use *u = &o->uses[k];

            if (u->instance != seen->instance || u == seen || u->victim_path.len <= seen->victim_path.len ||
                !bytes_path_covers(u->victim_path, e->path) ||
                (found && u->victim_path.len <= found->victim_path.len))
                continue;
            best = o;
            found = u;
        }
    if (!best)
        return;
    e->victim_kind = found->victim_kind;
    if (best->place.object.ns_pid == 0) {
        struct bytes rest = { e->path.data + found->victim_path.len, e->path.len - found->victim_path.len };

        e->host_path = rest.len ? arena_join_path(&e->arena, best->place.object.path, rest)
                                : arena_copy(&e->arena, best->place.object.path);
    }
}

/* A link, and not the one that was asked for. */
static bool is_on_the_way(const struct watch *w, const struct object *o)
{
    return o->place.link && !bytes_equal(o->place.object.path, w->target.path);
}

/* The file's name on the host leads to another one now, or nowhere: the mount does not follow it. */
static bool is_kept_by_mount(const struct object *o, const struct event *e)
{
    struct bytes path = o->place.object.path;

    if (!o->place.single_file || e->error != 0)
        return false;
    return (bytes_equal(e->path, path) && (e->operation == OPERATION_REPLACE || e->operation == OPERATION_UNLINK)) ||
           (e->operation == OPERATION_RENAME && (bytes_equal(e->path, path) || bytes_equal(e->previous_path, path)));
}

static void give(struct watchset *set, const struct watch *w, struct object *o, struct event *e)
{
    const struct watch_object *object = &o->place.object;
    const struct use *use = object_use(o);
    struct bytes path = e->path, previous = e->previous_path, victim;
    struct bytes rest = below(object, path);

    e->watch = w->index;
    e->watch_text = w->target.text; /* it stays for longer than any event is under way (gone.h) */
    if (!e->note.len && is_kept_by_mount(o, e))
        e->note = bytes_of("only on the host: the container keeps the old file until it is restarted (a single file is mounted; mount its folder)");
    victim = translate(e, object, path, rest, use->victim_path);
    e->host_path = translate(e, object, path, rest, use->shown_host_path);
    if (!e->host_path.data && object->ns_pid == 0)
        e->host_path = path;
    if (!victim.data)
        victim = outside_for_victim(object, use, path);
    if (victim.data)
        e->path = victim;
    if (previous.data) {
        struct bytes previous_rest = below(object, previous);

        victim = translate(e, object, previous, previous_rest, use->victim_path);
        e->previous_host_path = translate(e, object, previous, previous_rest, use->shown_host_path);
        if (!e->previous_host_path.data && object->ns_pid == 0)
            e->previous_host_path = previous;
        if (!victim.data)
            victim = outside_for_victim(object, use, previous);
        if (victim.data)
            e->previous_path = victim;
    }
    if (is_on_the_way(w, o))
        event_set(e, &e->carried, w->target.path);
    else
        event_carry(e, use->victim_path);
    e->victim_kind = use->victim_kind;
    if (object->view == VIEW_MERGED && e->path.len)
        look_below(w, use, e);
    if (use->instance->container) {
        e->victim = container_ref(use->instance->container);
        set_since_start(use->instance, e);
    }
    name_sharers(set, o, use, e);
}

/* Does the event touch the object's path, something below it, or a directory above it? */
static bool touches(const struct object *o, const struct event *e)
{
    struct bytes path = o->place.object.path;

    return bytes_path_covers(path, e->path) || bytes_path_covers(path, e->previous_path) ||
           (e->path.len && bytes_path_covers(e->path, path)) ||
           (e->previous_path.len && bytes_path_covers(e->previous_path, path));
}

/* Of a link on the way only what makes the path lead elsewhere. */
static bool leads_elsewhere(const struct event *e)
{
    return e->operation == OPERATION_RENAME || e->operation == OPERATION_UNLINK || e->operation == OPERATION_SYMLINK;
}

/* Whose it is: of watches that lie in one another the nearest. */
static void label(const struct watchset *set, const struct watch *w, struct event *e)
{
    unsigned permission = operation_info(e->operation)->permission;
    const struct watch_label *l = watch_labels_find(w->labels, e->path, permission);
    struct bytes key = w->target.key.data ? w->target.key : set->options.key;

    if (!l && e->previous_path.len)
        l = watch_labels_find(w->labels, e->previous_path, permission);
    if (!l && w->labels) /* the directory that holds it was changed */
        l = watch_labels_find(w->labels, w->target.path, permission);
    if (l) {
        e->watch_text = l->text;
        key = l->key;
    }
    if (key.len)
        e->key = key;
}

bool watchset_event(struct watchset *set, struct event *event)
{
    struct object *found;

    HASH_FIND(by_id, set->by_id, &event->object, sizeof(event->object), found);
    if (!found || (event->path.len && !touches(found, event)))
        return false;
    if (!(operation_info(event->operation)->permission & watch_permissions(set, found->watch)))
        return false;
    if (is_on_the_way(found->watch, found) && !leads_elsewhere(event))
        return false;
    if (leads_elsewhere(event))
        led_note(set, found, event);
    give(set, found->watch, found, event);
    if (turn_is_anothers(set, found->watch, event))
        return false;
    label(set, found->watch, event);
    return true;
}
