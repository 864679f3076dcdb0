/* SPDX-License-Identifier: MIT */
/*
 * Which mounts there are at a watched path and below it, in its own mount namespace. A record of mount(2) or umount2(2)
 * has the path's text and does not say whose namespace it was meant in: every container has a /prd.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

struct audit_mounts {
    struct audit_mount {
        char *path;
        uint64_t device; /* of what is mounted there, as audit prints it; 0 = not known */
    } *list;
    unsigned count;
    bool overflowed; /* more than can be kept: any answer is yes */
};

/* Frees the paths and zeroes it. */
void audit_mounts_done(struct audit_mounts *m);

/* Adds what a mountinfo has at `path` and below it. What is not there any more stays: its record is under way. */
void audit_mounts_look(struct audit_mounts *m, struct bytes mountinfo, struct bytes path);
/* By a record: the newest is on top. */
void audit_mounts_add(struct audit_mounts *m, struct bytes path);
void audit_mounts_remove(struct audit_mounts *m, struct bytes path);

/* Is such a device mounted at the path? 0: any. */
bool audit_mounts_at(const struct audit_mounts *m, struct bytes path, uint64_t device);
/* At the path, or above it. */
bool audit_mounts_cover(const struct audit_mounts *m, struct bytes path, uint64_t device);
