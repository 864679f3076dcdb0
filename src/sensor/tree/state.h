/* SPDX-License-Identifier: MIT */
/* The index as it is kept, for the files of this folder. */
#pragma once

#include "sensor/tree/options.h"
#include "sensor/tree/records.h"
#include "util/sbuf.h"
#include "util/slots.h"

#define SIZE_UNKNOWN UINT64_MAX /* and the times too */
#define LINKS_MANY UINT16_MAX

/* What many objects have in common, kept once. */
struct object_attributes {
    uint32_t mode, uid, gid, flags;
    uint32_t refs;       /* of free ones: the next free one */
    uint32_t xattr_len;
    uint16_t device;     /* index in tree.devices */
    uint16_t links;      /* saturates */
    bool known_flags;    /* `flags` means something on this file system */
    char *xattrs;        /* for each attribute: length of the name, the name, 4 bytes of digest */
};

struct frame {
    int fd;            /* -EBADF: closed to save descriptors */
    uint32_t object;
    uint64_t device, inode; /* the number may have been given to another object meanwhile */
    bool listed;       /* or begun */
    bool more;         /* it is so large that it is listed in several pieces */
    bool chained;      /* the frame below is its parent directory */
    struct sbuf pending; /* subdirectories, each ended by NUL */
    size_t at;
};

struct tree {
    struct tree_options options;
    uint64_t seed;

    struct records records;
    struct slots by_identity;
    struct slots *children;  /* of each directory that has some: its names, by their hash */
    uint32_t children_count, children_size, children_free;
    struct object_attributes *attributes;
    uint32_t attributes_count, attributes_size, attributes_free, attributes_last;
    struct slots by_attributes;
    uint64_t *devices;
    uint32_t device_count;

    uint32_t root;
    uint32_t expecting; /* the directory whose names have got room in advance; 0 = none */
    uint64_t used_objects, used_directories, used_names, xattr_memory, children_memory;

    struct frame *frames;
    size_t frame_count, frame_size;
    int root_fd; /* while walking */
    uint64_t unreadable;
    uint64_t counted_device; /* the last one that was asked, if `counted`: does it count a directory's links? */
    bool counted, counts_links;
    struct foreign_mounts *mounts; /* NULL until something is looked at */
};

struct tree_seen {
    struct file_state state;
    const char *xattrs;
    size_t xattr_len;
};
