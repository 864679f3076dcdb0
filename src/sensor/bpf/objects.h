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

int bpf_objects_new(struct programs *programs, struct bpf_objects **ret, struct err *err);
void bpf_objects_free(struct bpf_objects *o); /* NULL is fine */

int bpf_objects_add(struct bpf_objects *o, const struct watch_object *wanted, struct err *err);
int bpf_objects_remove(struct bpf_objects *o, uint32_t id); /* -ENOENT */

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

struct bpf_object_watch *bpf_objects_first(struct bpf_objects *o);

/*
 * All places of a hit, at most `size`. names: leaf first, each ended by NUL, as the record has them.
 * Returns how many.
 */
unsigned bpf_objects_places(struct bpf_objects *o, const struct wire_hit *hit, struct bytes names,
                            struct bpf_place *places, unsigned size);
