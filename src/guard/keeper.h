/* SPDX-License-Identifier: MIT */
/*
 * The process that holds a guard: it ends it when its time is over, when it is asked to, and when whoever asked for it is
 * gone, however he ended. If it is killed itself, the next command undoes what it left (undo.h).
 */
#pragma once

#include "guard/guard.h"

#define GUARD_KEEPER_KILLED "who held the guard was ended" /* what a command says first of that; guards of the daemon are begun anew then */

struct guard_ask {
    const struct guard_method *method;
    const struct guard_target *targets;
    size_t count;
    struct bytes text;     /* of all targets */
    uint64_t for_ns;       /* 0: until it is ended */
    uint64_t confirm_ns;   /* it ends after that time unless it was confirmed; 0: it needs no confirmation */
    uint64_t mounted_below; /* of its targets, not held: for the state */
    const char *directory; /* of the states */
};

struct guard_keeper {
    pid_t pid; /* a child */
    int socket;
    size_t held;         /* files and folders */
    size_t denied, all;  /* by the test: all of those that their user meets */
};

/* Returns once everything is held and denies; err says why not, and nothing is held then. While there is one thread. */
int guard_keeper_start(const struct guard_ask *ask, struct guard_keeper *ret, struct err *err);
/* Has it ended by itself? */
bool guard_keeper_is_over(struct guard_keeper *k);
/* It was confirmed by whoever asked for it. Whoever confirms it by guard_confirm() is passed on as GUARD_SIGNAL_CONFIRM. */
void guard_keeper_confirm(struct guard_keeper *k);
/* Ends it, and waits until all is undone. An error: it was killed before it could say so (guard_take_back()). */
int guard_keeper_end(struct guard_keeper *k, struct guard_released *ret);
