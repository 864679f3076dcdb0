/* SPDX-License-Identifier: MIT */
/*
 * The cause of an event: whom a person would name. Two parts, each of which may be unknown:
 * what was run (the script, module, target or command line that explains the change), and what started
 * it (a product, a package manager, a cron job, a unit, `docker exec`, a person at a terminal).
 * Found by cause_find() (cause/cause.h), a pure function over the actor, its earlier images and its launchers.
 *
 * Memory: every member is a view into the event, or into a process record that the event or the cause holds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/fingerprint.h"

struct process;

/* What was run. A closed list; the names in JSON and the docs are those of cause_run_name(). */
enum run_kind {
    RUN_UNKNOWN,
    RUN_PROGRAM,    /* nothing better is known than the executable; name: its path, or the applet of a multi-call binary */
    RUN_COMMAND,    /* a command line; name: the program, command_line: with its arguments */
    RUN_SCRIPT,     /* name: the script's path, absolute where that is known */
    RUN_MODULE,     /* python -m; name: the module */
    RUN_TEXT,       /* -c, -e: a program given as text; name: the interpreter, command_line: cut */
    RUN_INPUT,      /* read from standard input; name: the interpreter */
    RUN_ARCHIVE,    /* java -jar; name: the archive's path */
    RUN_TARGET,     /* make, ninja; name: the targets as one text, empty: what it makes without one; interpreter: "make", directory: where, file: that was
                     * named */
    RUN_NPM,        /* npm, yarn, pnpm run; name: the script's name */
    RUN_GIT,        /* git; name: the sub-command */
    RUN_GIT_HOOK,   /* name: the hook's path */
    RUN_MAINTAINER, /* a maintainer script of a package; name: "postinst of foo" */
    RUN_ANSIBLE,    /* an ansible module; name: the module */
    RUN_BUILTIN,    /* typed into a shell that did it itself: a builtin, a redirection; name: the shell */
    RUN_KIND_COUNT,
};

/* What started it. A closed list as well. */
enum launcher_kind {
    LAUNCHER_UNKNOWN,
    LAUNCHER_PRODUCT,       /* a known product (data/agents.json); name: the product, kind in `detail` */
    LAUNCHER_PACKAGE,       /* a package manager's transaction; name: the manager, detail: the packages */
    LAUNCHER_CONFIGURATION, /* ansible, puppet, salt, chef, cfengine; name: the product, detail: the playbook, or the arguments of an ad hoc module */
    LAUNCHER_EXEC,          /* docker/podman exec; name: the container, detail: the client's command line, if known */
    LAUNCHER_COPY,          /* the engine's part of docker cp; detail: the client's command line, if known */
    LAUNCHER_COMPOSE,       /* name: the project */
    LAUNCHER_HEALTH_CHECK,  /* of a container */
    LAUNCHER_ENTRY_POINT,   /* the container's own first process and its descendants; name: the container, detail: what it was
                              * made to run: a script's path, a program */
    LAUNCHER_KUBECTL_EXEC,  /* into a pod, at a terminal or by a client on this host */
    LAUNCHER_ENGINE,        /* the container engine's own work */
    LAUNCHER_CRON,          /* name: the user whose job it is, detail: the crontab's line or the cron.daily script */
    LAUNCHER_ANACRON,
    LAUNCHER_AT,
    LAUNCHER_TIMER,         /* name: the timer's service, detail: the timer */
    LAUNCHER_SERVICE,       /* name: the systemd unit */
    LAUNCHER_CI,            /* name: the runner, detail: the job */
    LAUNCHER_SSH,           /* a command given to ssh; name: the user */
    LAUNCHER_PERSON,        /* somebody at a terminal; name: the user */
    LAUNCHER_COMMAND,       /* the COMMAND of `culprit run` */
    LAUNCHER_POD_EXEC,      /* kubectl exec, or a probe's or hook's: a pod's runtime is asked for all of them alike */
    LAUNCHER_SFTP,          /* name: the user */
    LAUNCHER_REMOVAL,       /* the engine's daemon removes what a client asked it to; detail: the client's command line */
    LAUNCHER_KIND_COUNT,
};

struct cause_run {
    enum run_kind kind;
    struct bytes name;         /* see enum run_kind; raw bytes: escape them */
    struct bytes interpreter;  /* base name of what runs it: "python3", "sh"; empty where that is of no interest */
    struct bytes args;         /* argv of `process`, each ended by NUL: what a command line is made of */
    struct bytes text;         /* what sh -c, python -c and the like were given; of RUN_COMMAND: a shell's text that is
                                * this one command (a crontab's), to be shown instead of args; of RUN_ANSIBLE: what the
                                * module executed, a text or arguments that each end in a NUL; else empty */
    struct bytes directory;    /* working directory, where it matters (make, git, a relative name) */
    struct bytes file;         /* RUN_TARGET: what has the targets, as it was named (make -f); empty: it was not */
    struct bytes package;      /* RUN_MAINTAINER: whose script it is */
    struct bytes environment;  /* python's virtual environment: its directory */
    bool input;                /* RUN_SCRIPT: it was read from standard input, which was that file */
    bool claimed;              /* only argv says so, and the kernel's facts do not bear it out: "says it runs X" */
    bool exited;               /* that process had ended before the change */
    struct process *process;   /* owned reference: the process, or an earlier image of it, that this is taken from */
};

struct cause_launcher {
    enum launcher_kind kind;
    struct bytes name, detail; /* see enum launcher_kind */
    struct bytes unit;         /* systemd unit, where one is known beside it */
    struct process *process;   /* owned reference; NULL: known by other facts than a process */
};

/* Who logged in, and how the user changed on the way. */
struct person {
    bool known;              /* somebody logged in, or called su or sudo */
    uint32_t id;             /* login user; UID_UNKNOWN where only a name is known */
    struct bytes name;       /* in the world that the process lives in; empty: only the id is known */
    uint32_t as_id;          /* who it ran as at the change */
    struct bytes as_name;
    struct bytes by;         /* "sudo", "su", "pkexec", "setuid"; empty: the user did not change */
    struct bytes terminal;   /* "pts/3"; of whoever logged in, where sudo has another one */
    struct bytes remote;     /* address that the session came from */
    bool interactive;        /* a shell at that terminal launched it: the person typed it */
    struct process *process; /* owned reference: name, terminal and remote are of it, or of the actor; NULL = the actor */
};

struct cause {
    struct cause_run run;
    struct cause_launcher launcher;
    struct person person;
    struct process *sibling; /* owned reference, NULL = none: what was found for this one, whose memory the views are of */
    struct bytes image;      /* of the container that the actor lives in, where that was made for one run: its name is another one
                              * each time, and what it is its image says; else empty */
    struct bytes tool;       /* the program that made the change on behalf of `run`: "rm"; empty: it did so itself */
    struct fingerprint key;     /* what belongs together has the same one: kind, what names it, real and login user, origin;
                              * never pids, times, or the tool. 0 = not found yet */
};

/* Gives up what `c` holds; an empty one is fine. */
void cause_done(struct cause *c);
/* To an empty `to`, which holds what `from` does. */
void cause_copy(struct cause *to, const struct cause *from);

/* "script", "package-manager": as in JSON. */
const char *cause_run_name(enum run_kind kind);
const char *cause_launcher_name(enum launcher_kind kind);
