/* SPDX-License-Identifier: MIT */
/* Files by their identity: whether one is among them. A zeroed struct is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/slots.h"

struct guard_identity {
    uint64_t device, inode;
};

struct guard_set {
    struct guard_identity *all; /* owned */
    size_t count, size;
    struct slots by_identity; /* numbers are indexes + 1 */
};

/* Frees all of it and zeroes it. */
void guard_set_done(struct guard_set *set);
/* By device and inode, as in guard_set_add(). */
bool guard_set_has(const struct guard_set *set, uint64_t device, uint64_t inode);
/* 1: it is new; 0: it is in it already; -ENOMEM */
int guard_set_add(struct guard_set *set, uint64_t device, uint64_t inode);
