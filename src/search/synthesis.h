/* SPDX-License-Identifier: MIT */
/*
 * An event of our own store as audit records, so that the same criteria and formats serve both. What
 * was not recorded is filled in by what the operation stands for: without a system call's number (a
 * change seen by BPF or fanotify) that of the plain call, its arguments as zeros.
 */
#pragma once

#include "event/event.h"
#include "search/items.h"
#include "util/sbuf.h"

#define SYNTHESIS_RECORDS_MAX 8

struct search_synthesis {
    struct search_event event; /* points into the members below */
    struct search_record records[SYNTHESIS_RECORDS_MAX];
    struct sbuf text;
    struct sbuf stamp; /* of this event: what is before each record's own text, but for its type */
    struct sbuf actor; /* of SYSCALL what says who it was, for `last`: most events have the actor of the one before */
    struct actor last; /* its process is an owned reference, its bytes are in `arena` */
    struct arena arena;
    struct sbuf args, title; /* those of the event before, and how they are written */
    int machine; /* audit's number of what this machine is, and one: it does not change, and asking is a system call; 0: not known yet */
    int calls[OPERATION_COUNT]; /* of each operation the plain call's number, and one; 0: not known yet */
};

/* `host_view`: names as the host finds them, where known. 0 or -ENOMEM. Use again; _done() at the end. */
int search_synthesis_make(struct search_synthesis *s, const struct event *event, bool host_view);
void search_synthesis_done(struct search_synthesis *s);
