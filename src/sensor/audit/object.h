/* SPDX-License-Identifier: MIT */
/*
 * A watched object as audit knows it: its rules, its index of what lies below, and what is at its
 * path now. Rules are placed before the index is filled, so that nothing appears unseen between.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/mounts.h"
#include "sensor/audit/rules.h"
#include "sensor/audit/way.h"
#include "sensor/object/watched.h"
#include "sensor/tree/tree.h"
#include "util/err.h"
#include "util/sbuf.h"

enum audit_path_kind { /* what is at the path */
    AUDIT_PATH_ABSENT,     /* a directory above is watched instead, for the moment it appears */
    AUDIT_PATH_FILE,       /* the kernel follows the name by itself */
    AUDIT_PATH_DIRECTORY,
};

struct audit_dirty {
    uint64_t device, inode;
};

struct audit_object {
    union {
        struct watched_object;
        struct watched_object watched;
    };
    struct audit_object *next;

    enum audit_path_kind path_kind;
    struct audit_rule_set *rules; /* below the path, or of the name */
    struct audit_rule_set *name_rules; /* of a directory's own name: a new one that takes its place */
    struct tree *tree;            /* of a directory; NULL else */
    uint64_t listed_ns;           /* CLOCK_REALTIME: a directory was listed then: names may be later ones than those of a record before */
    struct file_state root;       /* what is there, as it last looked */
    struct file_state flagged;    /* what is there, with the flags that are known of it: no other look takes a change of them away */
    uint64_t root_born_ns;        /* CLOCK_REALTIME: a number is given again at once; 0: not known */
    struct file_state parent_state; /* of the directory that holds the path; known == 0: not there */
    struct file_state above;      /* nothing is there: the nearest directory above that exists, where the rule is */
    size_t above_len;             /* so much of path is its path */

    /* st_dev and the device that audit prints differ on btrfs (subvolumes). Both 0: they do not. */
    uint64_t audit_device, stat_device;
    uint64_t super_device;        /* of the file system that the path lies on, as audit prints it; 0 = not known */
    struct audit_way way;         /* what lies above the path */
    struct audit_mounts mounts;   /* at the path and below it */

    uint32_t flags_at;            /* the name of the index that was looked at last for changed flags (flags.h) */
    uint64_t flags_left;          /* so many are to be looked at */

    bool unwatched; /* nobody asks for its changes any more */
    bool fresh;    /* added since records were last replayed */

    uint64_t tombstone_since_ms; /* CLOCK_REALTIME: what happened after that happened somewhere else */

    struct audit_dirty dirty[64]; /* opened for writing: their size is looked up a moment later */
    unsigned dirty_count;
};

/* Nothing is placed yet. -ENOMEM. */
int audit_object_new(const struct watch_object *wanted, struct audit_object **ret, struct err *err);
/* Removes its rules; rules NULL: they are gone already. */
void audit_object_free(struct audit_object *o, struct audit_rules *rules);

/*
 * Armed by its rules; the data is struct audit_rules. Looks what is at the path, places the rules for it, fills the index.
 */
extern const struct watched_ops audit_object_ops;

/* What is known of it now, as an object of its own without rules; it gives its index away. since_ms: CLOCK_REALTIME.
 * NULL: it has none, or no memory. */
struct audit_object *audit_object_tombstone(struct audit_object *o, uint64_t since_ms, uint64_t until_ms);

/* The directory whose rule waits for what is not there is gone itself, and the kernel has dropped the rule. */
bool audit_object_above_is_gone(const struct audit_object *o);

/* The device of a record in terms of the index. */
uint64_t audit_object_device(const struct audit_object *o, uint64_t device);
/*
 * True if the file of that index entry (0: what is at the path itself) was made after `time_ns`
 * (CLOCK_REALTIME): then a record of that time that carries its inode number is about another file,
 * which had the number before.
 */
bool audit_object_younger(const struct audit_object *o, uint32_t entry, uint64_t time_ns);
/* List a directory that came into the tree as a whole. */
void audit_object_walk(struct audit_object *o, uint32_t directory);
void audit_object_touch(struct audit_object *o, uint32_t object); /* its size will change */
/* It has been looked at since it was touched. */
bool audit_object_is_fresh(const struct audit_object *o, const struct file_state *state);
void audit_object_look_at_flags(struct audit_object *o); /* of what is at the path itself: they were changed, which is known */
void audit_object_refresh(struct audit_object *o); /* look at what was touched */
/* Look at a name of the index again. False: another file is there, or none. Then the index stays as it is: records that still
 * wait say so, and those before them mean this file by this name. */
bool audit_object_look(struct audit_object *o, int directory, uint32_t name, struct tree_change *ret);
