/* SPDX-License-Identifier: MIT */
/* Changing the index: the sensors pass on what events said. */
#pragma once

#include <stdint.h>

#include "sensor/tree/options.h"
#include "util/bytes.h"

struct file_state;
struct tree_seen;

/* It was written to, and could not be looked at since: size and times are unknown until it is seen again. */
void tree_forget_contents(struct tree *t, uint32_t object);
/* Without looking here: a file of that state is at that name now. -EINVAL, -ENOMEM. */
int tree_put_state(struct tree *t, uint32_t directory, struct bytes name, const struct file_state *state, struct tree_change *ret);
/* The name is gone; everything below it too. */
void tree_remove(struct tree *t, uint32_t name, struct tree_change *ret);
/* The name moves; what was there is removed first (its state is ret->before). -EINVAL: a directory
 * into itself; -ENOMEM. */
int tree_rename(struct tree *t, uint32_t name, uint32_t directory, struct bytes new_name,
                struct tree_change *ret);
/* RENAME_EXCHANGE: two names change places. Each number goes along with its object. */
int tree_exchange(struct tree *t, uint32_t a, uint32_t b);

/* ---- for look.c and walk.c: what they saw ---- */

/* What was seen is the root from now on, an object without a name. -ENOMEM. */
int tree_set_root_seen(struct tree *t, const struct tree_seen *seen);
int tree_put_seen(struct tree *t, uint32_t directory, struct bytes name, const struct tree_seen *seen,
                  struct tree_change *ret);
int tree_set_seen(struct tree *t, uint32_t object, const struct tree_seen *seen);
void tree_compare_xattrs(struct bytes before, struct bytes after, struct tree_change *ret);
