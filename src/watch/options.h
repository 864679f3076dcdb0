/* SPDX-License-Identifier: MIT */
/* What the watches of a run are made with, and what they report. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/container.h"
#include "event/watch_object.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/log.h"

enum watch_explanation {
    WATCH_RECREATED,     /* the container was created anew; detail: its name */
    WATCH_TMPFS_EMPTIED, /* a restart made a tmpfs anew; detail: its path in the container */
    WATCH_REMOVED,       /* the container was removed, and its writable layer with it; detail: its name */
    WATCH_MOUNTED,       /* the container was created anew and has something else there than this volume; detail: where the host has that */
    WATCH_MISSING,       /* the target was not there when the watch began; detail: the target */
};

struct watchset_options {
    const struct log *log;
    struct engines *engines; /* borrowed */
    unsigned permissions;    /* enum permission */
    bool writes;             /* --writes */
    struct bytes key;        /* -k; borrowed for the whole life */
    void *data;
    /* Add the object to the sensors. A failure is returned by watchset_add(), later on it is logged; -ESRCH is none: the
     * object's namespace ended meanwhile, nothing is watched, and its container counts as down. */
    int (*add)(void *data, const struct watch_object *object, struct err *err);
    void (*remove)(void *data, uint32_t object_id);
    /* A container of a watch is down or starting: names must be captured everywhere for now. */
    void (*window)(void *data, bool on);
    /* Something was not watched for a time (CLOCK_REALTIME): our own words. */
    void (*gap)(void *data, uint64_t from_ns, uint64_t to_ns, const char *text);
    /* One line for people: "web:/prd is /prd of container web (docker, shop:1.4, 3f9a1c2e77b0)". */
    void (*notice)(void *data, const char *text);
    /* Files are not there without anybody deleting them. files: how many, 0 = not known. */
    void (*explain)(void *data, enum watch_explanation why, uint64_t time_ns, uint64_t files,
                    struct bytes detail);
};
