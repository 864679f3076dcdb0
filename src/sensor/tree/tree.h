/* SPDX-License-Identifier: MIT */
/*
 * The index of a watched tree: which object has which names, and how each object last looked.
 * Objects are known by (device, inode), so that a directory that moves takes everything below it
 * along with one update, and the path of a directory is found by its identity. One thread.
 *
 * Two kinds of numbers: an `object` (an inode) and a `name` (one directory entry of an object; hard
 * links give an object several). 0 is never valid. A number is good until what it stands for is
 * removed; it may then be used again.
 *
 * About 40 bytes a file with a name of 13 bytes, tables included (bench/bounds.sh).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/event.h"
#include "util/err.h"
#include "util/sbuf.h"

struct tree;
struct statx;

struct tree_options {
    bool cross_mounts; /* go into mounts below the root; pseudo file systems (proc, sysfs ...) never */
    bool xattrs;       /* keep names of extended attributes and a digest of each value */
    bool names_only;   /* directories only are entered and kept; files are not looked at */
    pid_t ns_pid;      /* whose mount namespace the tree lies in; 0: ours */

    void *data;
    /* A directory is about to be listed: place the mark now, so that nothing appears unseen. `fd` is
     * borrowed. The return value is kept for nothing but -errno: negative means "do not descend". */
    int (*directory)(void *data, int fd, uint32_t object);
    /* A directory's number is given up: it was removed or left the tree. */
    void (*forget)(void *data, uint32_t object);
};

int tree_new(const struct tree_options *options, struct tree **ret, struct err *err);
void tree_free(struct tree *t); /* NULL is fine */

/* ---- filling ---- */

/*
 * Begin with the object behind `fd` (O_PATH is enough; borrowed) as root. If it is a directory,
 * everything below will be listed by tree_walk(). What an earlier root left is forgotten.
 */
int tree_set_root(struct tree *t, int fd, struct err *err);
/* The same without listing: the tree begins with this one directory, and what is refreshed below it. */
int tree_start(struct tree *t, int fd, struct err *err);
/* From now on: directories only, or files too (a tree may be listed twice, the second time for its files). */
void tree_set_names_only(struct tree *t, bool names_only);
/* Put a directory that has appeared below the root on the list of what is to be walked. */
int tree_queue(struct tree *t, int fd, uint32_t directory, struct err *err);
/*
 * List at most `directories` more directories (0 = all). Returns 1 if there is more to do, 0 when
 * done; what vanishes or cannot be read meanwhile is passed over and counted. -ENOMEM, -EMFILE.
 * Tells `found` (may be NULL) every name that the index did not know before.
 */
int tree_walk(struct tree *t, unsigned directories,
              void (*found)(void *data, uint32_t name), void *data, struct err *err);
/* List at once what tree_queue() put on the list last, and all below it; what was on it before waits on. */
int tree_walk_queued(struct tree *t, void (*found)(void *data, uint32_t name), void *data, struct err *err);
bool tree_is_walking(const struct tree *t);
/* Directories that could not be opened or listed so far. */
uint64_t tree_unreadable(const struct tree *t);
/* May that name be looked at? Not where a file system is mounted that does not answer (foreign/mounts.h): it is left
 * out of the index, whoever meets it, and counted. */
bool tree_answers(struct tree *t, int fd, const char *name);
/* How many were left out for that since the last call; NULL: none. */
uint64_t tree_take_unanswered(struct tree *t);

/* ---- asking ---- */

uint32_t tree_root(const struct tree *t); /* object; 0 = none */
uint32_t tree_find(const struct tree *t, uint64_t device, uint64_t inode); /* object */
/* The name of `directory`'s entry called `name`; 0 if unknown. */
uint32_t tree_child(const struct tree *t, uint32_t directory, struct bytes name);
/* By a path relative to the root ("" is not a name); 0 if unknown. */
uint32_t tree_find_path(const struct tree *t, struct bytes path);

uint32_t tree_object_of(const struct tree *t, uint32_t name);
uint32_t tree_parent_of(const struct tree *t, uint32_t name); /* object: the directory */
struct bytes tree_name(const struct tree *t, uint32_t name);  /* valid until the next change */
uint32_t tree_first_name(const struct tree *t, uint32_t object);
uint32_t tree_next_name(const struct tree *t, uint32_t name); /* of the same object */
uint32_t tree_first_child(const struct tree *t, uint32_t directory); /* name */
uint32_t tree_next_child(const struct tree *t, uint32_t name);
bool tree_is_directory(const struct tree *t, uint32_t object);

/* The last known state; known == 0 for a number that is not in use. */
void tree_state(const struct tree *t, uint32_t object, struct file_state *ret);

/*
 * Append the path relative to the root ("" for the root itself) of a name or of a directory.
 * -ENOENT: not connected to the root (any more); -ENAMETOOLONG: more than LIMIT_PATH bytes.
 */
int tree_name_path(const struct tree *t, uint32_t name, struct sbuf *out);
int tree_directory_path(const struct tree *t, uint32_t directory, struct sbuf *out);

/*
 * Open a directory of the tree by its path from `root_fd`, however long that is, following no links;
 * its identity is checked. The caller closes. -ESTALE: something else stands there now.
 */
int tree_open_directory(const struct tree *t, int root_fd, uint32_t directory, struct err *err);

uint64_t tree_objects(const struct tree *t);
uint64_t tree_directories(const struct tree *t);
uint64_t tree_names(const struct tree *t);
size_t tree_memory(const struct tree *t); /* bytes in use, tables included */

/* ---- changing: the sensors tell what events told them ---- */

/* What a change meant. States have known == 0 where there was or is nothing. */
struct tree_change {
    uint32_t name;             /* as it is now; 0 = there is none */
    uint32_t object;
    bool same_object;          /* the name stands for the object it stood for before */
    bool replaced_gone;        /* that name was the last known one of the object that stood there */
    struct file_state before;  /* of what the name stood for */
    struct file_state after;   /* of what it stands for */
    /* extended attributes, if options.xattrs and both states are of the same object */
    bool xattr_changed;
    bool xattr_removed;        /* else set or changed */
    char xattr[256];           /* name of the first that differs, NUL-terminated */
};

/* Look at `name` in the directory behind `fd` (which is `directory`) and note what is there. */
int tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name,
                 struct tree_change *ret, struct err *err);
/* It was written to, and could not be looked at since: size and times are unknown until it is seen again. */
void tree_forget_contents(struct tree *t, uint32_t object);
/* The same for an object itself, through a descriptor of it (a directory: the root, for one). */
int tree_refresh_object(struct tree *t, int fd, uint32_t object, struct tree_change *ret,
                        struct err *err);
/* Without looking: `stx` (STATX_BASIC_STATS) stands at that name now. For tests and imports. */
int tree_put(struct tree *t, uint32_t directory, struct bytes name, const struct statx *stx,
             struct tree_change *ret);
/* The name is gone; everything below it too. */
void tree_remove(struct tree *t, uint32_t name, struct tree_change *ret);
/* The name moves; what stood there is removed first (its state is ret->before). -EINVAL: a directory
 * into itself; -ENOMEM. */
int tree_rename(struct tree *t, uint32_t name, uint32_t directory, struct bytes new_name,
                struct tree_change *ret);
/* RENAME_EXCHANGE: two names change places. Each number goes along with its object. */
int tree_exchange(struct tree *t, uint32_t a, uint32_t b);

/* statx() of name in fd (NULL: of fd itself) as a file_state. Nothing is followed. */
int tree_stat(int fd, const char *name, struct file_state *ret);
