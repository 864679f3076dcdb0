/* SPDX-License-Identifier: MIT */
/* What belongs together: what was run, who for, where. Never pids, moments, or the tool. */
#include "cause/chain.h"

#include "cause/argv.h"
#include "cause/engine_client.h"
#include "util/macro.h"

/* Names that are another one each time: a directory of mktemp, a job's script. */
bool cause_word_is_random(struct bytes name, struct bytes before)
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

        fingerprint_add(of, cause_word_is_random(name, before) ? BYTES_NULL : name);
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
        fingerprint_add(of, run->file);
        break;
    case RUN_TEXT:
    case RUN_COMMAND:
        fingerprint_add(of, run->name);
        fingerprint_add(of, run->text);
        if (run->kind == RUN_COMMAND && engine_client_acts(run->args)) /* it is named by that: of two the one did not do what the other did */
            fingerprint_add(of, run->args);
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

void cause_add_origin(struct fingerprint_maker *of, const struct process *p, struct bytes image)
{
    const struct container *c = p ? p->container : NULL;

    fingerprint_add_word(of, p ? p->origin : ORIGIN_UNKNOWN);
    fingerprint_add_word(of, c != NULL);
    fingerprint_add(of, image);
    fingerprint_add(of, !c || image.len ? BYTES_NULL : c->name.len ? c->name : c->id);
    if (image.len) { /* several services may be of one image */
        fingerprint_add(of, c ? c->compose_project : BYTES_NULL);
        fingerprint_add(of, c ? c->compose_service : BYTES_NULL);
    }
}

/* Of the shell that is typed into: sudo gives what it runs a terminal of its own. */
static void add_terminal(struct fingerprint_maker *of, const struct process *shell)
{
    if (!shell)
        return;
    fingerprint_add(of, shell->tty);
    fingerprint_add_word(of, shell->session);
}

/* Not those that may be others each time: with a digit, and of mktemp. */
void cause_add_lasting_words(struct fingerprint_maker *of, struct bytes text)
{
    size_t begin = 0;
    bool digit = false;

    for (size_t i = 0; i <= text.len; i++) {
        bool ends = i == text.len || text.data[i] == '/' || text.data[i] == ' ' || text.data[i] == '\0' || text.data[i] == '\n';

        if (!ends) {
            digit = digit || bytes_is_digit(text.data[i]);
            continue;
        }
        if (i > begin && !digit && !cause_word_is_random((struct bytes){ text.data + begin, i - begin }, BYTES_NULL))
            fingerprint_add(of, (struct bytes){ text.data + begin, i - begin });
        begin = i + 1;
        digit = false;
    }
    fingerprint_add_word(of, UINT64_MAX);
}

struct bytes cause_client_of(const struct process *first)
{
    return first && first->launch.kind == LAUNCH_START ? first->launch.text : BYTES_NULL;
}

struct bytes cause_job_of(const struct process *first)
{
    static const enum launcher_kind kinds[] = { LAUNCHER_CRON, LAUNCHER_ANACRON, LAUNCHER_AT };
    struct bytes client = cause_client_of(first);

    for (size_t i = 0; client.len && i < ARRAY_SIZE(kinds); i++)
        if (bytes_equal_str(first->launch.place, cause_launcher_name(kinds[i])))
            return client;
    return BYTES_NULL;
}

/* Who had the container started: the script, or the user; of cron, which starts several, the job. */
static void add_starter(struct fingerprint_maker *of, const struct process *first)
{
    const struct launch *launch = first && first->launch.kind == LAUNCH_START ? &first->launch : NULL;

    fingerprint_add(of, launch ? launch->place : BYTES_NULL);
    fingerprint_add(of, launch ? launch->user : BYTES_NULL);
    cause_add_lasting_words(of, cause_job_of(first));
}

static void add_launcher(struct fingerprint_maker *of, const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;

    fingerprint_add_word(of, l->kind);
    if (cause->image.len && l->kind == LAUNCHER_ENTRY_POINT)
        add_starter(of, l->process); /* its name is the container's */
    else
        fingerprint_add(of, l->name);
    if (l->kind == LAUNCHER_REMOVAL) /* of one process, which works for all of them */
        fingerprint_add(of, l->detail);
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
    cause_add_origin(&of, c->event->actor.process, cause->image);
    add_launcher(&of, cause);
    return fingerprint_end(&of);
}
