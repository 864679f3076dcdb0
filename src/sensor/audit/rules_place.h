/* SPDX-License-Identifier: MIT */
/* What rules of the kernel's audit filter are asked for. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct audit_place {
    pid_t ns_pid;         /* whose mount namespace `path` is meant in; 0: our own */
    const char *path;     /* absolute; NULL: no path, calls of every process are recorded */
    bool directory;       /* the path and everything below; else the name alone, whatever is there */
    bool wide;            /* covers more than was asked for: what does not belong is no loss */
    unsigned permissions; /* enum permission */
};
