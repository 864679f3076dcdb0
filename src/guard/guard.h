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
#include "util/bytes.h"
#include "util/err.h"

#define LIMIT_GUARD_FILES 200000 /* that one guard holds: some 200 bytes each, and two calls */

/* A file or directory that is held: where it is on the host, and which it is. */
struct guard_entry {
    char *path; /* owned; without symbolic links */
    uint64_t device, inode;
    bool directory;
};

/* The same as whoever is kept out finds it, for the test whether he is. */
struct guard_list {
    struct guard_entry *entries; /* owned */
    size_t count, size;
};

/* What is asked for: a path of the host, or of a container. */
struct guard_target {
    struct bytes text;                 /* as the user wrote it */
    struct bytes path;                 /* of the host, or in the container */
    const struct container_view *view; /* NULL: the host's */
};

/*
 * Immutable flags of chattr(1) on each file and directory at and below the target; of a container on those of its layers that
 * it sees, which hold through its overlay too. It survives restarts of the container.
 */
struct guard_method {
    const char *name;
    const char *const *lacks; /* what it does not deny; ends with NULL */
    /* All that has to be held, appended. */
    int (*collect)(const struct guard_target *target, struct guard_list *list, struct err *err);
    /* From entry `from` on; what fails is an error, and what was held before stays so. */
    int (*hold)(const struct guard_list *list, size_t from, struct err *err);
    /* Exactly what was done by hold(); how many were not as hold() left them any more. */
    size_t (*release)(const struct guard_list *list);
    /* How many of the target's files deny a change, as their user meets them; ret_all: of how many. */
    int (*test)(const struct guard_target *target, size_t *ret_denied, size_t *ret_all, struct err *err);
};

const struct guard_method *guard_method_by_name(const char *name); /* NULL: none is called so */
/* Why the kernel itself cannot be asked by BPF here, and what it would need, in one sentence; NULL: it could. */
const char *guard_bpf_lacks(void);

void guard_list_done(struct guard_list *list);
/* Takes a copy of the path; what is in it already stays. -E2BIG, -ENOMEM */
int guard_list_add(struct guard_list *list, const char *path, uint64_t device, uint64_t inode, bool directory);

extern const struct guard_method guard_immutable;
