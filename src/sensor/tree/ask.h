/* SPDX-License-Identifier: MIT */
/* Asking the index; nothing here looks at a file system. Numbers of objects and names: tree.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/tree/options.h"
#include "util/bytes.h"
#include "util/limits.h"
#include "util/log.h"
#include "util/sbuf.h"

uint32_t tree_root(const struct tree *t); /* object; 0 = none */
uint32_t tree_find(const struct tree *t, uint64_t device, uint64_t inode); /* object */
/* The name of `directory`'s entry called `name`; 0 if unknown. */
uint32_t tree_child(const struct tree *t, uint32_t directory, struct bytes name);
/* By a path relative to the root ("" is not a name); 0 if unknown. */
uint32_t tree_find_path(const struct tree *t, struct bytes path);

/* The object that has the name, and the directory that the name is in; 0: there is no such name. */
uint32_t tree_object_of(const struct tree *t, uint32_t name);
uint32_t tree_parent_of(const struct tree *t, uint32_t name); /* object: the directory */
/* Written into `room`, with a NUL behind it; BYTES_NULL: there is none of that number. */
struct bytes tree_name(const struct tree *t, uint32_t name, char room[LIMIT_NAME + 1]);
uint32_t tree_first_name(const struct tree *t, uint32_t object);
uint32_t tree_next_name(const struct tree *t, uint32_t name); /* of the same object */
uint32_t tree_first_child(const struct tree *t, uint32_t directory); /* name */
uint32_t tree_next_child(const struct tree *t, uint32_t name);
/* All names, whatever directory they are in: begin with 0, or with any number that was one; 0 at the end. One that comes meanwhile may be
 * left out. */
uint32_t tree_next(const struct tree *t, uint32_t name);
bool tree_is_directory(const struct tree *t, uint32_t object);

/*
 * Is what was seen (by tree_stat()) that object? By device, inode number and, where the file system keeps it, the time
 * of its birth: a number is given to another file as soon as the last name of the one before is gone.
 */
bool tree_is_that(const struct tree *t, uint32_t object, const struct file_state *seen);

/* The last known state; known == 0 for a number that is not in use. */
void tree_state(const struct tree *t, uint32_t object, struct file_state *ret);

/*
 * Append the path of a directory relative to the root ("" for the root itself).
 * -ENOENT: not connected to the root (any more); -ENAMETOOLONG: more than LIMIT_PATH bytes.
 */
int tree_directory_path(const struct tree *t, uint32_t directory, struct sbuf *out);

/* How many the index has now. */
uint64_t tree_objects(const struct tree *t);

struct tree_counts {
    uint64_t objects, directories, names;
    uint64_t unreadable; /* directories and files that could not be listed or looked at */
    uint64_t memory;     /* bytes, tables included */
};
/* Goes through nothing: counters, and what the tables take. */
void tree_count(const struct tree *t, struct tree_counts *ret);
/* The same as one line for debugging. who: the sensor; path: where the tree is. t may be NULL: nothing is there. */
void tree_log(const struct tree *t, const struct log *log, const char *who, struct bytes path);

/* The digests of the extended attributes as the index keeps them; valid until the next change. */
struct bytes tree_xattrs(const struct tree *t, uint32_t object);
