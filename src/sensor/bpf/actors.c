/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/actors.h"

#include <errno.h>
#include <stdlib.h>

#include "util/arena.h"
#include "util/hash_table.h"

/* What is known of an actor, until the kernel's side has forgotten that it emitted it. */
struct actor_entry {
    uint64_t number;
    struct shared_arena *memory; /* of what follows: his events point into it too */
    uint64_t mnt_ns;
    struct bytes comm, exe, cwd, args, tty, cgroup;
    UT_hash_handle hh;
};

struct bpf_actors {
    struct actor_entry *entries; /* least recently used first */
    struct actor_entry *last;    /* of them, NULL: none */
    struct sbuf text;
};

struct bpf_actors *bpf_actors_new(void)
{
    return calloc(1, sizeof(struct bpf_actors));
}

static void actor_free(struct actor_entry *a)
{
    shared_arena_unref(a->memory);
    free(a);
}

static void forget(struct bpf_actors *actors, struct actor_entry *a)
{
    HASH_DEL(actors->entries, a);
    actors->last = NULL;
    actor_free(a);
}

static struct actor_entry *find(struct bpf_actors *actors, uint64_t number)
{
    struct actor_entry *a;

    if (actors->last && actors->last->number == number)
        return actors->last;
    HASH_FIND(hh, actors->entries, &number, sizeof(number), a);
    if (a) { /* used last */
        HASH_DEL(actors->entries, a);
        HASH_ADD(hh, actors->entries, number, sizeof(a->number), a);
        if (!HASH_IS_IN(hh, a)) {
            actor_free(a);
            return actors->last = NULL;
        }
        actors->last = a;
    }
    return a;
}

static struct bytes path_of(struct bpf_actors *actors, struct arena *arena, struct bytes names)
{
    if (!names.len || !bpf_names_path(names, bpf_names_count(names), BYTES_NULL, &actors->text))
        return BYTES_NULL;
    return arena_copy(arena, sbuf_bytes(&actors->text));
}

int bpf_actors_learn(struct bpf_actors *actors, const struct bpf_record *r)
{
    struct actor_entry *a = find(actors, r->actor.actor);
    struct arena *arena;

    if (a)
        forget(actors, a);
    a = calloc(1, sizeof(*a));
    if (a)
        a->memory = shared_arena_new();
    if (!a || !a->memory) {
        free(a);
        return -ENOMEM;
    }
    arena = &a->memory->arena;
    a->number = r->actor.actor;
    a->mnt_ns = r->actor.mnt_ns;
    a->comm = arena_copy(arena, r->comm);
    a->exe = path_of(actors, arena, r->exe);
    a->cwd = r->cwd.len ? path_of(actors, arena, r->cwd) : arena_copy(arena, bytes_of("/"));
    a->args = arena_copy(arena, r->args);
    a->tty = arena_copy(arena, r->tty);
    a->cgroup = path_of(actors, arena, r->cgroup);
    actors->last = NULL;
    HASH_ADD(hh, actors->entries, number, sizeof(a->number), a);
    if (!HASH_IS_IN(hh, a)) {
        actor_free(a);
        return -ENOMEM;
    }
    if (HASH_COUNT(actors->entries) > BPF_ACTORS_MAX)
        forget(actors, actors->entries);
    return 0;
}

void bpf_actors_fill(struct bpf_actors *actors, const struct wire_change *c, const struct bpf_object_watch *w, struct event *e)
{
    const struct actor_entry *a = find(actors, c->actor);
    struct actor *to = &e->actor;

    to->pid = (pid_t)c->tgid;
    to->tid = (pid_t)c->tid;
    to->parent_pid = (pid_t)c->parent;
    to->start_ns = c->start_ns;
    to->cred = (struct credentials){ .known = true, .uid = c->uid, .euid = c->euid, .suid = c->suid,
                                     .fsuid = c->fsuid, .gid = c->gid, .egid = c->egid,
                                     .sgid = c->sgid, .fsgid = c->fsgid };
    to->login_uid = c->login_uid;
    to->session = c->session;
    if (!a)
        return;
    e->lent = shared_arena_ref(a->memory);
    to->executable = a->exe;
    to->name = a->comm;
    to->args = a->args;
    to->working_directory = a->cwd;
    to->tty = a->tty;
    if (a->cgroup.len > 1)
        to->cgroup = a->cgroup;
    to->mnt_ns = a->mnt_ns;
    to->inside = w->mnt_ns && w->mnt_ns == a->mnt_ns;
}

void bpf_actors_free(struct bpf_actors *actors)
{
    if (!actors)
        return;
    while (actors->entries)
        forget(actors, actors->entries);
    sbuf_done(&actors->text);
    free(actors);
}
