/* SPDX-License-Identifier: MIT */
/* Attributes that were seen to differ, until the event comes that says who. */
#pragma once

#include "sensor/fanotify/state.h"

/* NULL: memory. Freeing NULL is fine. */
struct fanotify_unexplained *fanotify_unexplained_new(void);
void fanotify_unexplained_free(struct fanotify_unexplained *u);
/* Keeps the change if its attributes differ; the first state that is not explained yet is what counts. */
void fanotify_unexplained_add(struct fanotify_object *o, uint32_t directory, struct bytes name,
                              const struct tree_change *change);
/* More than one process may have made it. */
struct fanotify_shared {
    bool is;                  /* they may */
    struct event_share among; /* of its processes one change each; count 0: that is not known */
    struct file_state state;  /* then: after these changes */
};
bool fanotify_unexplained_take(struct fanotify_object *o, const struct file_state *state,
                               struct tree_change *ret, struct fanotify_shared *ret_shared);
/* Whoever made the file changed it, or nobody knows whether it was him: it is not another one's. */
void fanotify_unexplained_drop(struct fanotify_object *o, const struct file_state *state);
/* It stays until the other one's event comes. */
void fanotify_unexplained_share(struct fanotify_object *o, uint32_t directory, struct bytes name,
                                const struct tree_change *change, const struct fanotify_shared *shared);
/* Perhaps nothing was changed, of what the kernel always reports: the file was made in the tick of the clock in which
 * another one with its number was known last. */
bool fanotify_unexplained_is_uncertain(const struct tree_change *c);
/* The file got another name, and what is found to differ of it may have been changed under the one before. */
void fanotify_unexplained_renamed(struct fanotify_object *o, const struct file_state *state);
void fanotify_unexplained_forget(struct fanotify_object *o);

/* One that no event came for. */
struct fanotify_old_change {
    struct fanotify_object *object;
    struct tree_change change;
    uint64_t from_real_ns, from_boot_ns; /* it was made after that */
    bool emitted; /* already, as changed by one of several */
    bool renamed; /* the file, in that time */
};
/* The oldest that has waited long enough; false: there is none. */
bool fanotify_unexplained_take_old(struct sensor *s, uint64_t now_ms, struct fanotify_old_change *ret);
