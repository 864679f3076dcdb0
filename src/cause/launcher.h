/* SPDX-License-Identifier: MIT */
/* Programs that start others for a reason of their own: cron, sshd, apt, a CI runner. One row a program. Pure. */
#pragma once

#include <stdbool.h>

#include "cause/table.h"
#include "event/cause.h"
#include "event/process.h"

enum launcher_flags {
    LAUNCHER_EXPLAINS = 1 << 0, /* its own command line says what was run: apt-get remove foo */
    LAUNCHER_ANYWHERE = 1 << 1, /* installed in places of the user's own */
    LAUNCHER_RUNTIME = 1 << 2,  /* a container runtime: its arguments say for which container */
    LAUNCHER_FIRST = 1 << 3,    /* pid 1 and the like: who is started by it is a service, if a unit says so */
};

struct launcher_row {
    const char *program; /* base name of the executable, or of the script that was given to execve() */
    enum launcher_kind kind;
    const char *name;    /* shown; NULL: the program's */
    unsigned flags;      /* enum launcher_flags */
    const char *argument; /* counts only with this among the first arguments; NULL: always */
    const char *values;  /* of a package manager: options whose value is the next argument, each followed by a space; NULL: none */
};

extern const struct name_table launcher_table; /* their programs' names */

/* name: applet_name(). NULL: it starts nothing, as far as is known. */
const struct launcher_row *launcher_find(const struct process *p, struct bytes name);
/* A CI runner's own process, by its executable or by its unit's first process: whom it starts is a job. */
bool launcher_is_ci(const struct process *p);
/* The runner whose unit this is; NULL: none. */
const char *launcher_ci_unit(struct bytes unit);
/* A known product that counts as what started something: an agent, a cleaner; not a tool that others use. */
bool launcher_is_product(const struct process *p, enum launcher_kind *ret_kind);
/* The packages that its command line names, as one text "foo, bar"; memory of p->arena. */
struct bytes launcher_packages(struct process *p, const struct launcher_row *manager);
