/* SPDX-License-Identifier: MIT */
/*
 * The watched paths as the BPF programs know them: which inodes are watched, in which directories a watched name is or is to
 * come, and filters by which most of what happens elsewhere is left at once. Each entry is counted by its users here, since
 * several watches may share one. One thread; the programs read at any time.
 */
#pragma once

#include "event/operation.h"
#include "sensor/bpf/object_watch.h"
#include "sensor/bpf/programs.h"
#include "util/bytes.h"
#include "wire/change.h"
#include "wire/match.h"

/* Names come and go by these: they are always emitted, so that a path can be followed. */
#define BPF_NAME_OPERATIONS                                                                        \
    (1u << OPERATION_CREATE | 1u << OPERATION_MKDIR | 1u << OPERATION_MKNOD |                      \
     1u << OPERATION_SYMLINK | 1u << OPERATION_LINK | 1u << OPERATION_UNLINK |                     \
     1u << OPERATION_RMDIR | 1u << OPERATION_RENAME | 1u << OPERATION_REPLACE |                    \
     1u << OPERATION_MOUNT | 1u << OPERATION_UNMOUNT)

struct bpf_watched_maps;

/* programs: loaded, borrowed for the whole life. NULL: out of memory. */
struct bpf_watched_maps *bpf_maps_new(struct programs *programs);
/* After everything was removed. NULL is fine. */
void bpf_maps_free(struct bpf_watched_maps *m);

/* A key of the filter (WIRE_FILTER_INODE, WIRE_FILTER_ABOVE), a byte of `supers`; as often removed as added. */
void bpf_maps_add_filter(struct bpf_watched_maps *m, uint64_t key);
void bpf_maps_remove_filter(struct bpf_watched_maps *m, uint64_t key);
void bpf_maps_add_super(struct bpf_watched_maps *m, unsigned slot);
void bpf_maps_remove_super(struct bpf_watched_maps *m, unsigned slot);

/* The inode is that of the watch (w->root from then on). -ENOMEM, or as bpf_map_update_elem() has it. */
int bpf_maps_add_root(struct bpf_watched_maps *m, struct bpf_object_watch *w,
                      const struct wire_chain_entry *entry);
void bpf_maps_remove_root(struct bpf_watched_maps *m, struct bpf_object_watch *w);
/*
 * A name in `parent` is a component of the watch's path, which ends at `end`; it is kept in w->keys. above: it is a directory
 * on the way. Errors as above.
 */
int bpf_maps_add_name(struct bpf_watched_maps *m, struct bpf_object_watch *w,
                      const struct wire_chain_entry *parent, uint64_t name, size_t end, bool above);
void bpf_maps_remove_names(struct bpf_watched_maps *m, struct bpf_object_watch *w);

/* All places of a hit, at most `size`. names: leaf first, each ended by NUL, as the record has them. Returns how many. */
unsigned bpf_maps_places(struct bpf_watched_maps *m, const struct wire_hit *hit, struct bytes names,
                         struct bpf_place *places, unsigned size);

/* The number by which the programs know a name; two names may have the same. */
uint64_t bpf_name_key(struct bytes name);
/* The length without slashes at the end. */
size_t bpf_path_trim(struct bytes path, size_t len);
/* Where the component before `end` begins. */
size_t bpf_path_component(struct bytes path, size_t end);
