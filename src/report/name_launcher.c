/* SPDX-License-Identifier: MIT */
#include "report/name_launcher.h"

#include <string.h>

#include "cause/argv.h"
#include "cause/engine_client.h"
#include "report/name_parts.h"
#include "util/escape.h"

#define COMMAND_COLUMNS 60 /* of a command line in a sentence */

#define CI_SAYS "says its environment: " /* a job may write there what it likes */

/* clang-format off */
static const struct launcher_words launchers[LAUNCHER_KIND_COUNT] = {
    [LAUNCHER_PRODUCT]       = { "", "", "", true, false },
    [LAUNCHER_PACKAGE]       = { "", "", "package manager ", true, true },
    [LAUNCHER_CONFIGURATION] = { "", "", "configuration management ", true, true },
    [LAUNCHER_EXEC]          = { "run by %exec in container ", "", "exec in container ", false, true },
    [LAUNCHER_COPY]          = { "for docker cp", "", "docker cp", false, true },
    [LAUNCHER_REMOVAL]       = { "asked by a client", "", "asked by a client", false, true },
    [LAUNCHER_COMPOSE]       = { "run by compose exec of project ", "", "compose project ", false, true },
    [LAUNCHER_HEALTH_CHECK]  = { "The health check of container ", "", "health check of container ", true, false },
    [LAUNCHER_ENTRY_POINT]   = { "run by the entry point of ", "", "entry point of container ", false, false, "" },
    [LAUNCHER_KUBECTL_EXEC]  = { "run by kubectl exec in ", "", "kubectl exec in ", false, true },
    [LAUNCHER_ENGINE]        = { NULL, NULL, "container engine ", false, false },
    [LAUNCHER_CRON]          = { "a cron job of ", "", "cron of ", false, false },
    [LAUNCHER_ANACRON]       = { "an anacron job of ", "", "anacron ", false, false },
    [LAUNCHER_AT]            = { "an at job of ", "", "at, of ", false, false },
    [LAUNCHER_TIMER]         = { "service ", ", started by its timer", "timer of ", false, false },
    [LAUNCHER_SERVICE]       = { "service ", "", "service ", false, false },
    [LAUNCHER_CI]            = { "a job of the CI runner ", "", "CI runner ", false, false, CI_SAYS },
    [LAUNCHER_SSH]           = { "a command given to ssh by ", "", "ssh command of ", false, true },
    [LAUNCHER_SFTP]          = { "", " by sftp", "sftp of ", true, true },
    [LAUNCHER_PERSON]        = { NULL, NULL, "", false, false },
    [LAUNCHER_COMMAND]       = { NULL, NULL, "", false, false },
    [LAUNCHER_POD_EXEC]      = { "run by kubectl exec, a probe or a hook in ", "", "kubectl exec, a probe or a hook in ", false, true },
};
/* clang-format on */

const struct launcher_words *launcher_words_of(const struct cause_launcher *l)
{
    static const struct launcher_words none = { NULL, NULL, NULL, false, false };

    return (unsigned)l->kind < LAUNCHER_KIND_COUNT ? &launchers[l->kind] : &none;
}

/* A client's arguments: what it was asked for, and not by which socket. */
static void name_request(struct sbuf *out, struct bytes args)
{
    _cleanup_sbuf_ struct sbuf words = SBUF_INIT;
    struct bytes program = bytes_basename(argv_at(args, 0));

    if (engine_client_is(args) || engine_client_is_compose(program)) {
        sbuf_add_bytes(&words, program);
        sbuf_add_char(&words, '\0');
        sbuf_add_bytes(&words, engine_client_request(args));
        args = sbuf_bytes(&words);
    }
    name_command_line(out, args, COMMAND_COLUMNS);
}

