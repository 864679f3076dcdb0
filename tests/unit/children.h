/* SPDX-License-Identifier: MIT */
/* Signals to the processes that a test has started: the reader, say, and no worker answers any more, as on a machine that is too busy. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"

static inline void signal_children(int sig)
{
    char path[64];
    FILE *f;
    int pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    f = fopen(path, "r");
    assert_non_null(f);
    while (fscanf(f, "%d", &pid) == 1)
        kill(pid, sig);
    fclose(f);
}
