/* SPDX-License-Identifier: MIT */
/* How grave a change is, by one table: what it was, to what kind of file, by whom seen from the file. No scores. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "event/severity.h"
#include "util/sbuf.h"

/* MITRE ATT&CK's techniques: a bit each. */
enum technique {
    TECHNIQUE_DELETION = 1 << 0,    /* T1070.004 */
    TECHNIQUE_TIMES = 1 << 1,       /* T1070.006 */
    TECHNIQUE_PERMISSIONS = 1 << 2, /* T1222.002 */
    TECHNIQUE_DESTRUCTION = 1 << 3, /* T1485 */
    TECHNIQUE_DATA = 1 << 4,        /* T1565.001 */
    TECHNIQUE_SETUID = 1 << 5,      /* T1548.001 */
    TECHNIQUE_DEFENCES = 1 << 6,    /* T1562.001: the watch itself */
};

struct severity_row {
    const char *name;      /* as in JSON */
    bool made;             /* only of files that the same cause made a moment ago (made.h) */
    uint64_t operations;   /* bit 1 << enum operation */
    bool (*is)(const struct event *e, struct bytes const *own, unsigned own_count); /* NULL: any */
    enum severity severity;
    unsigned techniques;
    unsigned numbers;      /* from so many on of one matter it is what follows; 0: never */
    enum severity in_numbers;
    unsigned techniques_in_numbers; /* beside the others */
};

#define SEVERITY_ROWS_MAX 24

/* The first row that fits; its index counts what happened of a kind. own: culprit's files (paths, with all below); made: made_has(). */
unsigned severity_find(const struct event *e, const struct bytes *own, unsigned own_count, bool made);
/* Would made_has() change that row? To find out whether it has costs a fingerprint of each directory above the file. */
bool severity_depends_on_made(const struct event *e, unsigned row);
const struct severity_row *severity_row(unsigned index); /* NULL past the end */

/* The ids as elements of an array that is open. */
void technique_write(struct sbuf *out, unsigned techniques);
