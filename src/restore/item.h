/* SPDX-License-Identifier: MIT */
/* One path that is not as it was, and what became of it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "event/difference.h"
#include "util/err.h"

enum restore_outcome {
    RESTORE_OPEN,    /* not decided yet */
    RESTORE_DONE,
    RESTORE_PLANNED, /* it would be: --dry-run */
    RESTORE_NEWER,   /* its content is newer than the source's: only with --force */
    RESTORE_EARLIER, /* it was so at the time that is asked for, or whether it was is not known */
    RESTORE_FAILED,
    RESTORE_OUTCOMES
};

enum restore_source { RESTORE_FROM_ANY, RESTORE_FROM_IMAGE, RESTORE_FROM_COPIES, RESTORE_FROM_OPEN, RESTORE_FROM_PACKAGE, RESTORE_FROM_GIT, RESTORE_FROM_QUARANTINE };

struct restore_item {
    struct bytes path;             /* the difference's */
    unsigned kinds;                /* bit 1 << enum difference_kind */
    struct difference *difference; /* the gravest; with whoever was recorded making it; owned */
    enum restore_outcome outcome;
    enum restore_source source;
    unsigned given;    /* enum given (attributes.h): what it got back */
    char reason[160];  /* why not; our words, no foreign bytes */
    struct bytes origin; /* "acl 2.3.1-3": the package; "index 1a2b3c4d5e, as in HEAD"; "of 14:03:20"; the difference's; any bytes */
    /* RESTORE_FROM_OPEN: who holds it. */
    pid_t holder;
    struct bytes holder_name; /* the difference's; any bytes */
    bool holder_writes;       /* on, to the deleted file */
    bool older;               /* others that had this path before it are held too */
};

#define RESTORE_BIT(kind) (1u << (kind))

struct restore_items {
    struct restore_item *all; /* in the order of paths, directories before what is in them; owned */
    size_t count, size;
    /* directories that hold something that the source does not have; owned, as text */
    char **grown;
    size_t grown_count, grown_size;
    /* directories of which only the times are not as they were; owned, as text */
    char **stale;
    size_t stale_count, stale_size;
};

/* All of it is put back, not its attributes alone. */
bool restore_item_is_whole(const struct restore_item *item);

/* RESTORE_FAILED, with the reason: err's text, or what an error of putting it there means. */
void restore_item_fail(struct restore_item *item, int r, const struct err *err);

/* Frees the differences and texts of all, and zeroes it. */
void restore_items_done(struct restore_items *items);
/* Takes the difference over: several of one path are one item. -E2BIG: too many; -ENOMEM. */
int restore_items_add(struct restore_items *items, struct difference *d);
/* A directory whose times differ: no item, since they change with all that is done in it. */
int restore_items_add_stale(struct restore_items *items, struct bytes directory);
/* Once all are there. */
void restore_items_sort(struct restore_items *items);
/* Does the directory hold something new? Then its times are its own. */
bool restore_items_has_grown(const struct restore_items *items, struct bytes directory);

const char *restore_outcome_name(enum restore_outcome outcome); /* "restored", "planned", ... */
/* As restore_source_parse() takes it. Static. */
const char *restore_source_name(enum restore_source source);
const char *restore_source_word(enum restore_source source); /* in front of an item's origin: "package acl 2.3.1-3" */
/* -EINVAL: no source is called so. */
int restore_source_parse(const char *name, enum restore_source *ret);
