/* SPDX-License-Identifier: MIT */
/* What is usual at each watch, in a file beside the store, so that it outlives the daemon. What is not in it is only not known: nothing is said
 * to be new by that. */
#pragma once

#include "alert/usual.h"
#include "util/log.h"
#include "util/sbuf.h"

struct usual_file {
    struct usual *usual; /* borrowed */
    const struct log *log;
    struct sbuf path;        /* "usual" beside the store */
    uint64_t saved_changes;  /* usual_changes(), as the file has it */
    uint64_t next_save_ns;   /* CLOCK_MONOTONIC */
};

/* Takes what was kept. -ENOMEM; what cannot be read is warned about. */
int usual_file_open(struct usual_file *f, struct usual *usual, struct bytes store_path, const struct log *log);
/* Each time the loop has done what there was: keeps it, every five minutes at most. */
void usual_file_idle(struct usual_file *f);
void usual_file_close(struct usual_file *f); /* it is kept; what was never opened is fine */
