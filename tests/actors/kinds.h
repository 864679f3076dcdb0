/* SPDX-License-Identifier: MIT */
/* The kinds of act.c and more.c: one operation each. */
#pragma once

typedef int (*kind_fn)(char **arg); /* arg: NULL-terminated; -1 and errno */

struct kind {
    const char *name;
    kind_fn act;
};

extern const struct kind more_kinds[]; /* ends with a row without a name */

/* With ACT_WAIT set: says "ready PID" and waits for a line. */
void rendezvous(void);
int open_or_die(const char *path, int flags);
