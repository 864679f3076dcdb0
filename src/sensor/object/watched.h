/* SPDX-License-Identifier: MIT */
/*
 * A watched object as every sensor has it: a path, whose it is, and whether it can still be looked at. Each sensor's own
 * struct begins with it, and says by watched_ops how such an object is armed in the kernel. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/watch_object.h"
#include "util/err.h"

struct foreign_mounts;

struct watched_object {
    struct watch_object wanted; /* its texts are the members below */
    char *path, *host_path, *container;
    struct bytes base;          /* last component of path; empty for "/" */
    struct bytes parent;        /* of path: what comes before it */

    int pidfd;                  /* of wanted.ns_pid, Linux 5.3; its namespace dies with its last process */
    bool gone;                  /* the namespace is gone: never again */
    bool needs_recheck;         /* another file may be at the path: to be looked at soon */
    struct foreign_mounts *asked_mounts; /* of its namespace, once they were asked for; NULL: of ours */
    bool silent, unanswered;    /* what is mounted on the way does not answer; and that is to be emitted */
    uint64_t tombstone_until_ms; /* CLOCK_MONOTONIC: not watched any more, only what is known of it is of use; 0 = alive */
};

struct watched_ops {
    /* One attempt to place in the kernel what reports changes of that path, and to look at what is there: the new one is in
     * place before the old one goes. -EAGAIN: something else came there meanwhile; other errors are final. */
    int (*arm)(struct watched_object *w, void *data, struct err *err);
    /* Takes out of the kernel what arm() placed, as far as nothing else needs it. */
    void (*disarm)(struct watched_object *w, void *data);
    /* Is another file there than the one that it was armed for? Not asked of what is gone. NULL: only w->needs_recheck says
     * so. */
    bool (*is_stale)(struct watched_object *w);
};

/* Copies what `wanted` points to. -ENOMEM: there is nothing to free. */
int watched_init(struct watched_object *w, const struct watch_object *wanted, struct err *err);
void watched_done(struct watched_object *w); /* nothing in the kernel is changed by it */

/* The process in whose namespace the path is meant has ended, and with it what could be looked at. */
bool watched_is_gone(struct watched_object *w);

/* Arms it. 0 also if it is gone, or keeps changing: then it is left to be rechecked. data: for ops. */
int watched_place(struct watched_object *w, const struct watched_ops *ops, void *data, struct err *err);
/* Is it to be placed again? False for what is gone. */
bool watched_is_stale(struct watched_object *w, const struct watched_ops *ops);
/* Disarms it; what is known of it stays until then (CLOCK_MONOTONIC), for what is still under way. */
void watched_bury(struct watched_object *w, const struct watched_ops *ops, void *data, uint64_t until_ms);
/* It was buried, and its time is over: to be freed. */
bool watched_is_over(const struct watched_object *w, uint64_t now_ms);

/* For the order of a sensor's objects: the nearest to the victim first, among equals the older. */
int watched_by_view(const struct watched_object *a, const struct watched_object *b);

/* What is at the path now, O_PATH, a last link not followed; the caller closes. -ETIMEDOUT: a file system that was mounted on the way does
 * not answer (foreign/mounts.h), which is noted; -errno. */
int watched_open(const struct watched_object *w);
/* The directory that is the first `len` bytes of the path (1: the root), from our own namespace; the caller closes. As above. */
int watched_open_above(const struct watched_object *w, size_t len, int flags);
/* May what has this name in the directory behind fd, on the way to the path, be opened? */
bool watched_may_enter(const struct watched_object *w, int fd, const char *name);
/* All of the path answers, as watched_open() finds by itself: if it stops, that is another gap. */
void watched_note_answer(struct watched_object *w);
/* Something did not answer since the last call, and what is done there is not known. Once for each time that it stops. */
bool watched_take_unanswered(struct watched_object *w);
