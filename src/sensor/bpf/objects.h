/* SPDX-License-Identifier: MIT */
/*
 * The watched paths: each is pinned, found again when another file comes to its path, and written into the programs' maps
 * (watched_maps.h). One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/bpf/object_watch.h"
#include "sensor/bpf/programs.h"
#include "wire/change.h"
#include "wire/match.h"

struct bpf_objects;

/* programs: borrowed until bpf_objects_free(). -ENOMEM. */
int bpf_objects_new(struct programs *programs, struct bpf_objects **ret, struct err *err);
void bpf_objects_free(struct bpf_objects *o); /* NULL is fine */

/* The inodes from an open descriptor of ours up to the root. -EBADF, -EIO, -errno */
int bpf_objects_query(struct bpf_objects *o, int fd, struct wire_chain *ret);

/* wanted: its path is copied. An object of the host takes the mounts below it along. -errno, with err's text. */
int bpf_objects_add(struct bpf_objects *o, const struct watch_object *wanted, struct err *err);
int bpf_objects_remove(struct bpf_objects *o, uint32_t id); /* -ENOENT */

/* Called before a path gets its place, or another one; by the same thread. NULL: nobody wants to know. */
void bpf_objects_before_placing(struct bpf_objects *o, void (*before)(void));

/* Another file may be there than the one that is pinned. */
void bpf_objects_request_recheck(struct bpf_objects *o, struct bpf_object_watch *w);

/* Place again what is to be rechecked. */
void bpf_objects_refresh(struct bpf_objects *o);

/*
 * Something was mounted or unmounted: the mounts below each watched path of the host are watched too, by
 * their own roots. Returns true if there are new ones.
 */
bool bpf_objects_follow_mounts(struct bpf_objects *o);
/* How many of them were left out since the last call, because they do not answer. */
uint64_t bpf_objects_take_unanswered(struct bpf_objects *o);

/* The newest one; NULL: there is none. Valid until one is added or removed. */
struct bpf_object_watch *bpf_objects_first(struct bpf_objects *o);

/*
 * All places of a hit, at most `size`. names: leaf first, each ended by NUL, as the record has them.
 * Returns how many.
 */
unsigned bpf_objects_places(struct bpf_objects *o, const struct wire_hit *hit, struct bytes names,
                            struct bpf_place *places, unsigned size);
/* The same of a file that was hit by another name of its: the object that is on that file system (s_dev), with its own path. 0 or 1 */
unsigned bpf_objects_link_place(struct bpf_objects *o, uint32_t device, struct bpf_place *ret);
