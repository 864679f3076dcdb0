/* SPDX-License-Identifier: MIT */
/* Processes that hold guards, asked for something by a signal: to end, or to go on though nobody had confirmed it. */
#pragma once

#include "guard/state.h"

#define GUARD_SIGNAL_CONFIRM SIGUSR1 /* each that waits for it takes it; the others keep it blocked */
#define GUARD_HOLDERS_MAX 64

struct guard_holder {
    pid_t keeper;
    char name[64]; /* of its state */
};

struct guard_holders {
    struct guard_holder all[GUARD_HOLDERS_MAX];
    size_t count;
};

typedef bool guard_holder_fn(const struct guard_state *state);

/* Those of that target's text (NULL: all) that `which` (NULL: any) takes. */
void guard_holders_find(const char *directory, const char *target, guard_holder_fn *which, struct guard_holders *ret);
bool guard_holder_is_there(const char *directory, const struct guard_holder *h);
/* False: it is no more. */
bool guard_holder_signal(const char *directory, const struct guard_holder *h, int number);

/* Those that are to be confirmed go on: how many. ret_failed: of how many it cannot be said, because they do not answer. */
size_t guard_confirm(const char *directory, const char *target, size_t *ret_failed);

/* Before it is ended: for whoever would begin it anew (guard_state_take_note()). Who asked for it; 0: nobody is known. */
pid_t guard_note_turned_off(const char *directory, const char *name);
