/* SPDX-License-Identifier: MIT */
/*
 * What somebody wants to hear nothing of for a time, with his reason: a matter, or all at and below a path. What is silenced is recorded
 * and counted as everything else. Bounded. Pure. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "event/selector.h"
#include "util/arena.h"
#include "util/fingerprint.h"

#define SILENCES_MAX 64
#define SILENCE_MAX_NS (30ull * 24 * 3600 * NS_PER_S) /* longer is what expect blocks of the configuration are for */
#define SILENCE_TEXT_MAX 500 /* bytes of a reason, an author; of what is silenced, for people */

struct silence {
    uint32_t number;               /* from 1, unlike that of any other that is in force */
    struct fingerprint matter;     /* matter_key(); {0}: of a path */
    struct bytes target, path;     /* then: [CONTAINER:]PATH as it was written, and its path, normalised */
    struct selector selector;      /* of the target */
    struct bytes what;             /* of a matter: its alert's sentence */
    struct bytes by, reason;
    uint64_t from_ns, until_ns;    /* CLOCK_REALTIME */
    uint64_t events;
};

struct silences {
    struct silence_row {
        struct silence silence;
        struct arena arena;
    } rows[SILENCES_MAX];
    unsigned count;
    uint32_t last;                 /* number that was given */
};

/* Copies it; the selector is that of its target. Its number: 0 for the next one. -EINVAL: the target is none; -ENOSPC: there are too many; -ENOMEM. */
int silences_add(struct silences *s, const struct silence *silence, const struct silence **ret);
/* NULL: there is none. */
const struct silence *silences_by_number(const struct silences *s, uint32_t number);
void silences_remove(struct silences *s, uint32_t number);
/* The one that silences the event, which is counted there; NULL: none does. key: matter_key() of it. */
const struct silence *silences_take(struct silences *s, const struct event *event, struct fingerprint key);
/* One that has ended by then; NULL: none has. */
const struct silence *silences_ended(const struct silences *s, uint64_t realtime_ns);
void silences_done(struct silences *s);
