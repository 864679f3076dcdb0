/* SPDX-License-Identifier: MIT */
/*
 * What is held, on disk before it is held: a guard whose keeper was killed, or whose machine went down, is taken back by
 * whatever command comes next. The keeper's lock says whether it lives. In a directory of root's.
 */
#pragma once

#include "guard/guard.h"
#include "util/sbuf.h"

#define GUARD_WRITERS_NOT_KNOWN UINT64_MAX /* or not asked for by this method */
#define GUARD_STATE_DIRECTORY "/var/lib/culprit/guard"

struct guard_state {
    struct bytes method, target; /* target: as the user wrote them, separated by blanks */
    uint64_t since_ns, until_ns; /* CLOCK_REALTIME; until 0: until it is ended */
    uint64_t confirm_ns;         /* unless it is confirmed, it ends at that time; 0: it was, or does not need it */
    uint64_t older_writers;      /* files that somebody has had open for writing since before; GUARD_WRITERS_NOT_KNOWN */
    uint64_t mounted_below;      /* mounts below the targets that are not held */
    pid_t asker;                 /* who asked for it */
    pid_t keeper;                /* who holds it; 0: nobody any more */
    struct guard_list list;
};

typedef int guard_state_fn(void *data, const char *name, const struct guard_state *state);

/*
 * Whoever holds, releases, or has to know what is held, locks the states meanwhile; closing the descriptor ends it. make: also
 * where there are none yet. -ENOENT: there are none; -EBUSY: somebody else has had them for ten seconds.
 */
int guard_state_lock(const char *directory, bool make);
/* Makes the file and locks it for this process, which keeps the descriptor: *ret_name is its name, the caller's. */
int guard_state_create(const char *directory, const struct guard_state *state, int *ret_fd, char **ret_name, struct err *err);
/* Writes down that it was confirmed; by whoever made it. */
int guard_state_confirm(int fd);
int guard_state_set_older_writers(int fd, uint64_t count); /* the same; by any thread */
/* Entries from `from` on; on disk when it returns. */
int guard_state_append(int fd, struct guard_list *list, size_t from, struct err *err);
void guard_state_remove(const char *directory, const char *name);

/* Each guard that there is; the state is borrowed for the call. Non-zero stops, and is returned. */
int guard_state_each(const char *directory, guard_state_fn *each, void *data);
/* The same without their lists. */
int guard_state_each_head(const char *directory, guard_state_fn *each, void *data);
/* The same of those that nobody holds any more, each locked for the call, so that of two commands one gets it. */
int guard_state_each_left(const char *directory, guard_state_fn *each, void *data);
/* What all guards but `except` (a name; NULL: none) hold, added to `ret`. The caller holds the lock. -ENOMEM */
int guard_state_held(const char *directory, const char *except, struct guard_set *ret);
/* Who holds the guard of that name; 0: nobody any more. */
pid_t guard_state_keeper(const char *directory, const char *name);
/* That the guard which this process asked for ends because it is to; -errno. */
int guard_state_note(const char *directory, pid_t asker);
bool guard_state_is_noted(const char *directory, pid_t asker);
/* The same, and the note is gone. */
bool guard_state_take_note(const char *directory, pid_t asker);
