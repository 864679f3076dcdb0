/* SPDX-License-Identifier: MIT */
/* What one process is by itself, whoever launched it: found once, kept in its record. Pure. */
#pragma once

#include "cause/launcher.h"
#include "event/cause.h"
#include "event/process.h"

/* Its part in explaining a change; those that explain more have the higher number. */
enum role {
    ROLE_TOOL,     /* does what its arguments say: whoever runs it explains the change */
    ROLE_WRAPPER,  /* runs the program in its arguments */
    ROLE_TEXT,     /* sh -c, python -c, a shell that reads a pipe: explains where nothing above does */
    ROLE_PROGRAM,  /* a program with a will of its own, or a script that a package brought */
    ROLE_SCRIPT,   /* a script, module, target: explains all below */
    ROLE_TERMINAL, /* a shell that a person types into: the search ends here */
    ROLE_LAUNCHER, /* cron, sshd, pid 1: the search ends here */
};

struct cause_link {
    enum role role;
    struct cause_run run;              /* what it would be called if it explained the change; process is not set */
    struct bytes name;                 /* of the program, or the applet */
    bool asks;                         /* ROLE_TERMINAL: an interactive shell (-i), or a login shell */
    const struct launcher_row *launcher; /* NULL: not a launcher by its program */
    struct bytes packages;             /* of a package manager: launcher_packages() */
    const char *changer;               /* "sudo": people change the user by it; NULL: they do not */
    bool shim;                         /* a script that only finds the program to execute in its place: pyenv's python3 */
    bool plain;                        /* ROLE_TOOL by its name alone, whatever its arguments */
    size_t script_args_len;            /* so many bytes of its arguments say which script it runs, and nothing behind them
                                        * does; 0: no script, or all of them may */
    enum launcher_kind product;        /* LAUNCHER_UNKNOWN: no product, or one that does not count */
};

/* Memory of the record; NULL: out of memory. */
const struct cause_link *link_of(struct process *p);

/* "8 3 * * * rm -f /srv/x" has cron run sh -c 'rm -f /srv/x': a text that is one command and nothing else. */
bool link_is_one_command(struct bytes text);
/* Base name of the program that such a text begins with. */
struct bytes link_command_name(struct bytes text);
