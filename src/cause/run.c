/* SPDX-License-Identifier: MIT */
/* What was run: up from the actor to what a person would name. */
#include "cause/chain.h"

#include "cause/ansible.h"
#include "cause/exited.h"
#include "cause/wrapper.h"
#include "util/macro.h"

#define NONE CHAIN_MAX

/* What runs for as long as the machine or the container does is a program of its own, whatever script started it;
 * a job is what was asked for. */
static bool is_job(enum launcher_kind kind)
{
    static const bool jobs[LAUNCHER_KIND_COUNT] = {
        [LAUNCHER_PRODUCT] = true, [LAUNCHER_PACKAGE] = true, [LAUNCHER_CONFIGURATION] = true, [LAUNCHER_EXEC] = true,
        [LAUNCHER_COMPOSE] = true, [LAUNCHER_HEALTH_CHECK] = true, [LAUNCHER_KUBECTL_EXEC] = true, [LAUNCHER_POD_EXEC] = true, [LAUNCHER_CRON] = true,
        [LAUNCHER_ANACRON] = true, [LAUNCHER_AT] = true, [LAUNCHER_TIMER] = true, [LAUNCHER_CI] = true,
        [LAUNCHER_SSH] = true, [LAUNCHER_SFTP] = true, [LAUNCHER_PERSON] = true, [LAUNCHER_COMMAND] = true,
    };

    return jobs[kind];
}

/* A shim that did what shims do. One that goes on itself explains what it starts, whatever it is called. */
static bool is_replaced_shim(const struct chain *c, unsigned i)
{
    return c->link[i]->shim && i > 0 && c->process[i]->pid == c->process[i - 1]->pid;
}

/* The nearest that explains all below it; NONE. */
static unsigned nearest(const struct chain *c, enum role role)
{
    for (unsigned i = 0; i < c->end; i++)
        if (c->link[i]->role == role && !is_replaced_shim(c, i))
            return i;
    return NONE;
}

/* cmake --build has make or ninja do it. */
static bool asks_for(struct bytes above, struct bytes below)
{
    return bytes_equal(above, below) || bytes_equal_str(above, "cmake");
}

/* make calls make, npm calls npm: the outermost is what was asked for. */
static unsigned outermost_target(const struct chain *c, unsigned at)
{
    const struct cause_run *run = &c->link[at]->run;

    if (run->kind != RUN_TARGET && run->kind != RUN_NPM)
        return at;
    for (unsigned i = at + 1; i < c->end && c->link[i]->role <= ROLE_SCRIPT; i++)
        if ((c->link[i]->run.kind == RUN_TARGET || c->link[i]->run.kind == RUN_NPM) && asks_for(c->link[i]->run.interpreter, run->interpreter))
            at = i;
        else if (c->link[i]->role == ROLE_SCRIPT)
            break;
    return at;
}

/* sh -c /usr/bin/certbot, where that is a script: it says more than the shell's text. */
static bool passes_script_on(const struct cause_link *shell, const struct cause_link *below)
{
    return shell->role == ROLE_TEXT && (below->role == ROLE_PROGRAM || below->role == ROLE_TOOL) && below->run.kind == RUN_SCRIPT &&
           link_is_one_command(shell->run.text);
}

/* `#!/usr/bin/env ruby`: the kernel had env read the script, and that became ruby, which says all of it. */
static bool is_replaced_reader(const struct chain *c, unsigned i, unsigned below)
{
    const struct cause_run *run = &c->link[i]->run, *later = &c->link[below]->run;

    return c->process[i]->pid == c->process[below]->pid && run->kind == RUN_SCRIPT && later->kind == RUN_SCRIPT &&
           bytes_equal(run->name, later->name);
}

/* What was asked for where no script was: the outermost, but for sudo, xargs and their like. */
static unsigned outermost_command(const struct chain *c)
{
    unsigned found = NONE;

    for (unsigned i = 0; i < c->end; i++) {
        const struct cause_link *link = c->link[i];

        if (found != NONE && (link->role == ROLE_WRAPPER || is_replaced_shim(c, i) || passes_script_on(link, c->link[found]) ||
                              is_replaced_reader(c, i, found)))
            continue;
        found = i;
    }
    return found;
}

/* A program that launches for a reason and says it itself, "apt-get remove foo"; of several the outermost. */
static unsigned explaining_launcher(const struct chain *c)
{
    unsigned at = c->end;

    if (at >= c->inside)
        return NONE;
    if (c->link[at]->product)
        return at;
    if (!c->link[at]->launcher || !(c->link[at]->launcher->flags & LAUNCHER_EXPLAINS))
        return NONE;
    for (unsigned i = at + 1; i < c->inside; i++)
        if (c->link[i]->launcher && c->link[i]->launcher->kind == c->link[at]->launcher->kind)
            at = i;
    return at;
}