void name_launcher_detail(struct sbuf *out, const struct cause_launcher *l)
{
    struct bytes detail = l->detail;

    if (l->kind == LAUNCHER_CONFIGURATION)
        name_command_line(out, detail, 2 * COMMAND_COLUMNS);
    else if (memchr(detail.data ? detail.data : "", '\0', detail.len))
        name_request(out, detail);
    else
        escape_terminal(out, detail);
}

void name_launcher(struct sbuf *out, const struct cause_launcher *l)
{
    const struct launcher_words *w = launcher_words_of(l);

    if (!w->who || !w->who[0] || (!l->name.len && !l->detail.len && l->kind != LAUNCHER_ANACRON))
        return;
    sbuf_add_str(out, w->who);
    if (!l->name.len && !l->detail.len) /* anacron's */
        sbuf_truncate(out, out->len - 1);
    if (l->kind != LAUNCHER_COPY && l->kind != LAUNCHER_REMOVAL)
        escape_terminal(out, l->name);
    if (l->detail.len) {
        sbuf_add_str(out, l->name.len || l->kind == LAUNCHER_REMOVAL ? " (" : "(");
        sbuf_add_str(out, w->detail ? w->detail : "");
        name_launcher_detail(out, l);
        sbuf_add_char(out, ')');
    }
    if (l->kind == LAUNCHER_ENTRY_POINT && l->process && l->process->launch.kind == LAUNCH_START) {
        sbuf_add_str(out, ", started by ");
        name_request(out, l->process->launch.text);
    }
    if (l->unit.len && !bytes_equal(l->unit, l->name)) {
        sbuf_add_str(out, ", unit ");
        escape_terminal(out, l->unit);
    }
}

/* "docker ", of the engine whose container the actor lives in. */
static void add_engine(struct sbuf *out, const struct actor *actor)
{
    const struct container *c = actor->process ? actor->process->container : NULL;

    if (!c || !c->runtime.len)
        return;
    escape_terminal(out, c->runtime);
    sbuf_add_char(out, ' ');
}

/* "container web", "a container of image shop:1.4" */
void name_home(struct sbuf *out, const struct cause *cause)
{
    sbuf_add_str(out, cause->image.len ? "a container of image " : "container ");
    escape_terminal(out, cause->image.len ? cause->image : cause->launcher.name);
}

bool name_started_by(struct sbuf *out, const struct cause *cause, const struct actor *actor)
{
    const struct cause_launcher *l = &cause->launcher;
    const struct launcher_words *w = launcher_words_of(l);
    const char *engine;

    if (!w->before || !w->before[0] || (!l->name.len && l->kind != LAUNCHER_ANACRON))
        return false;
    sbuf_add_str(out, ", ");
    engine = strchr(w->before, '%');
    if (engine) {
        sbuf_add(out, w->before, (size_t)(engine - w->before));
        add_engine(out, actor);
    }
    if (!l->name.len) {
        sbuf_add_str(out, "an anacron job");
        return true;
    }
    sbuf_add_str(out, engine ? engine + 1 : w->before);
    if (l->kind == LAUNCHER_ENTRY_POINT)
        name_home(out, cause);
    else if (l->kind != LAUNCHER_COPY && l->kind != LAUNCHER_REMOVAL) /* the phrase of what was done names the container */
        escape_terminal(out, l->name);
    sbuf_add_str(out, w->after);
    if (w->detail && l->detail.len) {
        sbuf_add_str(out, " (");
        sbuf_add_str(out, w->detail);
        name_launcher_detail(out, l);
        sbuf_add_char(out, ')');
    }
    return true;
}

/* "docker run", "podman start", "docker-compose up": of a client's arguments. Returns whether it made the container. */
static bool add_verb(struct sbuf *out, struct bytes client)
{
    struct bytes program = bytes_basename(argv_at(client, 0));
    struct engine_client_start start;

    escape_terminal(out, program);
    if (!engine_client_starts(client, &start))
        return false;
    if (start.compose && !engine_client_is_compose(program))
        sbuf_add_str(out, " compose");
    sbuf_add_char(out, ' ');
    escape_terminal(out, start.verb);
    return bytes_equal_str(start.verb, "run");
}

