/* SPDX-License-Identifier: MIT */
#include "store/condition.h"

#include <string.h>

struct condition condition_of(const struct store_queue *q)
{
    return (struct condition){ .why = q->why, .error = q->error, .anew = q->anew,
                               .generation = q->generation, .recording = q->recording, .hangs = q->hangs,
                               .full = q->missing.count > 0, .lost = q->lost.count };
}

static void log_anew(const struct log *log, const char *path, enum anew why)
{
    static const char *const texts[] = {
        [ANEW_MOVED] = "was moved away or deleted; a new one is begun",
        [ANEW_DAMAGED] = "was truncated or damaged; it was set aside, and a new one is begun",
        [ANEW_MESSAGE] = "could not take what came last; that is missing in it",
    };

    log_warn(log, "the store %s %s", path, texts[why]);
}

void condition_log(const struct condition *now, const char *path, const struct log *log, struct logged_condition *logged)
{
    bool trouble = now->error || now->hangs;

    if (now->generation != logged->generation)
        log_anew(log, path, now->anew);
    logged->generation = now->generation;
    if (now->hangs && !logged->error)
        log_warn(log, "the file system of the store %s does not answer; what happens is kept in memory as far as it fits", path);
    else if (now->error && !logged->error)
        log_warn(log, "%s; trying again, what happens is kept in memory as far as it fits", err_text(&now->why, now->error));
    if (trouble && now->full && !logged->full)
        log_warn(log, "the store %s is still not written; events are on the terminal only", path);
    if (!trouble && logged->error && now->lost)
        log_warn(log, "the store %s is written again; %llu events are missing in it", path, (unsigned long long)now->lost);
    else if (!trouble && logged->error)
        log_warn(log, "the store %s is written now, nothing is missing in it", path);
    logged->error = trouble;
    logged->full = trouble && (now->full || logged->full);
}

void condition_log_fault(struct store_queue *q, const struct log *log, struct logged_condition *logged)
{
    char fault[sizeof(q->fault)];
    bool another;

    pthread_mutex_lock(&q->lock);
    another = q->faults != logged->faults;
    logged->faults = q->faults;
    memcpy(fault, q->fault, sizeof(fault));
    pthread_mutex_unlock(&q->lock);
    if (another && fault[0])
        log_warn(log, "%s; it is left as it is, and takes its room until it is removed; recording goes on", fault);
}
