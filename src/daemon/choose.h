/* SPDX-License-Identifier: MIT */
/* Which sensors to open: what the user asked for, or the cheapest set that sees everything. */
#pragma once

#include "sensor/process/tracker.h"
#include "sensor/sensor.h"

#define CHOICE_MAX 8

struct choice {
    const struct sensor_ops *sensors[CHOICE_MAX];
    size_t count;
    struct sensor_capabilities capabilities[CHOICE_MAX];
    uint64_t has;          /* union of what they can tell */
    char reason[512];      /* why not a better one: "this kernel refuses ...", empty if nothing to say */
};

/*
 * list:        "auto" or names separated by commas
 * permissions: what -p asks for: decides what a complete set must be able to tell
 * tracker:     the one in use, or tracker_probe(); NULL: none. One that captures names also actors that are
 *              gone before a sensor that tells pids only is read
 * -EINVAL: unknown name; -EPERM: not permitted; -ENODEV: none works; err says it in one line.
 */
int choose_sensors(const char *list, unsigned permissions, const struct tracker_ops *tracker,
                   struct choice *ret, struct err *err);

/* What a sensor can tell together with the tracker. */
uint64_t choice_with_tracker(uint64_t has, const struct tracker_ops *tracker);

/* What the set cannot tell, as words in one line ("refused attempts, io_uring"); 0 = all is told. */
void choice_lacks(const struct choice *choice, unsigned permissions, char *ret, size_t size);
