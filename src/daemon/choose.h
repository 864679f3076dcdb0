/* SPDX-License-Identifier: MIT */
/* Which sensors to open: what the user asked for, or the set that sees everything at the lowest cost. */
#pragma once

#include "sensor/process/tracker.h"
#include "sensor/sensor.h"

#define CHOICE_MAX 8

/* What decides. */
struct choice_wish {
    const char *list;      /* "auto", "cheap", or names separated by commas */
    unsigned permissions;  /* what -p asks for: decides what a complete set must be able to see */
    size_t targets;        /* so many are going to be watched; 0 = not known, few */
};

struct choice {
    const struct sensor_ops *sensors[CHOICE_MAX];
    size_t count;
    struct sensor_capabilities capabilities[CHOICE_MAX];
    uint64_t has;          /* enum capability: the union of theirs */
    bool automatic;        /* of culprit's own choosing: one of several may be left out again */
    char reason[512];      /* why not a better one: "this kernel refuses ...", empty if nothing to say */
    char compromise[1024]; /* which one auto left out, why, and what is therefore not seen: one line; empty: none */
};

/* A sensor as it was found here. */
struct candidate {
    const struct sensor_ops *ops;
    struct sensor_capabilities capabilities; /* as probe() has them, together with what the tracker adds */
    char why[256];                           /* it does not work: why */
};

/*
 * tracker: the one in use, or tracker_probe(); NULL: none. One that captures names also actors that are
 * gone before a sensor that reports pids only is read
 * -EINVAL: unknown name; -EPERM: not permitted; -ENODEV: none works; err says it in one line.
 */
int choose_sensors(const struct choice_wish *wish, const struct tracker_ops *tracker, struct choice *ret, struct err *err);

/* auto's and cheap's choice, pure: among `count` candidates, at most CHOICE_MAX. -ENODEV: none of them works. */
int choose_among(const struct choice_wish *wish, const struct candidate *candidates, size_t count, struct choice *ret);

/* It was chosen and could not be opened: the others go on, and `compromise` says why. */
void choice_leave_out(struct choice *choice, const struct choice_wish *wish, const struct sensor_ops *ops, const char *why);

/* What a sensor can see together with the tracker. */
uint64_t choice_with_tracker(uint64_t has, const struct tracker_ops *tracker);

/* What the set cannot see, as words in one line ("refused attempts, io_uring"); empty = nothing is missing. */
void choice_lacks(const struct choice *choice, unsigned permissions, char *ret, size_t size);

/* What the set costs those who change files, in words (bench/sensors.sh measures it); empty: not measured. */
const char *choice_price(const struct choice *choice);
