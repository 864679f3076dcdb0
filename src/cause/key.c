/* SPDX-License-Identifier: MIT */
/* What belongs together: what was run, who for, where. Never pids, moments, or the tool. */
#include "cause/chain.h"
#include "util/hash.h"
#include "util/macro.h"
#include "util/siphash.h"

static uint64_t add_bytes(uint64_t h, struct bytes b)
{
    return siphash(h, b.len, b); /* chosen by whoever runs it */
}

/* Names that are another one each time: a directory of mktemp, a job's script. */
static bool is_random(struct bytes name, struct bytes before)
{
    static const char *const prefixes[] = { "tmp.", "durable-", "ansible-tmp-", "rpm-tmp.", "ansible_" };

    for (size_t i = 0; name.len && i < ARRAY_SIZE(prefixes); i++)
        if (name.data[0] == prefixes[i][0] && bytes_starts_with(name, bytes_of(prefixes[i])))
            return true;
    return before.len == 5 && bytes_equal_str(before, "_temp");
}

static uint64_t add_path(uint64_t h, struct bytes path)
{
    struct bytes before = BYTES_NULL;

    while (path.len) {
        const char *slash = bytes_char(path, '/');
        struct bytes name = { path.data, slash ? (size_t)(slash - path.data) : path.len };

        h = add_bytes(h, is_random(name, before) ? BYTES_NULL : name);
        before = name;
        path = (struct bytes){ path.data + name.len + (slash != NULL), path.len - name.len - (slash != NULL) };
    }
    return h;
}

/* What names it, for each kind. */
static uint64_t add_run(uint64_t h, const struct cause_run *run)
{
    h = hash_word(h, run->kind);
    h = hash_word(h, run->claimed);
    h = add_bytes(h, run->claimed && run->process ? run->process->executable : BYTES_NULL);
    switch (run->kind) {
    case RUN_TARGET:
    case RUN_NPM:
    case RUN_GIT:
        h = add_bytes(add_bytes(h, run->interpreter), run->directory);
        return add_bytes(h, run->name);
    case RUN_TEXT:
    case RUN_COMMAND:
        return add_bytes(add_bytes(h, run->name), run->text);
    case RUN_PROGRAM:
        return add_bytes(h, run->name);
    default:
        return add_path(h, run->name);
    }
}

static uint64_t add_people(uint64_t h, const struct event *e, const struct person *person)
{
    const struct credentials *cred = actor_credentials(&e->actor);

    h = hash_word(h, cred->known ? cred->uid : UID_UNKNOWN);
    /* nobody logged in: who called sudo; by its name alone: whose `docker exec` it was */
    h = hash_word(h, person->id != UID_UNKNOWN ? person->id : actor_login_uid(&e->actor));
    return add_bytes(h, person->id == UID_UNKNOWN ? person->name : BYTES_NULL);
}

static uint64_t add_origin(uint64_t h, const struct process *p)
{
    h = hash_word(h, p ? p->origin : ORIGIN_UNKNOWN);
    if (p && p->container)
        h = add_bytes(h, p->container->name.len ? p->container->name : p->container->id);
    return h;
}

/* Of the shell that is typed into: sudo gives what it runs a terminal of its own. */
static uint64_t add_terminal(uint64_t h, const struct process *shell)
{
    return shell ? hash_word(add_bytes(h, shell->tty), shell->session) : h;
}

static uint64_t add_launcher(uint64_t h, const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;

    h = add_bytes(hash_word(h, l->kind), l->name);
    /* what is typed by one person at one terminal belongs together, and nothing else does */
    if (l->kind == LAUNCHER_PERSON && (cause->run.kind == RUN_COMMAND || cause->run.kind == RUN_PROGRAM))
        h = add_terminal(h, l->process);
    return h;
}

uint64_t cause_find_key(const struct chain *c, const struct cause *cause)
{
    const struct process *actor = c->event->actor.process;
    uint64_t h = add_run(HASH_START, &cause->run);

    if (!cause->run.kind)
        h = hash_word(h, (uint64_t)c->event->actor.pid);
    if (c->event->node.len)
        h = add_bytes(h, c->event->node);
    h = add_people(h, c->event, &cause->person);
    h = add_origin(h, actor);
    h = add_launcher(h, cause);
    return h ? h : 1;
}
