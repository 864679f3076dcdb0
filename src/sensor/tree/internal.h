/* SPDX-License-Identifier: MIT */
/* What storage.c (where it is kept), tree.c (asking), change.c (changing) and walk.c (looking) share. */
#pragma once

#include "sensor/tree/records.h"
#include "sensor/tree/tree.h"
#include "util/slots.h"

#define SIZE_UNKNOWN UINT64_MAX /* and the times too */
#define LINKS_MANY UINT16_MAX

/* What many objects have in common, kept once. */
struct looks {
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
    bool listed;
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
    struct looks *looks;
    uint32_t looks_count, looks_size, looks_free, looks_last;
    struct slots by_looks;
    uint64_t *devices;
    uint32_t device_count;

    uint32_t root;
    uint64_t used_objects, used_directories, used_names, xattr_memory, children_memory;

    struct frame *frames;
    size_t frame_count, frame_size;
    int root_fd; /* while walking */
    uint64_t unreadable;
    struct foreign_mounts *mounts; /* NULL until something is looked at */
};

struct seen {
    struct file_state state;
    const char *xattrs;
    size_t xattr_len;
};

/* ---- tree.c ---- */
struct bytes tree_xattrs(const struct tree *t, uint32_t object);

/* ---- change.c ---- */
/* What was seen is the root from now on, an object without a name. -ENOMEM. */
int tree_set_root_seen(struct tree *t, const struct seen *seen);
int tree_put_seen(struct tree *t, uint32_t directory, struct bytes name, const struct seen *seen,
                  struct tree_change *ret);
int tree_set_seen(struct tree *t, uint32_t object, const struct seen *seen);
void tree_compare_xattrs(struct bytes before, struct bytes after, struct tree_change *ret);

/* ---- walk.c ---- */
void tree_walk_done(struct tree *t);
void tree_state_of_statx(const struct statx *stx, struct file_state *ret);

/* ---- storage.c; numbers: 0 = none, or out of memory ---- */
void tree_clear(struct tree *t); /* everything but the options goes */
int tree_device_find(const struct tree *t, uint64_t device); /* -ENOENT */
int tree_device_number(struct tree *t, uint64_t device);     /* made if it is not there */
uint32_t tree_hash_identity(const struct tree *t, uint16_t device, uint64_t inode);
uint32_t tree_hash_name(const struct tree *t, struct bytes name);
uint32_t tree_find_identity(const struct tree *t, uint16_t device, uint64_t inode);
int tree_identity_reserve(struct tree *t, uint32_t object);
void tree_identity_add(struct tree *t, uint32_t object);
void tree_identity_remove(struct tree *t, uint32_t object); /* not being there is fine: a ghost */
/* A name that is about to be put into the directory's table, that stands there from now on, that goes. */
int tree_children_reserve(struct tree *t, uint32_t directory, uint32_t name);
void tree_children_add(struct tree *t, uint32_t directory, uint32_t name);
void tree_children_remove(struct tree *t, uint32_t directory, uint32_t name);
void tree_children_trim(struct tree *t, uint32_t directory); /* an empty table takes no memory */
uint32_t tree_looks_get(struct tree *t, const struct looks *wanted);
void tree_looks_put(struct tree *t, uint32_t l);
