/* SPDX-License-Identifier: MIT */
/*
 * What is held, on disk before it is held: a guard whose keeper was killed, or whose machine went down, is taken back by
 * whatever command comes next. The keeper's lock says whether it lives. In a directory of root's.
 */
#pragma once

#include "guard/guard.h"
#include "util/sbuf.h"

#define GUARD_STATE_DIRECTORY "/var/lib/culprit/guard"

struct guard_state {
    struct bytes method, target; /* target: as the user wrote them, separated by blanks */
    uint64_t since_ns, until_ns; /* CLOCK_REALTIME; until 0: until it is ended */
    pid_t asker;                 /* who asked for it */
    pid_t keeper;                /* who holds it; 0: nobody any more */
    struct guard_list list;
};

/* Makes the file and locks it for this process, which keeps the descriptor: *ret_name is its name, the caller's. */
int guard_state_create(const char *directory, const struct guard_state *state, int *ret_fd, char **ret_name, struct err *err);
/* Entries from `from` on; on disk when it returns. */
int guard_state_append(int fd, const struct guard_list *list, size_t from, struct err *err);
void guard_state_remove(const char *directory, const char *name);

/* Each guard that there is; the state is borrowed for the call. Non-zero stops, and is returned. */
int guard_state_each(const char *directory, int (*each)(void *data, const char *name, const struct guard_state *state), void *data);
/* Those that nobody holds any more are undone; how many, and one line for people, escaped, appended to `said`. */
size_t guard_take_back(const char *directory, struct sbuf *said);
/* Ends guards by their targets' text (NULL: all): how many. Those that do not answer are killed, and undone here. */
size_t guard_end(const char *directory, const char *target, struct sbuf *said);
