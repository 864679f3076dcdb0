/* SPDX-License-Identifier: MIT */
/* What belongs together: what was run, who for, where. Never pids, moments, or the tool. */
#include "cause/chain.h"

#include "cause/argv.h"
#include "util/macro.h"

/* Names that are another one each time: a directory of mktemp, a job's script. */
static bool is_random(struct bytes name, struct bytes before)
{
    static const char *const prefixes[] = { "tmp.", "durable-", "ansible-tmp-", "rpm-tmp.", "ansible_" };

    for (size_t i = 0; name.len && i < ARRAY_SIZE(prefixes); i++)
        if (name.data[0] == prefixes[i][0] && bytes_starts_with(name, bytes_of(prefixes[i])))
            return true;
    return before.len == 5 && bytes_equal_str(before, "_temp");
}

static void add_path(struct fingerprint_maker *of, struct bytes path)
{
    struct bytes before = BYTES_NULL;

    while (path.len) {
        const char *slash = bytes_char(path, '/');
        struct bytes name = { path.data, slash ? (size_t)(slash - path.data) : path.len };

        fingerprint_add(of, is_random(name, before) ? BYTES_NULL : name);
        before = name;
        path = (struct bytes){ path.data + name.len + (slash != NULL), path.len - name.len - (slash != NULL) };
    }
    fingerprint_add_word(of, UINT64_MAX); /* no name is so long: its end */
}

/* What names it, for each kind. */
static void add_run(struct fingerprint_maker *of, const struct cause_run *run)
{
    fingerprint_add_word(of, run->kind);
    fingerprint_add_word(of, run->claimed);
    fingerprint_add(of, run->claimed && run->process ? run->process->executable : BYTES_NULL);
    switch (run->kind) {
    case RUN_TARGET:
    case RUN_NPM:
    case RUN_GIT:
        fingerprint_add(of, run->interpreter);
        fingerprint_add(of, run->directory);
        fingerprint_add(of, run->name);
        break;
    case RUN_TEXT:
    case RUN_COMMAND:
        fingerprint_add(of, run->name);
        fingerprint_add(of, run->text);
        break;
    case RUN_ANSIBLE: /* what its module executes may be another one for each host and item: the program names it */
        add_path(of, run->name);
        fingerprint_add(of, link_command_name(argv_at(run->text, 0)));
        break;
    case RUN_PROGRAM:
    case RUN_BUILTIN:
        fingerprint_add(of, run->name);
        break;
    default:
        add_path(of, run->name);
    }
}

static void add_people(struct fingerprint_maker *of, const struct event *e, const struct person *person)
{
    const struct credentials *cred = actor_credentials(&e->actor);

    fingerprint_add_word(of, cred->known ? cred->uid : UID_UNKNOWN);
    /* nobody logged in: who called sudo; by its name alone: whose `docker exec` it was */
    fingerprint_add_word(of, person->id != UID_UNKNOWN ? person->id : actor_login_uid(&e->actor));
    fingerprint_add(of, person->id == UID_UNKNOWN ? person->name : BYTES_NULL);
}

static void add_origin(struct fingerprint_maker *of, const struct process *p)
{
    const struct container *c = p ? p->container : NULL;

    fingerprint_add_word(of, p ? p->origin : ORIGIN_UNKNOWN);
    fingerprint_add_word(of, c != NULL);
    fingerprint_add(of, !c ? BYTES_NULL : c->name.len ? c->name : c->id);
}

/* Of the shell that is typed into: sudo gives what it runs a terminal of its own. */
static void add_terminal(struct fingerprint_maker *of, const struct process *shell)
{
    if (!shell)
        return;
    fingerprint_add(of, shell->tty);
    fingerprint_add_word(of, shell->session);
}

static void add_launcher(struct fingerprint_maker *of, const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;

    fingerprint_add_word(of, l->kind);
    fingerprint_add(of, l->name);
    /* what is typed by one person at one terminal belongs together, and nothing else does */
    if (l->kind == LAUNCHER_PERSON && (cause->run.kind == RUN_COMMAND || cause->run.kind == RUN_PROGRAM ||
                                         cause->run.kind == RUN_BUILTIN))
        add_terminal(of, l->process);
}

struct fingerprint cause_find_key(const struct chain *c, const struct cause *cause)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    add_run(&of, &cause->run);
    fingerprint_add_word(&of, cause->run.kind ? 0 : (uint64_t)c->event->actor.pid);
    fingerprint_add(&of, c->event->node);
    add_people(&of, c->event, &cause->person);
    add_origin(&of, c->event->actor.process);
    add_launcher(&of, cause);
    return fingerprint_end(&of);
}