bool name_client(struct sbuf *out, const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;
    const struct process *p = l->process;
    const struct launch *launch = p ? &p->launch : NULL;

    if (!launch || (l->kind == LAUNCHER_ENTRY_POINT ? launch->kind != LAUNCH_START : launch->kind != LAUNCH_EXEC && launch->kind != LAUNCH_COPY && launch->kind != LAUNCH_REMOVE))
        return false;
    if (launch->kind == LAUNCH_COPY && !l->detail.len) /* perhaps another container's */
        return false;
    if (launch->kind != LAUNCH_START) {
        if (!launch->place.len)
            return false;
        sbuf_add_str(out, ", called by ");
        escape_terminal(out, launch->place);
        return true;
    }
    sbuf_add_str(out, ", started by ");
    if (launch->place.len) {
        escape_terminal(out, launch->place);
        sbuf_add_str(out, launch->user.len ? " (" : "");
    }
    escape_terminal(out, launch->user);
    sbuf_add_str(out, launch->place.len && launch->user.len ? ")" : "");
    if (!launch->place.len && !launch->user.len)
        sbuf_add_str(out, "somebody");
    if (!argv_at(launch->text, 0).len) /* of a record that has no more of it */
        return true;
    sbuf_add_str(out, " with ");
    if (add_verb(out, launch->text) && !cause->image.len && p->container && p->container->image_name.len) {
        sbuf_add_str(out, " of image ");
        escape_terminal(out, p->container->image_name);
    }
    return true;
}

struct bytes name_given_line(const struct cause *cause)
{
    const struct cause_run *run = &cause->run;
    const struct process *shell = run->process;
    enum launcher_kind kind = cause->launcher.kind;

    if (kind != LAUNCHER_SSH && kind != LAUNCHER_CRON && kind != LAUNCHER_ANACRON)
        return BYTES_NULL;
    if (run->kind == RUN_COMMAND)
        return run->text.len ? run->text : run->args;
    if (run->kind != RUN_TEXT || !shell || !shell->parent || !cause->launcher.process || !process_same(shell->parent, cause->launcher.process))
        return BYTES_NULL;
    if (argv_count(run->args, 4) != 3 || !bytes_equal_str(argv_at(run->args, 1), "-c"))
        return BYTES_NULL;
    /* `ssh web bash -c TEXT`: the login shell became the one that was asked for */
    if (shell->earlier && shell->earlier->args.len && bytes_equal_str(argv_at(shell->earlier->args, 1), "-c"))
        return BYTES_NULL;
    return argv_at(run->args, 2);
}

/* logrotate, restic: products that people call, and which end. An agent may have been started from a terminal long ago. */
static bool is_called_product(const struct cause *cause)
{
    static const char *const kinds[] = { "backup", "log rotation", "temp cleaner" };

    return cause->launcher.kind == LAUNCHER_PRODUCT && BYTES_AMONG(cause->launcher.detail, kinds) &&
           (cause->person.interactive || cause->person.remote.len);
}

bool name_is_asked_by(const struct cause *cause)
{
    return (launcher_words_of(&cause->launcher)->by_person || is_called_product(cause)) && cause->person.known;
}

bool name_asked_by(struct sbuf *out, const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;

    if (!name_is_asked_by(cause))
        return false;
    if ((l->kind == LAUNCHER_SSH || l->kind == LAUNCHER_SFTP) && bytes_equal(l->name, cause->person.name)) {
        name_user_change(out, &cause->person);
        if (cause->person.remote.len) {
            sbuf_add_str(out, ", from ");
            escape_terminal(out, cause->person.remote);
        }
        return true; /* named already */
    }
    sbuf_add_str(out, ", run by ");
    name_person(out, &cause->person);
    return true;
}
