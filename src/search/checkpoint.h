/* SPDX-License-Identifier: MIT */
/*
 * --checkpoint: where the last search ended, so that the next one goes on behind it. The file has
 * ausearch's format: the device and inode of the last log, and the last complete event. Both
 * programs can use each other's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "search/items.h"
#include "sensor/audit/log/files.h"
#include "util/err.h"

struct search_checkpoint {
    bool loaded; /* there was a file, and what follows is of it */
    dev_t dev;
    ino_t ino;
    struct {
        uint64_t sec, serial;
        unsigned milli;
        int type;
        char *node; /* owned; NULL = none */
    } input, last;
    bool by_time;      /* -ts checkpoint: its time alone counts */
    bool going;        /* the event was passed: what follows is shown */
    bool has_last;
};

void search_checkpoint_done(struct search_checkpoint *c); /* frees what it holds, not the struct */

/* 0, also if there is no such file; -EBADMSG: damaged; another -errno: not readable. */
int search_checkpoint_load(struct search_checkpoint *c, const char *path, struct err *err);

/* Leave out the files before the one it ended in. -ENOENT: that one is not among them. */
int search_checkpoint_skip_files(const struct search_checkpoint *c, struct audit_log_files *files);

enum search_checkpoint_step {
    CHECKPOINT_BEFORE, /* shown already */
    CHECKPOINT_SHOW,
    CHECKPOINT_LOST,   /* so much later that its event should have been met */
};
/* What to do with an event that matches. */
enum search_checkpoint_step search_checkpoint_step(struct search_checkpoint *c,
                                                   const struct search_event *event);
/* Each complete event, matching or not. -ENOMEM. */
int search_checkpoint_note(struct search_checkpoint *c, const struct search_event *event);

/* `log`: the file that was read last. */
int search_checkpoint_save(const struct search_checkpoint *c, const char *path, const char *log,
                           struct err *err);
