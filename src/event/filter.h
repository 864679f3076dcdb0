/* SPDX-License-Identifier: MIT */
/*
 * Which events somebody asks for: the same for live observation, the store and logs. Kinds of
 * conditions are joined by and, conditions of one kind by or. What a filter leaves out is counted by those who ask,
 * never taken for "nothing happened". Pure; what needs the machine (uids of names, the working directory) is looked up
 * by those who fill it.
 */
#pragma once

#include "event/event.h"
#include "event/selector.h"

enum filter_result {
    FILTER_MATCHES,
    FILTER_OTHER,   /* it does not match */
    FILTER_ALLOWED, /* it matches, and is permitted (run --allow) */
};

enum filter_kind {
    FILTER_USER,      /* real, effective or login user, by name or number */
    FILTER_PROGRAM,   /* base name, path or pattern of the executable or the script */
    FILTER_CAUSE,     /* part of a name in the cause or in what launched it, whatever the case of ASCII letters */
    FILTER_CONTAINER, /* the actor lives in it */
    FILTER_NODE,      /* the machine that a log names: a name or a pattern */
    FILTER_EXCLUDE,   /* the file is not there; see filter_add() */
    FILTER_ALLOW,
    FILTER_KIND_COUNT
};

struct filter_term {
    struct filter_term *next;
    struct bytes text;
    uint32_t id;             /* FILTER_USER: on this host; UID_UNKNOWN: none of that name */
    bool is_number;          /* FILTER_USER: the id was given, not a name, which in a container is somebody else */
    struct selector selector; /* FILTER_CONTAINER, and FILTER_EXCLUDE where the path is a container's */
    bool host_only;          /* FILTER_EXCLUDE, FILTER_ALLOW: of the host's files only */
};

/* {0} lets everything through. */
struct filter {
    struct arena arena;
    uint64_t operations; /* bit 1 << enum operation; 0 = all */
    struct filter_term *terms[FILTER_KIND_COUNT];
};

/*
 * Adds a condition; the text is copied. Paths (FILTER_EXCLUDE, FILTER_ALLOW): absolute, a file and all below it or a
 * pattern (util/glob.h); without a '/' the name of a file or a directory at any depth. What begins with a container
 * as targets do (event/selector.h) is of its files only. NULL: out of memory.
 */
struct filter_term *filter_add(struct filter *f, enum filter_kind kind, struct bytes text);
void filter_done(struct filter *f);

/* True if it looks at more than operation and actor: of events that are counted together each one is to be asked. */
bool filter_needs_paths(const struct filter *f);

/* Does the event match? Pure; FILTER_MATCHES where nothing was asked for. */
enum filter_result filter_event(const struct filter *f, const struct event *event);
