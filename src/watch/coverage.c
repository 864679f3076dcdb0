/* SPDX-License-Identifier: MIT */
/* Where the watches look, for the record: resolved, so that it is found however somebody asks for it. */
#include "watch/coverage.h"

#include <stdlib.h>

#include "util/fingerprint.h"
#include "watch/state.h"

#define RECORDED_MAX 4096 /* of those that are not there any more: a container that starts over and over is recorded once */

struct recorded {
    struct fingerprint key;
    unsigned round; /* it was there when places were last looked at */
    UT_hash_handle hh;
};

static struct fingerprint key_of(const struct watch *w, const struct coverage_place *p)
{
    const struct bytes texts[] = { p->container_id, p->container_name, p->path, p->host_path };
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add_word(&of, w->index);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        fingerprint_add(&of, texts[i]);
    return fingerprint_end(&of);
}

/* Each place once: a container that starts over and over has the same ones each time. */
static bool is_new(struct watchset *set, struct fingerprint key)
{
    struct recorded *r;

    HASH_FIND(hh, set->recorded, &key, sizeof(key), r);
    if (r) {
        r->round = set->round;
        return false;
    }
    r = calloc(1, sizeof(*r));
    if (!r)
        return true;
    r->key = key;
    r->round = set->round;
    HASH_ADD(hh, set->recorded, key, sizeof(r->key), r);
    HASH_FREE_IF_OUT(hh, r);
    return true;
}

/* Of those that are not there any more the oldest: containers come and go for as long as they are watched. */
static void forget_old(struct watchset *set)
{
    unsigned gone = 0;
    struct recorded *r, *next;

    HASH_ITER(hh, set->recorded, r, next)
        gone += r->round != set->round;
    HASH_ITER(hh, set->recorded, r, next) { /* in the order in which they were recorded */
        if (gone <= RECORDED_MAX / 2)
            break;
        if (r->round == set->round)
            continue;
        HASH_DEL(set->recorded, r);
        free(r);
        gone--;
    }
    set->forget_at = HASH_COUNT(set->recorded) + RECORDED_MAX / 2;
}

/* What is asked of one watch, whoever's files it turns out to be. */
static struct coverage_place asked(const struct watchset *set, const struct watch *w)
{
    return (struct coverage_place){
        .kind = w->target.selector.kind,
        .runtime = w->target.selector.runtime,
        .selector = w->target.selector.text,
        .path = w->target.path,
        .target = w->target.path,
        .permissions = watch_permissions(set, w),
    };
}

static struct coverage_place resolved(const struct watchset *set, const struct watch *w, const struct object *o,
                                      const struct use *u)
{
    struct coverage_place p = asked(set, w);
    const struct container *c = u->instance->container;
    bool by_process = o->place.object.ns_pid && bytes_equal(u->shown_host_path, o->place.object.host_path);

    if (c) {
        p.runtime = c->runtime;
        p.container_id = c->id;
        p.container_name = c->name;
    }
    if (p.kind == SELECTOR_NONE) {
        p.path = u->victim_path;
    } else {
        if (p.kind != SELECTOR_VOLUME)
            p.path = u->victim_path;
        if (!by_process) /* /proc/PID/root leads there as long as the process lives */
            p.host_path = u->shown_host_path;
    }
    return p;
}

void watchset_each_new_place(struct watchset *set, void (*each)(void *data, const struct coverage_place *place),
                             void *data)
{
    if (!set->new_places)
        return;
    set->new_places = false;
    set->round++;
    for (size_t i = 0; i < set->count; i++) {
        const struct watch *w = set->watches[i];
        struct coverage_place p = asked(set, w);

        if (w->until_ns)
            continue;
        if (is_new(set, key_of(w, &p)))
            each(data, &p);
        for (const struct object *o = w->objects; o; o = o->next)
            for (size_t k = 0; k < o->use_count; k++) {
                p = resolved(set, w, o, &o->uses[k]);
                if (is_new(set, key_of(w, &p)))
                    each(data, &p);
            }
    }
    if (HASH_COUNT(set->recorded) > MAX(set->forget_at, (unsigned)RECORDED_MAX))
        forget_old(set);
}

void watchset_forget_places(struct watchset *set)
{
    struct recorded *r, *next;

    set->new_places = true;
    HASH_ITER(hh, set->recorded, r, next) {
        HASH_DEL(set->recorded, r);
        free(r);
    }
}
