/* SPDX-License-Identifier: MIT */
/* Deleted files whose content some process still holds, by an open descriptor or a mapping: of the host, of a container. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/bytes.h"
#include "util/err.h"

#define STILL_OPEN_MAX 512 /* a descriptor of ours each */

struct still_open {
    char *path;       /* where it was, as the host or the container finds it; owned */
    int fd;           /* O_PATH, owned: its content stays, whoever ends */
    uint64_t mount;   /* the mount that the path lies in, by the kernel's number */
    struct stat st;
    int64_t born_ns;  /* CLOCK_REALTIME: of the inode, or, where the file system does not say, its last change */
    pid_t pid;        /* one of those who hold it: who can write to it, if somebody can */
    char comm[16];    /* his name, any bytes; ends with NUL */
    bool writes;      /* he can, and it is the deleted file that he writes to */
    bool older;       /* other deleted files had that path before it, and are held too */
};

struct still_open_list {
    struct still_open *all; /* owned; by their paths */
    size_t count, size;
};

/*
 * Regular files without any name that were at or below `path` (absolute, without links but perhaps the last component), as the process
 * `viewer` finds paths; 0: as we do. Of several that had one path the last one. Whoever opened it in another mount namespace saw it by another path: the file system
 * and the place in it count. What may hang (NFS, FUSE) is left out, unless `path` lies in it; so are our own descriptors, and processes
 * whose mounts belong to another user namespace.
 * -E2BIG: more than STILL_OPEN_MAX; -EOPNOTSUPP: `viewer` is such a process; -ESRCH: it has ended
 */
int still_open_find(pid_t viewer, struct bytes path, struct still_open_list *ret, struct err *err);
void still_open_list_done(struct still_open_list *list);

/*
 * Where a path that lies in mount `id` of the table `theirs` is by the table `ours` (texts of mountinfo), at or below `wanted`. The
 * length, with ret_mount; 0: nowhere. For tests.
 */
size_t still_open_place(struct bytes path, uint64_t id, struct bytes theirs, struct bytes ours, struct bytes wanted, char *ret, size_t size,
                        uint64_t *ret_mount);