/* The one that is the cause, of those below chain->end; NONE: the launcher is. */
static unsigned choose(const struct chain *c, bool job)
{
    unsigned script = nearest(c, ROLE_SCRIPT), program = nearest(c, ROLE_PROGRAM), text = nearest(c, ROLE_TEXT), at;

    if (!job && program < script)
        return program;
    if (script != NONE)
        return outermost_target(c, script);
    at = explaining_launcher(c);
    if (at != NONE)
        return at;
    if (!job && (program != NONE || text != NONE))
        return program != NONE ? program : text;
    return outermost_command(c);
}

/* cron and its like have a shell run each command: the command was asked for, not the shell. */
static bool passes_on(enum launcher_kind kind)
{
    return kind != LAUNCHER_UNKNOWN && kind != LAUNCHER_PERSON && kind != LAUNCHER_COMMAND;
}

static void unwrap_text(const struct chain *c, unsigned at, struct cause *ret)
{
    struct cause_run *run = &ret->run;
    struct bytes name = link_command_name(run->text);

    if (!passes_on(ret->launcher.kind) || !link_is_one_command(run->text))
        return;
    for (unsigned i = at; i-- > 0 && wrapper_is(name);)
        if (c->link[i]->role != ROLE_WRAPPER)
            name = c->link[i]->name;
    run->kind = RUN_COMMAND;
    run->name = name;
    run->interpreter = BYTES_NULL;
}

/* sudo -i and script have a shell run the command that they are given: theirs is the line that was typed. */
static void unwrap_wrapped(const struct chain *c, struct cause *ret)
{
    if (!link_is_one_command(ret->run.text) || !bytes_equal(link_command_name(ret->run.text), c->link[0]->name))
        return;
    ret->run.kind = RUN_COMMAND;
    ret->run.name = c->link[0]->name;
    ret->run.text = ret->run.interpreter = BYTES_NULL;
}

/* The outermost of the wrappers around it: "sudo rm -f /etc/app.conf" is what was typed. */
static unsigned with_wrappers(const struct chain *c, unsigned at)
{
    unsigned top = at;

    for (unsigned i = at + 1; i < c->end && c->link[i]->role == ROLE_WRAPPER; i++)
        top = i;
    return top;
}

static bool is_shown_with_wrappers(enum run_kind kind)
{
    return kind == RUN_PROGRAM || kind == RUN_COMMAND || kind == RUN_TEXT || kind == RUN_INPUT;
}

/* A part that it forked, and that executed nothing: the run is that of the whole, of a script as of sh -c. */
static unsigned whose_part(const struct chain *c, unsigned at)
{
    while (at + 1 < c->end && c->process[at + 1]->pid != c->process[at]->pid && c->process[at]->args.len &&
           bytes_equal(c->process[at]->args, c->process[at + 1]->args) &&
           bytes_equal(c->process[at]->executable, c->process[at + 1]->executable) &&
           bytes_equal(c->process[at]->script, c->process[at + 1]->script))
        at++;
    return at;
}

/* Whoever reads "with python3.11" does not know more than before: the script that it ran is the tool. */
static struct bytes tool_name(const struct cause_link *link)
{
    const struct cause_run *run = &link->run;

    if (run->claimed)
        return link->name;
    if ((run->kind == RUN_SCRIPT || run->kind == RUN_ARCHIVE) && bytes_basename(run->name).len)
        return bytes_basename(run->name);
    return run->kind == RUN_MODULE && run->name.len ? run->name : link->name;
}

void cause_find_run(const struct chain *c, struct cause *ret)
{
    bool job = is_job(ret->launcher.kind);
    unsigned at = choose(c, job), shown;
    const struct cause_link *link;
    struct bytes tool;

    if (at == NONE) /* a shell's own doing, or a launcher's */
        at = 0;
    link = c->link[at];
    ret->run = link->run;
    shown = job && at < c->end && is_shown_with_wrappers(link->run.kind) ? with_wrappers(c, at) : at;
    ret->run.args = c->process[shown]->args;
    if (shown != at && ret->run.kind == RUN_PROGRAM)
        ret->run.kind = RUN_COMMAND;
    if (ret->run.kind == RUN_TEXT && shown == at)
        unwrap_text(c, at, ret);
    else if (ret->run.kind == RUN_TEXT)
        unwrap_wrapped(c, ret);
    if (ret->run.kind == RUN_ANSIBLE)
        ret->run.text = ansible_command(c, at);
    if (link->role == ROLE_TERMINAL && at < c->end) { /* reads a pipe */
        ret->run.kind = RUN_INPUT;
        ret->run.args = c->process[at]->args;
    }
    if (link->role == ROLE_TERMINAL && at == 0 && ret->launcher.kind == LAUNCHER_PERSON)
        ret->run.kind = RUN_BUILTIN;
    if (!ret->run.kind && link->name.len) {
        ret->run.kind = RUN_PROGRAM;
        ret->run.name = link->name;
    }
    ret->run.process = process_ref(c->process[whose_part(c, shown)]);
    ret->run.exited = cause_has_exited(ret, c->event);
    tool = tool_name(c->link[0]);
    if (at != 0 && !bytes_equal(tool, ret->run.name) && !bytes_equal(tool, tool_name(link)))
        ret->tool = tool;
}
