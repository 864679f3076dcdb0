/* SPDX-License-Identifier: MIT */
/* What storage.c (where it is kept), tree.c (the index) and walk.c (looking at directories) share. */
#pragma once

#include "sensor/tree/tree.h"

#define LOOKS_BUCKETS 4096u
#define TEXT_UNIT 4u /* bytes */
#define SIZE_UNKNOWN UINT64_MAX

/* Mode, owner and attributes, kept once for all objects that have the same. */
struct looks {
    uint32_t mode, uid, gid, flags;
    uint32_t refs;
    uint32_t next;    /* in its hash chain; of free ones: in the free list */
    uint32_t xattr_len;
    uint8_t known_flags; /* `flags` means something on this file system */
    char *xattrs;     /* for each attribute: length of the name, the name, 4 bytes of digest */
};

struct object {
    uint64_t inode; /* of free ones: the next free one */
    uint64_t size;  /* SIZE_UNKNOWN: and the times too */
    int64_t mtime_ns, ctime_ns;
    uint32_t looks; /* 0 = this number is free */
    uint16_t device; /* index in tree.devices */
    uint16_t links;  /* saturates */
    uint32_t first_name;
    uint32_t first_child; /* name; of directories */
};

struct name {
    uint32_t parent; /* object; of free ones: the next free one */
    uint32_t object; /* 0 = free */
    uint32_t next, previous; /* in the directory */
    uint32_t link;   /* the object's next name */
    uint32_t text;   /* in tree.text, counted in units of 4 bytes: length, then the name */
};
_Static_assert(sizeof(struct object) == 48 && sizeof(struct name) == 24,
               "the memory a file takes is promised in tree.h");

/* Open addressing, linear probing; grows by half so that it is never much emptier than needed. */
struct table {
    uint32_t *slots;
    uint32_t size, count;
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

    struct object *objects;
    uint32_t object_count, object_size, object_free;
    struct name *names;
    uint32_t name_count, name_size, name_free;
    struct looks *looks;
    uint32_t looks_count, looks_size, looks_free;
    uint32_t *looks_buckets;
    char *text;
    uint32_t text_count, text_size; /* units of 4 bytes */
    uint32_t text_free[65];         /* by units */
    struct table by_identity, by_name;
    uint64_t *devices;
    uint32_t device_count;

    uint32_t root;
    uint64_t used_objects, used_directories, used_names, xattr_memory;

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

/* An object with that identity as it was seen; made if there is none. `names_expected`: how many
 * names it will have in the index with this one. 0: out of memory. */
uint32_t tree_object_put(struct tree *t, const struct seen *seen, bool another_name);
int tree_put_seen(struct tree *t, uint32_t directory, struct bytes name, const struct seen *seen,
                  struct tree_change *ret);
int tree_set_seen(struct tree *t, uint32_t object, const struct seen *seen);
void tree_compare_xattrs(struct bytes before, struct bytes after, struct tree_change *ret);
struct bytes tree_xattrs(const struct tree *t, uint32_t object);
void tree_clear(struct tree *t);
void tree_walk_done(struct tree *t);
void tree_state_of_statx(const struct statx *stx, struct file_state *ret);

/* ---- storage.c; numbers: 0 = none, or out of memory ---- */
typedef uint32_t tree_hash_function(const struct tree *t, uint32_t number);
struct bytes tree_text(const struct tree *t, uint32_t text);
uint32_t tree_hash_identity(const struct tree *t, uint16_t device, uint64_t inode);
uint32_t tree_hash_name(const struct tree *t, uint32_t parent, struct bytes name);
uint32_t tree_hash_of_object(const struct tree *t, uint32_t o);
uint32_t tree_hash_of_name(const struct tree *t, uint32_t n);
uint32_t tree_table_home(const struct table *table, uint32_t hash);
void tree_table_insert(struct table *table, uint32_t hash, uint32_t number);
int tree_table_reserve(const struct tree *t, struct table *table, tree_hash_function *hash);
void tree_table_remove(const struct tree *t, struct table *table, tree_hash_function *hash,
                         uint32_t number);
uint32_t tree_object_new(struct tree *t);
uint32_t tree_name_new(struct tree *t);
uint32_t tree_text_new(struct tree *t, struct bytes name);
void tree_text_drop(struct tree *t, uint32_t at);
uint32_t tree_looks_get(struct tree *t, const struct looks *wanted);
void tree_looks_put(struct tree *t, uint32_t l);
