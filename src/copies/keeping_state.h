/* SPDX-License-Identifier: MIT */
/* The keeper's own process: shared by keeping*.c only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "copies/changed.h"
#include "copies/held.h"
#include "copies/pack.h"
#include "copies/report.h"
#include "copies/roots.h"
#include "copies/spans.h"

#define COPIES_AGAIN_MS 5000        /* a file that is written again and again is kept so often */
#define COPIES_LARGE_AGAIN_MS 60000 /* a large one */

struct copies_keeping {
    int socket;
    struct pack *pack;
    struct held_all *held;        /* NULL: nothing was held yet */
    struct copy_spans *spans; /* NULL: they cannot be written */
    struct copies_roots roots;
    bool chosen;        /* what else changes is not kept: others watch it */
    bool unasked;       /* begun anew: whether it is to be kept is not known yet, and changes wait */
    char **folders; /* to be walked through: a stack; owned */
    size_t folder_count, folder_size;
    struct changed_file *changed;
    struct copies_report report, announced;
    uint64_t asked;     /* walks */
    bool begin;         /* the walk is one of the beginning */
    bool turned;        /* since then nothing was walked through to its end */
    bool catching_up;   /* changes were missed; the walk is not over */
    bool measuring;     /* nothing is kept in this walk: would there be room? */
    uint64_t measured;
    uint64_t retry_ms;  /* 0: not */
    uint64_t limit, age_ns, said_ms;
    char *content;      /* COPIES_FILE_MAX and one byte more */
};
