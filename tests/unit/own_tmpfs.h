/* SPDX-License-Identifier: MIT */
/* A directory of a test's own that is a tmpfs, whatever /tmp is: as root, in a mount namespace of its own. */
#pragma once

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

/* top: a template of mkdtemp(), which becomes its path. */
static inline bool own_tmpfs_begin(char *top)
{
    return mkdtemp(top) && (geteuid() != 0 || (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                                               mount("culprit", top, "tmpfs", 0, NULL) == 0));
}

/* False: something of it is left. */
static inline bool own_tmpfs_end(const char *top)
{
    char command[128];

    (void)umount2(top, MNT_DETACH);
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command) == 0;
}
