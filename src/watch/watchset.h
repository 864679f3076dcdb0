/* SPDX-License-Identifier: MIT */
/*
 * The watches of one run: each target is resolved to objects, the sensors are told, containers are
 * followed through restart and recreation, and what a sensor reports is put into the victim's terms.
 */
#pragma once

#include "engine/engine.h"
#include "event/coverage.h"
#include "event/event.h"
#include "event/watch_object.h"
#include "util/err.h"
#include "util/log.h"
#include "watch/target.h"

struct watchset;

enum watch_explanation {
    WATCH_RECREATED,     /* the container was created anew; detail: its name */
    WATCH_TMPFS_EMPTIED, /* a restart made a tmpfs anew; detail: its path in the container */
    WATCH_REMOVED,       /* the container was removed, and its writable layer with it; detail: its name */
    WATCH_MISSING,       /* the target was not there when the watch began; detail: the target */
};

struct watchset_options {
    const struct log *log;
    struct engines *engines; /* borrowed */
    unsigned permissions;    /* enum permission */
    bool writes;             /* --writes */
    struct bytes key;        /* -k; borrowed for the whole life */
    void *data;
    /* Tell the sensors. A failure is returned by watchset_add(), later on it is logged; -ESRCH is none: the
     * object's namespace ended meanwhile, nothing is watched, and its container counts as down. */
    int (*add)(void *data, const struct watch_object *object, struct err *err);
    void (*remove)(void *data, uint32_t object_id);
    /* A container of a watch is down or starting: names must be captured everywhere for now. */
    void (*window)(void *data, bool on);
    /* One line for people: "web:/prd is /prd of container web (docker, shop:1.4, 3f9a1c2e77b0)". */
    void (*notice)(void *data, const char *text);
    /* Files are not there without anybody deleting them. files: how many, 0 = not known. */
    void (*explain)(void *data, enum watch_explanation why, uint64_t time_ns, uint64_t files,
                    struct bytes detail);
};

int watchset_new(const struct watchset_options *options, struct watchset **ret, struct err *err);
void watchset_free(struct watchset *set); /* NULL is fine */

/* Takes over `target` (also on failure). A container that does not exist yet is waited for. */
int watchset_add(struct watchset *set, struct target *target, struct err *err);

/* Follow a container: to be called with every moment of every container's life. */
void watchset_life(struct watchset *set, const struct life *life);

/* Look again for what is waited for. Called about once a second. */
void watchset_poll(struct watchset *set);

/* True if a link on the way to a watched path was changed since: what it leads to now is not watched before the next
 * watchset_poll(). */
bool watchset_leads_elsewhere(const struct watchset *set);

/* True while a watched container is down or starting, so that an engine's news are worth a wait. */
bool watchset_is_waiting(const struct watchset *set);

/*
 * Give the event its watch, victim, key and both paths. event->object says which object matched.
 * The watch's text and key are lent: until the watches are freed.
 * Returns false if it is not ours (its object is gone, or it lies outside what the user asked for).
 */
bool watchset_event(struct watchset *set, struct event *event);

/* True if container `c` is the one of a watch: its moments belong into the timeline. */
bool watchset_concerns(const struct watchset *set, const struct container *c);

/* Targets that were never there while it was watched: no container, or nothing by that path then and now. What a path saw come
 * and go is known from events alone. text: as written. */
void watchset_each_absent(const struct watchset *set, void (*each)(void *data, struct bytes text), void *data);

/* All targets as written, separated by one space. Valid until the next add. */
struct bytes watchset_text(const struct watchset *set);

/* Where the watches look, for the record: each place once, when it comes to be known. Borrowed for the call; its
 * time is left 0. */
void watchset_each_new_place(struct watchset *set, void (*each)(void *data, const struct coverage_place *place),
                             void *data);
