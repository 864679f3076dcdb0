/* SPDX-License-Identifier: MIT */
#include "watch/observation.h"

#include <string.h>

#include "event/operation.h"
#include "util/hash.h"

struct observation observation_of(const struct event *e)
{
    return (struct observation){
        .watch = e->watch,
        .operation = e->operation,
        .sensors = e->sensors,
        .failed = e->error != 0,
        .actor_presumed = e->actor_presumed,
        .operation_presumed = e->operation_presumed,
        .pid = e->actor.pid,
        .start_ns = e->actor.start_ns,
        .path = e->path,
        .previous_path = e->previous_path,
        .from_ns = e->boot_from_ns ? e->boot_from_ns : e->boot_ns,
        .until_ns = e->boot_ns,
    };
}

uint64_t observation_hash(const struct observation *s)
{
    uint32_t facts[] = { s->watch, s->failed };

    return hash_add(hash_add(HASH_START, facts, sizeof(facts)), s->path.data, s->path.len);
}

uint64_t observation_bucket_hash(uint64_t hash, unsigned sensors)
{
    return hash_word(hash, sensors);
}

unsigned observation_next_set(uint32_t seen_by, unsigned sensors, unsigned last)
{
    for (unsigned set = last + 1; set < 32 && seen_by >> set; set++)
        if (seen_by >> set & 1 && !(set & sensors))
            return set;
    return 0;
}

/* Sensors name some changes differently: an ACL is an extended attribute to those that see the system call. */
static enum operation class_of(enum operation operation)
{
    switch (operation) {
    case OPERATION_SETACL:
        return OPERATION_SETXATTR;
    case OPERATION_LINK: /* to those who see a new name, and not how it came */
        return OPERATION_CREATE;
    default:
        return operation;
    }
}

/* Setting an ACL may change the mode. A sensor that compares the file's state (fanotify) sees a changed mode. */
bool observation_is_looked_up_mode(const struct observation *s)
{
    return s->operation == OPERATION_CHMOD && s->sensors == SENSOR_FANOTIFY;
}

/* Likewise an ACL that is there no more: by removexattr(2), or by the call that sets one which says no more than the mode. */
static bool is_looked_up_acl(const struct observation *s)
{
    return s->operation == OPERATION_SETACL && s->sensors == SENSOR_FANOTIFY;
}

static bool may_be_by_acl(const struct observation *looked_up, const struct observation *call)
{
    return (observation_is_looked_up_mode(looked_up) || is_looked_up_acl(looked_up)) && observation_may_set_acl(call);
}

bool observation_may_set_acl(const struct observation *s)
{
    return s->sensors == SENSOR_AUDIT && !s->failed &&
           (s->operation == OPERATION_SETXATTR || s->operation == OPERATION_SETACL || s->operation == OPERATION_REMOVEXATTR);
}

static bool is_creation(enum operation operation)
{
    return strcmp(operation_info(operation)->ecs_type, "creation") == 0;
}

/* A name that was found, and one that was moved there. */
static bool is_arrival(const struct observation *found, const struct observation *moved)
{
    return found->operation_presumed && is_creation(found->operation) && moved->operation == OPERATION_RENAME;
}

static bool is_like(const struct observation *a, const struct observation *b, enum likeness likeness)
{
    switch (likeness) {
    case SAME_NAME:
        return class_of(a->operation) == class_of(b->operation);
    case MODE_BY_ACL:
        return may_be_by_acl(a, b) || may_be_by_acl(b, a);
    default:
        return a->operation_presumed != b->operation_presumed &&
               operation_info(a->operation)->permission == operation_info(b->operation)->permission &&
               (is_creation(a->operation) == is_creation(b->operation) || is_arrival(a, b) || is_arrival(b, a));
    }
}

static bool same_actor(const struct observation *a, const struct observation *b)
{
    if (a->actor_presumed != b->actor_presumed)
        return true;
    if (a->actor_presumed && (!a->pid || !b->pid)) /* one of them knows nobody */
        return true;
    return a->pid == b->pid && (!a->start_ns || !b->start_ns || a->start_ns == b->start_ns);
}

bool observation_is_same(const struct observation *a, const struct observation *b, enum likeness likeness)
{
    /* of a rename out of the watch some sensors know the new name, others do not */
    return a->watch == b->watch && is_like(a, b, likeness) && same_actor(a, b) && a->failed == b->failed &&
           bytes_equal(a->path, b->path) &&
           (!a->previous_path.len || !b->previous_path.len || bytes_equal(a->previous_path, b->previous_path));
}

bool observation_presumes(const struct observation *s)
{
    return s->actor_presumed || s->operation_presumed;
}
