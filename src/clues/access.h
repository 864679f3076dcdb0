/* SPDX-License-Identifier: MIT */
/*
 * Who may not change names in a directory, or write to a file: by mode, owner and access list as they are now, which they were at a moment
 * if the object has not been changed since. Only what is certain says that somebody may not. Pure.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "clues/fact.h"

/* Something that would have had to be written to. */
struct access_object {
    uint32_t mode, uid, gid;
    uint64_t changed_ns; /* its ctime, CLOCK_REALTIME; 0: of a directory above, which counts as it is now */
    bool changed_itself; /* its mode, owner, list or times were changed then; else its names or its content */
    struct bytes acl;    /* as in system.posix_acl_access; empty: it has none */
};

/* The texts of /etc/passwd, /etc/group, /etc/nsswitch.conf, of the files of sudo and doas, one behind the other, of /etc/subuid and
 * /etc/subgid; each is whole. */
struct access_world {
    struct bytes passwd, group, nsswitch, sudoers, subuid, subgid;
    uint64_t changed_ns; /* the last change of one of them, CLOCK_REALTIME: who may become root may have been another one before */
};

enum access { ACCESS_UNKNOWN, ACCESS_MAY, ACCESS_MAY_NOT };

/* May that user, by his name or "#UID"? Root and who may become root, or the owner in a user namespace, may; who is not in passwd, or whose groups are kept elsewhere where they
 * would count, is not known. */
enum access access_of(const struct access_world *world, struct bytes user, const struct access_object *o);

/* An object as access_put() wrote it, which *ret borrows the list of; *in is what follows. Damaged: -EBADMSG. */
int access_take(struct bytes *in, struct access_object *ret);

/* The objects in a text, each as access_put() made it; a fact for each of `users` (names, each ended by a NUL) who may change none of them.
 * q->path: what the fact is about. Damaged: -EBADMSG. */
void access_put(struct sbuf *out, const struct access_object *o);
int access_facts(struct sbuf *answer, const struct clue_question *q, const struct access_world *world, struct bytes objects, struct bytes users);
