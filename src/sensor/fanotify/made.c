/* SPDX-License-Identifier: MIT */
/*
 * What was made recently and may be gone before it can be looked at. By its handle an object is distinguished from
 * another one that was given its number, so a second name is known as such although the first is gone;
 * and a name whose object is gone can still be what a rename went over.
 *
 * Tables without lists: what is evicted by another one is forgotten, and its event says less.
 */
#include "sensor/fanotify/made.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/fanotify/state.h"
#include "util/clock.h"
#include "util/hash.h"

#define OBJECTS 16384
#define OPEN 4096
#define TOMBSTONES 4096
#define ARRIVALS 4096
#define MARKED 4096
#define UNSEEN 4096

struct fanotify_made {
    uint64_t objects[OBJECTS]; /* hashes; 0 = none */
    uint64_t open[OPEN];       /* hashes of objects with their makers */
    uint64_t tombstones[TOMBSTONES];
    bool any_tombstones;
    struct {
        uint64_t name, object; /* hashes; 0 = none */
    } arrivals[ARRIVALS];
    struct {
        uint64_t directory, real_ns;
    } marked[MARKED];
    uint64_t unseen[UNSEEN]; /* hashes of objects of an index; 0 = none */
};

struct fanotify_made *fanotify_made_new(void)
{
    return calloc(1, sizeof(struct fanotify_made));
}

void fanotify_made_free(struct fanotify_made *m)
{
    free(m);
}

static uint64_t hash_name(const struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    return hash_words(hash_word(hash_word(HASH_START, (uintptr_t)o), directory), name.data, name.len) | 1;
}

static uint64_t *unseen_of(struct fanotify_object *o, uint32_t object, uint64_t *ret_hash)
{
    *ret_hash = hash_word(hash_word(HASH_START, (uintptr_t)o), object) | 1;
    return &o->sensor->made->unseen[(*ret_hash >> 1) % UNSEEN];
}

void fanotify_unseen_note(struct fanotify_object *o, uint32_t object)
{
    uint64_t h, *at = unseen_of(o, object, &h);

    if (object)
        *at = h;
}

bool fanotify_unseen_take(struct fanotify_object *o, uint32_t object)
{
    uint64_t h, *at = unseen_of(o, object, &h);
    bool is = *at == h;

    if (is)
        *at = 0;
    return is;
}

void fanotify_made_note(struct sensor *s, const struct fanotify_handle *object)
{
    uint64_t h = object->data.data ? fanotify_handle_hash(object) : 0;

    if (h)
        s->made->objects[(h >> 1) % OBJECTS] = h;
}

bool fanotify_made_before(const struct sensor *s, const struct fanotify_handle *object)
{
    uint64_t h = object->data.data ? fanotify_handle_hash(object) : 0;

    return h && s->made->objects[(h >> 1) % OBJECTS] == h;
}

static uint64_t *place_of_open(struct sensor *s, const struct fanotify_handle *object, pid_t pid, uint64_t *ret_hash)
{
    *ret_hash = object->data.data ? hash_word(fanotify_handle_hash(object), (uint64_t)pid) | 1 : 0;
    return &s->made->open[(*ret_hash >> 1) % OPEN];
}

void fanotify_made_open(struct sensor *s, const struct fanotify_handle *object, pid_t pid)
{
    uint64_t h, *place = place_of_open(s, object, pid, &h);

    if (h)
        *place = h;
}

bool fanotify_made_is_open(struct sensor *s, const struct fanotify_handle *object, pid_t pid, bool closes)
{
    uint64_t h, *place = place_of_open(s, object, pid, &h);
    bool is = h && *place == h;

    if (is && closes)
        *place = 0;
    return is;
}

void fanotify_tombstone_add(struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    uint64_t h = hash_name(o, directory, name);

    o->sensor->made->tombstones[(h >> 1) % TOMBSTONES] = h;
    o->sensor->made->any_tombstones = true;
}

bool fanotify_tombstone_is(const struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    const struct fanotify_made *m = o->sensor->made;
    uint64_t h = m->any_tombstones ? hash_name(o, directory, name) : 0;

    return h && m->tombstones[(h >> 1) % TOMBSTONES] == h;
}

bool fanotify_tombstone_take(struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    bool is = fanotify_tombstone_is(o, directory, name);

    if (is)
        o->sensor->made->tombstones[(hash_name(o, directory, name) >> 1) % TOMBSTONES] = 0;
    return is;
}

void fanotify_tombstones_forget(struct sensor *s)
{
    if (s->made->any_tombstones)
        memset(s->made->tombstones, 0, sizeof(s->made->tombstones));
    s->made->any_tombstones = false;
}

void fanotify_marked_note(struct fanotify_object *o, uint32_t directory)
{
    uint64_t h = hash_name(o, directory, bytes_of(""));
    size_t at = (h >> 1) % MARKED;

    o->sensor->made->marked[at].directory = h;
    o->sensor->made->marked[at].real_ns = clock_ns(CLOCK_REALTIME);
}

uint64_t fanotify_marked_at(const struct fanotify_object *o, uint32_t directory)
{
    uint64_t h = hash_name(o, directory, bytes_of(""));
    size_t at = (h >> 1) % MARKED;

    return o->sensor->made->marked[at].directory == h ? o->sensor->made->marked[at].real_ns : 0;
}

void fanotify_arrival_note(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *object)
{
    uint64_t h = hash_name(o, directory, name);
    size_t at = (h >> 1) % ARRIVALS;

    o->sensor->made->arrivals[at].name = h;
    o->sensor->made->arrivals[at].object = object && object->data.data ? fanotify_handle_hash(object) : 0;
}

bool fanotify_arrival_is(const struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *object)
{
    const struct fanotify_made *m = o->sensor->made;
    uint64_t h = hash_name(o, directory, name);
    size_t at = (h >> 1) % ARRIVALS;

    return object->data.data && m->arrivals[at].name == h && m->arrivals[at].object == fanotify_handle_hash(object);
}
