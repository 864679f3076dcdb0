/* SPDX-License-Identifier: MIT */
/* The ways of ways.c: one system call each, or what one of it takes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What there is when the guard begins. G: the guarded folder; O: a folder outside, of the same file system. */
extern const char *G, *O;
extern int old_write, old_read, old_folder; /* of G/f, G/f, G; -1: none */
extern char *old_map, *old_read_map;        /* of G/f, a page; NULL: none */

const char *in(const char *name);  /* below G; a few are valid at a time */
const char *out(const char *name); /* below O */
int put(const char *path, const char *text); /* makes it, or empties it first */

/* 0; -errno; -ENOTSUP: this kernel or file system has no such way. In a process of its own. */
typedef int way_fn(void);

struct way {
    const char *name;
    way_fn *try;
};

extern const struct way ways_names[], ways_contents[]; /* each ends with a row without a name */

/* The guarded folder as it is to be: two files, one executable, one with an ACL, folders. */
int tree_make(const char *root);
/* Of names, modes, owners, times, contents, attributes and flags of all that is at and below it. */
uint64_t tree_digest(uint64_t start, const char *root);
void tree_handle(const char *path); /* remembers the file for way_handle */
