/* SPDX-License-Identifier: MIT */
/*
 * What does not work for a time, though the observation goes on: each such fault is said once when it begins, once when it is over, and is
 * a gap in the record with its span: at its beginning, so that whoever asks meanwhile gets to know it, and at its end. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

#define FAULTS_MAX 16

struct fault {
    enum lost reason;
    const char *name; /* a constant */
    uint64_t from_ns; /* CLOCK_REALTIME */
    bool now;         /* it was noted in this turn */
    unsigned sensor;  /* enum sensor_bit, or 0 */
    char text[120];   /* no foreign bytes */
};

struct faults {
    struct fault list[FAULTS_MAX];
    size_t count;
};

/* It does not work now. True: that is new, and *ret is its gap. */
bool faults_note(struct faults *f, enum lost reason, const char *name, unsigned sensor, const char *text, uint64_t now_ns, struct gap *ret);
/* One that was not noted since the last turn is over: *ret is its gap, *ret_name whose it was. False: there is no more of them, and the
 * next turn begins. `all`: those that were noted as well, since the observation ends. */
bool faults_end(struct faults *f, bool all, uint64_t now_ns, struct gap *ret, const char **ret_name);
