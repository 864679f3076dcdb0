/* SPDX-License-Identifier: MIT */
/* How a queue is, and what the log says of that. */
#pragma once

#include "store/queue.h"
#include "util/log.h"

struct condition {
    struct err why;
    int error;
    enum anew anew;
    uint64_t generation;
    bool hangs, full, recording;
    uint64_t lost;
};

/* What the log has said so far. Zeroed at first. */
struct logged_condition {
    bool error, full;
    uint64_t generation;
    uint64_t faults;
};

/* Under the queue's lock. */
struct condition condition_of(const struct store_queue *q);
/* Logs what has changed since the last call. Not under the lock: the log may wait. path: the store's */
void condition_log(const struct condition *now, const char *path, const struct log *log, struct logged_condition *logged);
/* What the store's own upkeep has met since the last call. Takes the lock, for a moment. */
void condition_log_fault(struct store_queue *q, const struct log *log, struct logged_condition *logged);
