/* SPDX-License-Identifier: MIT */
/* Events, processes and containers as tests need them. */
#pragma once

#include "event/event.h"

static inline struct container *make_container(const char *id, const char *name)
{
    struct container *c = container_new();

    container_set(c, &c->id, bytes_of(id));
    container_set(c, &c->name, bytes_of(name));
    container_set(c, &c->runtime, bytes_of("docker"));
    return c;
}

/* Takes over the reference of `parent`. */
static inline struct process *make_process(pid_t pid, const char *executable, struct process *parent)
{
    struct process *p = process_new(pid, (uint64_t)pid * 1000000000ull);

    process_set(p, &p->executable, bytes_of(executable));
    p->origin = ORIGIN_HOST;
    p->parent = parent;
    p->parent_pid = parent ? parent->pid : 0;
    return p;
}

/* A change by `actor` (NULL: nobody known); keeps references of its own. */
static inline struct event *make_event(enum operation operation, const char *path, struct process *actor,
                                       struct container *victim, uint64_t time_ns)
{
    struct event *e = event_new();

    e->operation = operation;
    e->time_ns = time_ns;
    event_set(e, &e->path, bytes_of(path));
    if (actor) {
        e->actor.process = process_ref(actor);
        e->actor.pid = actor->pid;
        e->actor.start_ns = actor->start_ns;
    }
    e->victim = container_ref(victim);
    e->victim_kind = victim ? VICTIM_CONTAINER : VICTIM_HOST;
    e->sensors = SENSOR_AUDIT;
    return e;
}
