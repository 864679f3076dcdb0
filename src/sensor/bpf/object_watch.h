/* SPDX-License-Identifier: MIT */
/* One watched path as this sensor knows it, and what a hit of the kernel's side means for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "sensor/bpf/pin.h"
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
    bool served;                /* its file system's times are kept by whoever serves it */
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

/* A descriptor of what is there, as long as it keeps its place. */
static inline int bpf_object_watch_fd(const struct bpf_object_watch *w)
{
    return w->pin.clone_fd >= 0 ? w->pin.clone_fd : w->pin.fd;
}

/* What a hit means for one object. */
struct bpf_place {
    struct bpf_object_watch *object;
    size_t base_len; /* bytes of the object's path that the names below continue */
    bool above;      /* a directory on the way to it, not the object */
    bool by_name;    /* the path by which it was reached is the object's */
};
