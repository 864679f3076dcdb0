/* SPDX-License-Identifier: MIT */
/*
 * The store: append-only facts on disk. One writer thread behind a bounded, counted queue; a batch
 * is one transaction of at most 100 ms, so that kill -9 loses at most that and never the file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/container.h"
#include "event/coverage.h"
#include "event/event.h"
#include "util/err.h"
#include "util/log.h"

#define STORE_DEFAULT_PATH "/var/lib/culprit/culprit.db"

struct store;

struct store_options {
    const char *path;    /* NULL = STORE_DEFAULT_PATH; its directory is made with mode 0700 */
    bool read_only;
    bool patient;        /* whoever adds waits for room as long as it takes: nothing else depends on it (import) */
    const struct log *log;
};

/* -EACCES, -EPERM (somebody else owns the file, or may write it), -ENOSPC, -EBUSY (locked for longer than 2 s), -EBADMSG (not a database, or damaged),
 * -EPROTO (written by a newer culprit), -ENOENT (read_only and not there): one clear line in err. */
int store_open(const struct store_options *options, struct store **ret, struct err *err);
/* Writes what is queued. */
void store_close(struct store *store);

/* Each copies what it needs and returns at once. A failure of the writer is told once through the
 * log and counted; later calls return it without trying again (-ENOSPC ...). */
int store_add_event(struct store *store, const struct event *event);
int store_add_life(struct store *store, const struct life *life);
int store_add_gap(struct store *store, const struct gap *gap);
/* A span of observation begins; *ret_id ends it with store_end_coverage(). */
int store_begin_coverage(struct store *store, const struct coverage *coverage, uint64_t *ret_id);
/* One more place that it looks at. */
int store_add_coverage_place(struct store *store, uint64_t id, const struct coverage_place *place);
int store_end_coverage(struct store *store, uint64_t id, uint64_t to_ns);

/* How far an audit log was imported: written in order with the events, so that what it says is there.
 * A log is known by its file and by how it begins, never by its name. */
struct store_imported {
    uint64_t device, inode;
    struct bytes head; /* its first bytes */
    uint64_t offset;   /* decoded bytes whose events are in the store */
    struct bytes tail; /* those before the offset; BYTES_NULL = not kept (compressed) */
    uint64_t size;     /* of the file, then */
    bool complete;     /* read to its end */
};
int store_add_imported(struct store *store, const struct store_imported *imported);

/* Everything added before is on disk, or the error. */
int store_flush(struct store *store, struct err *err);
uint64_t store_lost(const struct store *store); /* events that could not be written */

/* The writer's thread does not share process and container records: each store_add copies. */
