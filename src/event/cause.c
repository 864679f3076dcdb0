/* SPDX-License-Identifier: MIT */
#include "event/cause.h"

#include "event/process.h"

/* Twice for each event: most of them hold one or two. */
static void give_up(struct process **p)
{
    if (*p)
        process_unrefp(p);
    *p = NULL;
}

void cause_done(struct cause *c)
{
    give_up(&c->run.process);
    give_up(&c->launcher.process);
    give_up(&c->person.process);
    give_up(&c->sibling);
}

static void hold(struct process *p)
{
    if (p)
        (void)process_ref(p);
}

void cause_copy(struct cause *to, const struct cause *from)
{
    *to = *from;
    hold(to->run.process);
    hold(to->launcher.process);
    hold(to->person.process);
    hold(to->sibling);
}

static const char *const runs[RUN_KIND_COUNT] = {
    [RUN_UNKNOWN] = "unknown",
    [RUN_PROGRAM] = "program",
    [RUN_COMMAND] = "command",
    [RUN_SCRIPT] = "script",
    [RUN_MODULE] = "module",
    [RUN_TEXT] = "text",
    [RUN_INPUT] = "standard-input",
    [RUN_ARCHIVE] = "archive",
    [RUN_TARGET] = "target",
    [RUN_NPM] = "npm-script",
    [RUN_GIT] = "git",
    [RUN_GIT_HOOK] = "git-hook",
    [RUN_MAINTAINER] = "maintainer-script",
    [RUN_ANSIBLE] = "ansible-module",
    [RUN_BUILTIN] = "shell-builtin",
};

static const char *const launchers[LAUNCHER_KIND_COUNT] = {
    [LAUNCHER_UNKNOWN] = "unknown",
    [LAUNCHER_PRODUCT] = "product",
    [LAUNCHER_PACKAGE] = "package-manager",
    [LAUNCHER_CONFIGURATION] = "configuration-management",
    [LAUNCHER_EXEC] = "container-exec",
    [LAUNCHER_COPY] = "container-copy",
    [LAUNCHER_COMPOSE] = "compose",
    [LAUNCHER_HEALTH_CHECK] = "health-check",
    [LAUNCHER_ENTRY_POINT] = "entry-point",
    [LAUNCHER_KUBECTL_EXEC] = "kubectl-exec",
    [LAUNCHER_ENGINE] = "container-engine",
    [LAUNCHER_CRON] = "cron",
    [LAUNCHER_ANACRON] = "anacron",
    [LAUNCHER_AT] = "at",
    [LAUNCHER_TIMER] = "timer",
    [LAUNCHER_SERVICE] = "service",
    [LAUNCHER_CI] = "ci",
    [LAUNCHER_SSH] = "ssh",
    [LAUNCHER_PERSON] = "person",
    [LAUNCHER_COMMAND] = "run",
    [LAUNCHER_POD_EXEC] = "pod-exec",
    [LAUNCHER_SFTP] = "sftp",
    [LAUNCHER_REMOVAL] = "container-removal",
};

const char *cause_run_name(enum run_kind kind)
{
    return runs[kind < RUN_KIND_COUNT ? kind : RUN_UNKNOWN];
}

const char *cause_launcher_name(enum launcher_kind kind)
{
    return launchers[kind < LAUNCHER_KIND_COUNT ? kind : LAUNCHER_UNKNOWN];
}
