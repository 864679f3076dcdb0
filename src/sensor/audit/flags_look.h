/* SPDX-License-Identifier: MIT */
/* Looks at the files of an object for one whose flags are not as they were known, or were set to what they were. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/audit_state.h"

struct audit_flags_search { /* one look at all, or a piece of it; all members are flags.c's and flags_look.c's */
    struct sensor *s;
    struct audit_object *object; /* the one that is being looked at */
    uint64_t left;               /* names of it, that are to be looked at */
    unsigned budget;
    uint64_t begun_ns;
    bool resting;     /* nothing is looked at now */
    bool any;         /* something was found */
    bool is_of_flags; /* what was found last differs in nothing else */
    bool set_again;   /* it has the flags that it had */
    uint64_t call_ms; /* CLOCK_REALTIME: of the call whose file is looked for; 0 = of any */
    bool unreached;   /* by the budget */
    bool stale;       /* a directory has moved since: its names were not looked at */
    bool unseen;      /* so it is with a name, or a directory that is gone */
};

/*
 * Goes on where the search before this one ended, and from the last name to the first, until one is found, `*left` names have been looked at
 * or the search's budget is used up. True: found; it is in the sensor's completion.files[1], and in the index as it is now. What could not be
 * looked at is noted in the search.
 */
bool audit_flags_look(struct audit_flags_search *f, struct audit_object *o, uint64_t *left);
/* How many there are to be looked at, with the path itself. */
uint64_t audit_flags_names(const struct audit_object *o);
