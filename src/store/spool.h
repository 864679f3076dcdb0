/* SPDX-License-Identifier: MIT */
/*
 * What was read and is not in the store yet, kept where kill -9 does not reach it: in a file on a file system in memory, so
 * that writing it waits for no disk. It holds what waits for another sensor's observation as well as what waits for the
 * writer. Whoever opens the store next takes over what a writer that ended without a word left (store/takeover.h). The file
 * is named after the store's file and its writer, who holds a lock on its first byte as long as he lives.
 * The pipeline's thread only.
 */
#pragma once

#include <sys/types.h>

#include "event/container.h"
#include "event/event.h"
#include "store/spool_format.h"
#include "util/err.h"

/* By what opens it: the device and inode of the store, the pid of who writes. */
#define SPOOL_NAME "spool-%llx-%llx-%d"

struct spool;

/* For the store's file of that number. numbers: what was counted before is not in it. The directory is made with mode 0700. */
int spool_open(const char *directory, dev_t device, ino_t inode, const struct spool_numbers *numbers, struct spool **ret,
               struct err *err);
/* remove: what it has is in the store, or given up; else it is left to whoever opens the store next. NULL is fine. */
void spool_close(struct spool *s, bool remove);

/*
 * Each packs what it is given, and writes it with what comes within a millisecond: spool_write() at the latest.
 * number: of the kind, those of events not always in order · stored: what is in the store by now, whose room is used again
 */
void spool_add_event(struct spool *s, const struct event *event, uint64_t number, const struct spool_numbers *stored);
void spool_add_life(struct spool *s, const struct lifecycle_event *life, uint64_t number, const struct spool_numbers *stored);
void spool_add_gap(struct spool *s, const struct gap *gap, uint64_t number, const struct spool_numbers *stored);

/* What was added is in the file now, and how far all was seen (CLOCK_REALTIME, 0 = not known): that alone, where nothing was
 * added, is written from time to time only. What finds no room is counted as not seen until it is stored. */
void spool_write(struct spool *s, uint64_t seen_ns, const struct spool_numbers *stored);
