/* SPDX-License-Identifier: MIT */
/* A store as a file: less of it, and a copy. Both beside a process that writes to it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/retention.h"
#include "util/err.h"

struct store_pruned {
    uint64_t events, events_left; /* before and after */
    uint64_t bytes, bytes_left;   /* in use */
    uint64_t floor_ns;            /* CLOCK_REALTIME: what is older went; 0: nothing ever did */
    bool others;                  /* somebody writes: processes and directories that nothing refers to stay until he removes them */
};
/* dry_run: *ret says what would go by its age, nothing is changed. path: NULL = STORE_DEFAULT_PATH. Errors as store_open(). */
int store_prune(const char *path, const struct store_retention *retention, bool dry_run, struct store_pruned *ret, struct err *err);

/* A copy as of one moment, mode 0600, complete under that name or not there. -EEXIST: there is one, and not force. */
int store_backup(const char *path, const char *to, bool force, uint64_t *ret_bytes, struct err *err);
