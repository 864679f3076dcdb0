/* SPDX-License-Identifier: MIT */
/*
 * What was done, from how a file was known and how it is now: a view of the index and of an event go in, changes come out. Pure:
 * nothing is looked at, remembered or emitted here. Times are CLOCK_REALTIME, nanoseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "sensor/tree/options.h"
#include "util/clock.h"

#define FANOTIFY_STAMP_NS ((int64_t)(10 * NS_PER_MS)) /* the kernel's stamps are those of its last tick */

/* ---- a name that appeared ---- */

struct fanotify_new_name {
    struct file_state state; /* of what is there */
    bool has_other;          /* it has another name that is known */
    bool linked;             /* it had one before */
    bool by_handle;          /* what is made is known by its handle (FAN_REPORT_TARGET_FID): a second name would be linked */
    uint64_t born_real_ns;   /* 0 = not known */
    uint64_t watch_real_ns;  /* the watch began */
    uint64_t from_real_ns;   /* the event did not happen before */
    uint64_t marked_real_ns; /* its directory was marked, and what was done there before was not seen; 0 = all was */
};

/* How the name came: mkdir, link, symlink, create or mknod. Pure; presumed where the state was read later. */
enum operation fanotify_interpret_new(const struct fanotify_new_name *n);
/* Of what seems to be created: it is older than its directory's mark, made there before anybody saw it, and now linked; or made in
 * that moment. */
bool fanotify_may_be_linked(const struct fanotify_new_name *n);

/* ---- contents ---- */

/* What is remembered of a process that writes to a file. */
struct fanotify_writer {
    bool known;         /* anything is; else the rest is false */
    bool made;          /* by this process, which has not closed it yet: opening it was making it */
    bool written;       /* since then */
    bool dirty;         /* that has not been emitted */
    bool emitted;       /* it was emitted before */
    bool cut;           /* it was, and what it had left when it was looked at may have been written after that */
    bool size_known;
    uint64_t size;      /* when it was last emitted, or before the first change */
};

struct fanotify_contents {
    struct fanotify_content_change {
        enum operation operation;
        struct file_state before; /* unknown: nothing can be said of it */
        bool presumed;            /* what was cut, and has contents, was written to: or it was cut to that size */
    } changes[4]; /* in order */
    unsigned count;
    struct file_state before; /* the first change that is not emitted yet */
    enum fanotify_after {
        FANOTIFY_NOTHING,
        FANOTIFY_FORGET,   /* the writer has closed it */
        FANOTIFY_REMEMBER, /* it goes on: to be emitted at the close, or by the clock */
        FANOTIFY_CUT,      /* what was emitted was not all, perhaps: asked again at the close */
    } after;
};

/* mask: FAN_CREATE, FAN_MODIFY, FAN_CLOSE_WRITE, FAN_ATTRIB of the event. times_set: the time of modification was set, not made
 * by writing. Of what is no regular file nothing comes out. */
void fanotify_interpret_contents(uint64_t mask, const struct tree_change *change, bool times_set, const struct fanotify_writer *writer,
                                 struct fanotify_contents *ret);

/* ---- an upper layer ---- */

enum fanotify_layered {
    FANOTIFY_LAYER_NOTHING, /* what the container did not see is not there now either */
    FANOTIFY_LAYER_GONE,    /* a whiteout: the name is gone for the container */
    FANOTIFY_LAYER_NEW,
    FANOTIFY_LAYER_COPIED,  /* copied up from below, or changed: what differs from before is what was done */
};

/*
 * A name that appeared in an upper layer, for the container. in_layer: what was at the name in this layer, NULL or unknown:
 * nothing. seen: what the container saw there, NULL: nothing, or it is not known. whiteout: it is one now.
 * ret_before: what the container saw before; unknown: nothing.
 */
enum fanotify_layered fanotify_interpret_upper(const struct file_state *in_layer, const struct file_state *seen, bool whiteout,
                                               struct file_state *ret_before);

/* ---- found by comparing ---- */

struct fanotify_compared {
    enum operation operation; /* of the name; OPERATION_COUNT: it is the same file */
    bool appeared;            /* something else is there now */
    bool attributes, contents; /* of the same file: they may differ */
};

/* A name that was known, looked at after events were lost. */
struct fanotify_compared fanotify_interpret_compared(const struct tree_change *change);
