/* SPDX-License-Identifier: MIT */
/*
 * Several processes changed attributes of one file in one moment. What they changed is known, one change each, and not
 * which of them did which. If all of them are of one cause it is certain who did it all the same: each is reported as
 * what it was, with EVENT_NOTE_ONE_OF. Else their events stay "attributes, not known which".
 */
#pragma once

#include "event/event.h"

#define SHARE_MAX 4 /* processes; where there are more it is not known */

/* The same for each of them, but for `own`. */
struct event_share {
    unsigned count, own; /* own: whose event this is */
    struct {
        pid_t pid;
        bool gone;       /* as actor.gone, by boot_ns */
        uint64_t boot_ns; /* its change was not after this, CLOCK_BOOTTIME */
    } actors[SHARE_MAX]; /* in the order of their events; no two are alike */
    struct {
        enum operation operation;
        unsigned which;  /* enum file_known: what it changed */
    } changes[SHARE_MAX];
};

/* Whom its change is ascribed to: tools[i]: the name of the program that actors[i] is. Returns the index of the change
 * that `own` made: what its name says, else what is left, in order. */
unsigned event_share_choose(const struct event_share *s, const struct bytes tools[SHARE_MAX]);

/* All are of one cause: the event is that change from now on. */
void event_share_settle(struct event *e, unsigned change);
