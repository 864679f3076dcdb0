/* SPDX-License-Identifier: MIT */
/* guard --confirm DUR: it ends by itself unless somebody who still can says that it is to go on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct guard_confirm {
    uint64_t for_ns; /* 0: it needs no confirmation */
    int wait_fd;     /* readable: guard_confirm_look(); -EBADF: not opened */
    int timer_fd, signal_fd;
    bool terminal;   /* a line of it is an answer */
    bool waiting;    /* neither confirmed nor over */
    bool confirmed;
};

#define GUARD_CONFIRM_NULL ((struct guard_confirm){ .wait_fd = -EBADF, .timer_fd = -EBADF, .signal_fd = -EBADF })

enum guard_word {
    GUARD_WORD_NONE,
    GUARD_WORD_CONFIRMED, /* just now */
    GUARD_WORD_REFUSED,   /* a "n" at the terminal */
    GUARD_WORD_LATE,      /* nobody did in time */
};

/* The signal of guard_confirm() (guard/holder.h) does nothing by itself from now on. Before anything is held. */
void guard_confirm_block(void);
/* -errno. Its time has not begun. */
int guard_confirm_open(struct guard_confirm *c);
/* It is guarded: its time begins. */
void guard_confirm_begin(struct guard_confirm *c);
/* What became known since; never waits. */
enum guard_word guard_confirm_look(struct guard_confirm *c);
void guard_confirm_done(struct guard_confirm *c);
