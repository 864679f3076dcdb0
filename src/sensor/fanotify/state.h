/* SPDX-License-Identifier: MIT */
/* The fanotify sensor while it is open, and its objects: for the files of this folder. */
#pragma once

#include <time.h>

#include "event/share.h"
#include "sensor/fanotify/decode.h"
#include "sensor/fanotify/features.h"
#include "sensor/fanotify/handles.h"
#include "sensor/fanotify/interpret.h"
#include "sensor/object/watched.h"
#include "sensor/sensor.h"
#include "sensor/tree/tree.h"
#include "util/clock.h"

#define FANOTIFY_DEVICES_MAX 4096 /* file systems below the watched paths; 16 bytes each */

struct fanotify_fold;
struct fanotify_writes;
struct fanotify_found;
struct fanotify_unexplained;
struct fanotify_window;
struct fanotify_queue;
struct fanotify_made;
struct fanotify_gone;
struct fanotify_layer;
struct fanotify_young;
struct fanotify_restless;

/* Who did something, and when: the kernel stamps nothing, so the moment is a span. */
struct fanotify_cause {
    pid_t pid;              /* 0 = unknown */
    bool gone;
    uint64_t from_boot_ns, to_boot_ns; /* CLOCK_BOOTTIME */
    uint64_t from_real_ns, to_real_ns; /* CLOCK_REALTIME */
    const char *note;       /* of our own; NULL = none */
    bool presumed;          /* that it was this process */
    bool found;             /* a name that a listing found: how it came there is presumed too */
    bool silent;            /* another object of the group emits it: only the index is kept up */
    bool replayed;          /* it was in the start-up buffer: only objects that are new since take part */
    bool in_turn;           /* of the event that is being handled, not of an earlier one */
    bool moved;             /* its folder was renamed before or after: fanotify_moved_between() */
};

/* One watched path. Its index begins with the directory that holds the path, of which only the one
 * name is looked at: so the watched thing itself is a name like those below it. */
struct fanotify_object {
    union {
        struct watched_object;
        struct watched_object watched;
    };
    struct fanotify_object *next;
    struct sensor *sensor;

    struct tree *tree;          /* NULL: the directory that holds the path is not there */
    struct bytes waiting;       /* then: the component that is waited for; points into path */
    unsigned ancestors;         /* directories above that are marked */
    bool unmarked;              /* this file system takes no marks: only a snapshot of what was there */
    bool listing;               /* directories are marked, files not yet all looked at */
    bool fresh;                 /* the start-up buffer has not been looked through for it */
    bool claims;                /* it is being looked through */
    bool reports_found;         /* what a listing finds is emitted */

    bool arrived;               /* a directory above came, with what is in it: that is emitted */
    uint64_t carried_away;      /* a directory above went elsewhere, with all that the index knows: fanotify_handle_hash() of it, 1 = not
                                   known; what is done there is not at the path. 0: none did since it was placed */
    uint64_t recheck_real_ns;   /* CLOCK_REALTIME: a directory above went then, by an event; 0 = none did */
    uint64_t placed_boot_ns;    /* when its index was begun */
    unsigned mismatch;          /* looks in a row that found something else at the path than the index */
    uint64_t same_real_ns;      /* CLOCK_REALTIME of the last one that found the same; 0: none yet */
    bool differs;               /* the last one found something else, and what was in the queue by then had to be handled first */
    bool mounts_known;
    uint64_t mounts_on_way, mounts_below; /* digests of what is mounted above the path and at it, and below it */

    /* open during one batch of events */
    bool opened;
    int root_fd, directory_fd;
    uint32_t directory;
    struct fanotify_layer *layer; /* behind the overlay that it is on; NULL: not looked for, or none */
    uint64_t layer_mount;         /* the mount that it was looked for on; 0: on none yet */

    const struct fanotify_event *emitted_above; /* a move of a directory above, emitted just now */
    const struct fanotify_event *emitted_rename; /* the one that it took part in just now */

    /* the second half of an exchange is expected */
    struct {
        pid_t pid;
        uint32_t from, to;
        uint64_t unseen; /* 0, or the file of the second half, where the index does not have both: fanotify_handle_hash() */
    } exchange;
};

struct fanotify_device {
    uint64_t device;
    bool marked;  /* its marks were asked for, as far as it takes any */
    bool whole;   /* the file system is marked: its directories need none */
    bool names;   /* so are names made and removed */
    bool layer_sought, layered; /* an overlay, whose upper layer reports names in new directories (young.h) */
    bool renames; /* renames anywhere on it are reported with both names */
};

struct sensor {
    struct sensor_options options;
    struct fanotify_features features;
    int group, epoll, work, timer, mounts; /* work: an eventfd that is readable while there is listing to do */
    struct fanotify_handles *handles;
    struct fanotify_object *objects; /* by view: the nearest to the victim first */
    struct fanotify_object *next_look; /* whose turn it is to be compared; NULL: the first one's */
    size_t opened_count;        /* objects with something open */
    bool any_listing;           /* an object may have something to list */
    bool any_marked;            /* an object may be one that is to be looked at out of turn */
    bool any_fresh, any_claims; /* an object may be fresh, may claim */
    struct fanotify_device devices[FANOTIFY_DEVICES_MAX];
    unsigned device_count;
    uint64_t last_device, last_fsid; /* of the directory that was marked last */
    struct fanotify_fold *fold;
    struct fanotify_writes *writes;
    struct fanotify_found *found;
    struct fanotify_unexplained *unexplained;
    struct fanotify_window *window;
    struct fanotify_queue *queue;
    struct fanotify_made *made;
    struct fanotify_gone *gone;
    struct fanotify_young *young;
    struct fanotify_restless *restless;
    uint64_t window_real_ns;    /* CLOCK_REALTIME: since when it has been on */
    bool window_on;

    uint64_t empty_boot_ns, empty_real_ns; /* the queue was empty at this moment */
    struct fanotify_event moved;           /* FAN_MOVED_FROM that waits for its other half; pid 0: none */
    char moved_bytes[FANOTIFY_HANDLE_MAX + 256];
    struct fanotify_cause moved_cause;

    uint64_t sequence, seed;
    uint64_t handled, sync_goal; /* events of the kernel; sync() goes on until there are so many, 0: it is not at work */
    uint64_t unseen_at;          /* `handled` + 1 at the last gap of a folder on the way that nobody saw: one is enough for all that await it */
    uint64_t watch_real_ns;     /* when the first object was watched: files born later have no older descriptor */
    uint64_t next_tick_ms, next_mounts_ms, progress_ms;
    bool mounts_changed;
    bool needs_recheck;         /* an object's recheck was requested since the last look at all of them */
    uint64_t next_recheck_ms;   /* CLOCK_MONOTONIC: not sooner */
    uint64_t lost_damaged, lost_paths;
    bool overflow;
    uint64_t born_real_ns;
    uint64_t overflow_real_ns; /* the last empty queue before it */
    char rescan_note[128];
    char not_seen[512];
};

