/* SPDX-License-Identifier: MIT */
/*
 * Mounts that another machine or a program answers for (NFS, FUSE ...): whoever looks at one that does not answer
 * waits for ever, and may not be killed. Where none is mounted a question costs a look at an empty list.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/bytes.h"

struct foreign_mounts;

/* Of the mount namespace that `pid` is in, 0: ours. NULL: out of memory. */
struct foreign_mounts *foreign_mounts_new(pid_t pid);
void foreign_mounts_free(struct foreign_mounts *m); /* NULL is fine */

/*
 * May `name` in the directory behind `fd` be looked at? False: such a file system is mounted there, and gave no answer
 * in a second; it is asked again after a minute. All that do not answer cost three seconds together, each one more a
 * tenth of a second. fd: a directory that answers, O_PATH is enough.
 */
bool foreign_mounts_answer(struct foreign_mounts *m, int fd, const char *name);

/* The same before all of it is listed: each folder on the same file system is looked at by that process first. */
bool foreign_mounts_answer_below(struct foreign_mounts *m, int fd, const char *name);

/*
 * May a directory be looked at that is on this file system (st_dev)? Asked at most fifty times a second, and as above of one that
 * gave no answer: one that stops in between is met. path: of that directory, from the one behind `fd`, which itself may be looked at; or "." with that directory.
 */
bool foreign_mounts_device_answers(struct foreign_mounts *m, uint64_t device, int fd, const char *path);
/*
 * May `path` be opened, from the directory behind `fd`? False: on the way, or at its end, such a file system is mounted that gave no
 * answer, as above; one that did is believed for a second, or until something is mounted. Nothing of it is touched here. links: one on the way may
 * be followed. fd: O_PATH is enough.
 */
bool foreign_mounts_way_answers(struct foreign_mounts *m, int fd, struct bytes path, bool links);
/* The same of an absolute path, in our own namespace. The loop's thread only. */
bool foreign_way_answers(struct bytes path);
/* foreign_mounts_answer() there. */
bool foreign_name_answers(int fd, const char *name);

/* Is there any file system of that kind? */
bool foreign_mounts_any(struct foreign_mounts *m);

/* How often foreign_mounts_answer() found one that did not, since the last call; and what a gap says of it. */
#define FOREIGN_UNANSWERED "a file system mounted below does not answer: changes on it may be missing"
#define FOREIGN_UNANSWERED_WAY "a file system mounted over a watched path, or above it, does not answer: changes there may be missing"
uint64_t foreign_mounts_take_unanswered(struct foreign_mounts *m);
