/* SPDX-License-Identifier: MIT */
#include "event/event.h"

#include <stdlib.h>

struct event *event_new(void)
{
    struct event *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->syscall = -1;
    e->actor.login_uid = UID_UNKNOWN;
    e->actor.session = SESSION_UNKNOWN;
    return e;
}

void event_free(struct event *e)
{
    if (!e)
        return;
    process_unref(e->actor.process);
    container_unref(e->victim);
    arena_done(&e->arena);
    free(e);
}

void event_freep(struct event **e)
{
    event_free(*e);
}

void event_set(struct event *e, struct bytes *field, struct bytes value)
{
    *field = arena_copy(&e->arena, value);
}

bool event_succeeded(const struct event *e)
{
    return e->error == 0;
}

struct bytes event_actor_executable(const struct event *e)
{
    if (e->actor.executable.len)
        return e->actor.executable;
    return e->actor.process ? e->actor.process->executable : BYTES_NULL;
}

struct bytes event_actor_name(const struct event *e)
{
    struct bytes executable = event_actor_executable(e);

    if (executable.len)
        return bytes_basename(executable);
    if (e->actor.name.len)
        return e->actor.name;
    return e->actor.process ? e->actor.process->name : BYTES_NULL;
}
