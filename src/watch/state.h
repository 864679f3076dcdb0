/* SPDX-License-Identifier: MIT */
/* The watches as they are kept, for the files of watchset. Not for other folders. */
#pragma once

#include "util/hash_table.h"
#include "util/sbuf.h"
#include "watch/options.h"
#include "watch/resolve.h"
#include "watch/target.h"

struct watch;
struct watch_labels;

/* One container of a watch, or the one place of a host path. A watch by name has one for ever, which
 * waits while nobody has the name; a plural one (compose:, pod:, image:, label:) has as many as match. */
struct instance {
    struct instance *next;
    struct watch *watch;
    uint32_t group;              /* one change seen by two of its views is one event */
    struct container *container; /* owned reference; NULL: host, or not there (yet) */
    bool up;                     /* the container runs, as far as the engines have reported */
    bool failed;                 /* could not be resolved: looked at again in a second */
    bool in_layer;               /* some of what is watched lies in its own files, not on a mount */
    bool removed;                /* the engine removed the container: what stays is watched, its volumes */
    bool unseen;                 /* its engine announced it and has not answered yet: it was never resolved */
    uint64_t expected_ns;        /* CLOCK_MONOTONIC: it was made or went down then, and may start */
    uint64_t previous_start_ns;  /* of the start before container->started_ns */
    uint64_t down_ns;            /* CLOCK_REALTIME: it died then, and its next life has not been looked up; 0 = no */
    uint64_t next_start_ns;      /* that life's start, if the engine has reported it; 0 = no */
    uint64_t layer_files;        /* regular files below the path in its own layer when it went down */
    char *layer;                 /* its writable layer or root on the host, NULL = not known */
    struct container *previous;  /* owned: the one before it by the same name */
    struct container_view view;  /* as the engine had it when it ran last; owned (early.h) */
    char *cgroup;                /* directory of its cgroup, NULL = not known */
    pid_t seen_pid;              /* first process, through whose namespace it is watched; 0 = none */
};

/* How one instance sees an object's path. */
struct use {
    struct instance *instance;
    struct bytes victim_path, shown_host_path; /* in the object's arena */
    enum victim_kind victim_kind;
};

#define LED_SENSORS 3 /* the bits of enum sensor_bit that observe */

/* One resolved view of a watch. What several of its containers share (a volume, a layer) is one object
 * with several uses: one change, one event that names all of them. */
struct object {
    struct object *next;
    struct arena arena;
    struct place place;
    struct use *uses;
    size_t use_count;
    /* VIEW_LOWER, volumes: other containers that have these files, asked when something happens there */
    struct sbuf sharers; /* names, each ended by a NUL */
    uint64_t sharers_ns;  /* CLOCK_MONOTONIC of the answer, 0 = never asked */
    uint64_t retired_ns;  /* CLOCK_MONOTONIC: nobody watches it since; 0 = alive */
    uint8_t led[LED_SENSORS]; /* a link on the way: so often each sensor saw that it leads elsewhere, since it was looked at */
    uint64_t led_ns;      /* CLOCK_REALTIME: the last of these times at the latest, as the sensors have it */
    struct watch *watch;  /* also where no instance has it any more */
    UT_hash_handle by_id;
};

struct watch {
    struct target target;
    struct watch_labels *labels; /* owned; NULL: the target's own text and key hold for all of it */
    uint64_t from_ns, until_ns;  /* CLOCK_REALTIME, while watches are exchanged (change.h): what it emits; 0 = all */
    bool kept;                   /* while the exchange is made */
    uint64_t since_ns;                   /* CLOCK_REALTIME: it had been looked up for the first time; 0 = not yet */
    uint32_t index;
    struct object *objects;
    struct instance *instances;
    size_t instance_count;
    bool waiting_said, missing_said;
    bool met;                /* it has had a container */
    unsigned said;           /* instances that were announced one by one */
    uint64_t next_look_ns;   /* plural ones: all engines are asked again then */
};

/* What was given up, and may have been lent to an event. */
struct gone {
    struct gone *next;
    struct watch *watch;         /* or */
    struct watch_labels *labels;
    uint64_t since_ns;           /* CLOCK_MONOTONIC */
};

struct watchset {
    struct watchset_options options;
    struct watch **watches;
    size_t count;
    struct object *by_id;      /* an event names its object by its number: those that are watched, and the retired ones */
    struct object *retired;    /* what was seen through them may be under way: the newest first */
    size_t retired_count;
    uint32_t next_object, next_group, next_index;
    struct gone *gone;
    uint64_t turn_ns;          /* CLOCK_REALTIME: of the change that is under way, when what came takes over */
    uint64_t change_until_ns;  /* CLOCK_MONOTONIC: what was exchanged is still armed; 0 = nothing */
    struct sbuf text;
    struct recorded *recorded; /* places that were reported for the coverage */
    unsigned round, forget_at; /* how often they were looked at; how many they are before the oldest are forgotten */
    size_t next_look;          /* of the watches of host paths: whose turn it is to be looked at */
    bool new_places;           /* somebody may look somewhere else than was reported for the coverage */
    bool any_container;        /* a watch has had one */
    bool window;
    bool new_life;             /* a program was executed in a container that is watched: of its next life, perhaps */
    bool look;                 /* a link on the way was changed: the path leads elsewhere now */
};

/* enum permission, bits: the target's own, else those of all. */
static inline unsigned watch_permissions(const struct watchset *set, const struct watch *w)
{
    return w->target.permissions ? w->target.permissions : set->options.permissions;
}

/* Where its writable layer or root lies on the host; unset where that is not known. */
static inline struct bytes layer_of(const struct container_view *view)
{
    return view->upper.len ? view->upper : view->root;
}
