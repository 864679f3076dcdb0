/* SPDX-License-Identifier: MIT */
/*
 * Denying changes to files, by the methods of a table. What a method did is written down before it is done, and kept by a
 * process of its own (keeper.h), so that it is taken back whatever becomes of whoever asked for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/view.h"
#include "guard/set.h"
#include "util/bytes.h"
#include "util/err.h"

#define LIMIT_GUARD_FILES 200000 /* that one guard holds: some 200 bytes each, and two calls */

/* A file or directory that is held: where it is on the host, and which it is. */
struct guard_entry {
    char *path; /* owned; without symbolic links */
    uint64_t device, inode;
    bool directory;
};

/* All that a guard holds, each once, however many names and layers lead to it. */
struct guard_list {
    struct guard_entry *entries; /* owned */
    size_t count, size;
    struct guard_set set; /* of the entries */
    /* Where the file systems of the entries were mounted; owned. What is not found while nothing is mounted there is not gone. */
    char **mounts;
    size_t mount_count, mounts_written; /* written: to the state */
};

/* What is asked for: a path of the host, or of a container. */
struct guard_target {
    struct bytes text;                 /* as the user wrote it */
    struct bytes path;                 /* of the host, or in the container */
    const struct container_view *view; /* NULL: the host's */
};

/* What became of a list that was released; all others are as they were before. */
struct guard_released {
    size_t other;  /* not as hold() left them: gone, or changed by somebody */
    size_t shared; /* another guard's too: whose end releases them */
    size_t failed; /* still held, though they should not be; or their file system is not mounted just now */
};

/* What a method does not deny, or what is to be known of it. */
struct guard_lack {
    const char *text; /* NULL: the end */
    enum { LACK_ALWAYS, LACK_OF_CONTAINERS, LACK_OF_TMPFS, LACK_OF_ALLOWED } where; /* allowed: somebody may */
};

/* One way to deny; of `guard_bpf` there are only name, lacks and release. `others`: what other guards hold now; nobody changes that meanwhile (guard_state_lock()). */
struct guard_method {
    const char *name;
    const struct guard_lack *lacks; /* owned by the method */
    /* All that has to be held, appended; also what another guard holds, not what somebody else did. */
    int (*collect)(const struct guard_target *target, const struct guard_set *others, struct guard_list *list, struct err *err);
    /* From entry `from` on; what fails is an error, and what was held before stays so. */
    int (*hold)(const struct guard_list *list, size_t from, struct err *err);
    /* Exactly what was done by hold(). */
    struct guard_released (*release)(const struct guard_list *list, const struct guard_set *others);
    /* How many of the target's files deny a change: as whoever is kept out meets them, through the container's overlay if it runs.
     * ret_all: of how many. */
    int (*test)(const struct guard_target *target, size_t *ret_denied, size_t *ret_all, struct err *err);
};

const struct guard_method *guard_method_by_name(const char *name); /* NULL: none is called so */

/* Frees all of it and zeroes it. */
void guard_list_done(struct guard_list *list);
/* Takes a copy of the path; what is in it already, by its identity, stays as it is. -E2BIG, -ENOMEM */
int guard_list_add(struct guard_list *list, const char *path, uint64_t device, uint64_t inode, bool directory);
/* A mount point, copied, once. -ENOMEM */
int guard_list_add_mount(struct guard_list *list, struct bytes point);
/* Is something mounted, by `table` (mountinfo's text), where the path's file system was? True where that is not known. */
bool guard_list_is_mounted(const struct guard_list *list, struct bytes table, const char *path);

/*
 * Immutable flags of chattr(1) on each file and directory at and below the target; of a container on those of its layers that
 * it sees, which hold through its overlay too. They survive restarts of the container.
 */
extern const struct guard_method guard_immutable;

/*
 * Programs in the kernel, of culprit's own process (sensor/bpf/guarding.h): what they deny ends with it, and nothing is left to be
 * undone.
 */
extern const struct guard_method guard_bpf;
