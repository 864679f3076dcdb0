/* SPDX-License-Identifier: MIT */
/*
 * Which directory an event speaks of: from the file handle that the kernel gives to the directories
 * of the watched objects. One directory may belong to several objects, in one of three roles.
 *
 * About 35 bytes a directory with a handle of up to 12 bytes, which are those of most file systems.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/fanotify/decode.h"

struct fanotify_object;
struct fanotify_handles;

/* What an object has to do with a directory. `directory` is a number of its index (sensor/tree); for
 * one above the tree, from ANCESTOR on, its place in the path. */
struct fanotify_user {
    struct fanotify_object *object;
    uint32_t directory;
    bool ancestor;
};

struct fanotify_handles *fanotify_handles_new(void); /* NULL: out of memory */
/* NULL is fine. */
void fanotify_handles_free(struct fanotify_handles *h);

/* `user` takes part in the directory from now on; a second time is no harm. -ENOMEM, -E2BIG. */
int fanotify_handles_add(struct fanotify_handles *h, const struct fanotify_handle *handle,
                         const struct fanotify_user *user);
bool fanotify_handles_has(const struct fanotify_handles *h, const struct fanotify_user *user);
/* And by this handle. */
bool fanotify_handles_is(const struct fanotify_handles *h, const struct fanotify_user *user, const struct fanotify_handle *handle);
/* Ends it. Returns true if it was the last one of that directory. */
bool fanotify_handles_remove(struct fanotify_handles *h, const struct fanotify_user *user);

/* The users of a directory, one after the other: start with *at = 0; false at the end. Valid until
 * the next change. */
bool fanotify_handles_next(const struct fanotify_handles *h, const struct fanotify_handle *handle,
                           uint32_t *at, struct fanotify_user *ret);

/* A number of a handle, never 0. Two of one number are taken for the same object. */
uint64_t fanotify_handle_hash(const struct fanotify_handle *handle);

/* May it be that inode's? What file systems give holds its number, so false is certain; of two files that there are at one time,
 * true is too. */
bool fanotify_handle_may_be(const struct fanotify_handle *handle, uint64_t inode);

/* The handle of the object behind `fd`, as the kernel's events have it. `buffer` holds its bytes.
 * fsid: of its file system, if known, else NULL.
 * -EOPNOTSUPP: this file system has none. */
#define FANOTIFY_HANDLE_MAX 128 /* MAX_HANDLE_SZ */
int fanotify_handle_of(int fd, char buffer[FANOTIFY_HANDLE_MAX], const uint64_t *fsid,
                       struct fanotify_handle *ret);
