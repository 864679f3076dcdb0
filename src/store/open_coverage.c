/* SPDX-License-Identifier: MIT */
#include "store/open_coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/sender.h"
#include "util/arena.h"
#include "util/macro.h"

#define PLACES_MAX 4096   /* of one watch, sent again to a store that is begun anew: the oldest are of containers that have gone */

struct open_coverage {
    uint64_t number;
    struct coverage coverage;
    struct place_list {
        struct coverage_place place; /* its texts are below */
        struct place_list *next;
        char texts[];
    } *places, **last_place; /* the newest PLACES_MAX, in order */
    unsigned place_count;
    struct arena arena;
    struct open_coverage *next;
};

int open_coverage_add(struct open_coverage **list, uint64_t number, const struct coverage *coverage)
{
    struct open_coverage *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->number = number;
    c->last_place = &c->places;
    c->coverage = *coverage;
    c->coverage.watch = arena_copy(&c->arena, coverage->watch);
    c->coverage.not_seen = arena_copy(&c->arena, coverage->not_seen);
    c->coverage.host_id = arena_copy(&c->arena, coverage->host_id);
    c->coverage.host_name = arena_copy(&c->arena, coverage->host_name);
    c->coverage.narrowed = arena_copy(&c->arena, coverage->narrowed);
    c->next = *list;
    *list = c;
    return 0;
}

struct open_coverage **open_coverage_find(struct open_coverage **list, uint64_t number)
{
    struct open_coverage **at = list;

    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static void forget_first_place(struct open_coverage *c)
{
    struct place_list *p = c->places;

    c->places = p->next;
    if (!c->places)
        c->last_place = &c->places;
    c->place_count--;
    free(p);
}

void open_coverage_add_place(struct open_coverage *c, const struct coverage_place *place)
{
    const struct bytes from[] = { place->runtime,        place->selector, place->container_id,
                                  place->container_name, place->path,     place->host_path, place->target };
    struct place_list *p;
    size_t len = 0;
    char *at;

    for (size_t i = 0; i < ARRAY_SIZE(from); i++)
        len += from[i].len;
    p = malloc(sizeof(*p) + len);
    if (!p)
        return; /* it is in the store that is written now */
    *p = (struct place_list){ .place = *place };
    struct bytes *const to[] = { &p->place.runtime,        &p->place.selector, &p->place.container_id,
                                 &p->place.container_name, &p->place.path,     &p->place.host_path, &p->place.target };
    at = p->texts;
    for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
        if (from[i].len)
            memcpy(at, from[i].data, from[i].len);
        *to[i] = from[i].data ? (struct bytes){ at, from[i].len } : BYTES_NULL;
        at += from[i].len;
    }
    *c->last_place = p;
    c->last_place = &p->next;
    if (++c->place_count > PLACES_MAX)
        forget_first_place(c);
}

void open_coverage_remove(struct open_coverage **at)
{
    struct open_coverage *c = *at;

    *at = c->next;
    while (c->places)
        forget_first_place(c);
    arena_done(&c->arena);
    free(c);
}

static void send(const struct open_coverage *c, uint64_t begin_ns, struct sbuf *out)
{
    struct coverage now = c->coverage;

    now.from_ns = MAX(now.from_ns, begin_ns);
    sender_coverage(c->number, &now, out);
    for (const struct place_list *p = c->places; p; p = p->next) {
        struct coverage_place place = p->place;

        place.from_ns = MAX(place.from_ns, begin_ns);
        sender_coverage_place(c->number, &place, out);
    }
}

void open_coverage_send(const struct open_coverage *list, uint64_t begin_ns, struct sbuf *out)
{
    for (const struct open_coverage *c = list; c; c = c->next)
        send(c, begin_ns, out);
}
