/* SPDX-License-Identifier: MIT */
#include "watch/sight.h"

#include <string.h>

#include "event/operation.h"
#include "util/hash.h"

struct sight sight_of(const struct event *e)
{
    return (struct sight){
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

uint64_t sight_hash(const struct sight *s)
{
    uint32_t facts[] = { s->watch, s->failed };

    return hash_add(hash_add(HASH_START, facts, sizeof(facts)), s->path.data, s->path.len);
}

/* Sensors tell some changes by different names: an ACL is an attribute to those who see the call. */
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

/* A mode that was set by way of an ACL is a changed mode, to who looks at the file. */
bool sight_is_looked_up_mode(const struct sight *s)
{
    return s->operation == OPERATION_CHMOD && s->sensors == SENSOR_FANOTIFY;
}

bool sight_may_set_acl(const struct sight *s)
{
    return s->sensors == SENSOR_AUDIT && !s->failed &&
           (s->operation == OPERATION_SETXATTR || s->operation == OPERATION_SETACL || s->operation == OPERATION_REMOVEXATTR);
}

static bool is_creation(enum operation operation)
{
    return strcmp(operation_info(operation)->ecs_type, "creation") == 0;
}

static bool is_like(const struct sight *a, const struct sight *b, enum likeness likeness)
{
    switch (likeness) {
    case SAME_NAME:
        return class_of(a->operation) == class_of(b->operation);
    case MODE_BY_ACL:
        return (sight_is_looked_up_mode(a) && sight_may_set_acl(b)) || (sight_is_looked_up_mode(b) && sight_may_set_acl(a));
    default:
        return a->operation_presumed != b->operation_presumed &&
               operation_info(a->operation)->permission == operation_info(b->operation)->permission &&
               is_creation(a->operation) == is_creation(b->operation);
    }
}

static bool same_actor(const struct sight *a, const struct sight *b)
{
    if (a->actor_presumed != b->actor_presumed)
        return true;
    return a->pid == b->pid && (!a->start_ns || !b->start_ns || a->start_ns == b->start_ns);
}

bool sight_is_same(const struct sight *a, const struct sight *b, enum likeness likeness)
{
    /* a rename out of the watch is told with its new name by some and without by others */
    return a->watch == b->watch && is_like(a, b, likeness) && same_actor(a, b) && a->failed == b->failed &&
           bytes_equal(a->path, b->path) &&
           (!a->previous_path.len || !b->previous_path.len || bytes_equal(a->previous_path, b->previous_path));
}

bool sight_presumes(const struct sight *s)
{
    return s->actor_presumed || s->operation_presumed;
}
