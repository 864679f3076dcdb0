/* SPDX-License-Identifier: MIT */
/*
 * The watched paths as the kernel knows them: inodes that are pinned, directories in which a watched
 * name is or is to come, and what of it is written into the programs' maps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "sensor/bpf/decode.h"
#include "sensor/bpf/pin.h"
#include "sensor/bpf/programs.h"
#include "sensor/object/watched.h"
#include "wire/match.h"

struct bpf_object_watch {
    union {
        struct watched_object;
        struct watched_object watched;
    };
    struct bpf_object_watch *next;
    uint32_t operations;        /* 1 << enum operation */
    struct pin pin;
    bool below;                 /* a mount below the path that was asked for; same id */
    bool exists;                /* the whole path does */
    uint64_t root;              /* address of its inode; 0: does not exist, or has moved away */
    uint64_t device;            /* st_dev, as user space sees it */
    uint32_t kernel_device;     /* s_dev */
    unsigned super;             /* its place among `supers`, and one; 0: none */
    uint32_t devices[8];       /* s_dev of the file systems that its path leads through */
    unsigned device_count;
    uint64_t already_open_from_ns, already_open_to_ns; /* CLOCK_BOOTTIME: when old descriptors were looked for; 0 = not yet */
    uint64_t mnt_ns;            /* inode number of its namespace; 0: our own */
    size_t mount_len;           /* bytes of the path that lead to the mount it lies on */
    uint32_t above_mount;       /* levels between the mount's root and its file system's */
    struct wire_name_key *keys; /* its names in the map */
    unsigned key_count;
};

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

/* What a hit means for one object. */
struct bpf_place {
    struct bpf_object_watch *object;
    size_t base_len; /* bytes of the object's path that the names below continue */
    bool above;      /* a directory on the way to it, not the object */
    bool by_name;    /* the path by which it was reached is the object's */
};

/*
 * All places of a hit, at most `size`. names: leaf first, each ended by NUL, as the record has them.
 * Returns how many.
 */
unsigned bpf_objects_places(struct bpf_objects *o, const struct wire_hit *hit, struct bytes names,
                            struct bpf_place *places, unsigned size);
