/* SPDX-License-Identifier: MIT */
/*
 * Between the pipeline's thread, which adds messages, and the writer's, which makes rows of them. A batch that cannot
 * be written is kept and tried again, and what comes meanwhile waits behind it: only what does not fit is lost, and
 * that is a gap. Messages name processes and containers by slots that earlier messages filled, so none of them is
 * ever left out but with all the others (recorder.c begins a new generation, and everything is sent again).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/kept_retention.h"
#include "store/spool_format.h"
#include "store/sqlite.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define BATCH_MS 20                  /* from the first message: with the reading and the writing below 100 ms, see store.h */
#define QUEUE_WAKE (512 * 1024)      /* the writer does not wait for its time */
#define QUEUE_MAX (3 * 1024 * 1024)  /* some 30,000 events; twice, for one is filled while one is written */
#define QUEUE_RESERVE (256 * 1024)   /* beyond it, for what is not an event: gaps, coverage, moments */

/* Events that are missing. */
struct missing_span {
    uint64_t count, from_ns, to_ns; /* CLOCK_REALTIME */
};

/* Both counts in one span from the first to the last; one without an end adds nothing. */
static inline void span_join(struct missing_span *s, const struct missing_span *other)
{
    if (!other->to_ns)
        return;
    s->from_ns = s->to_ns ? MIN(s->from_ns, other->from_ns) : other->from_ns;
    s->to_ns = MAX(s->to_ns, other->to_ns);
    s->count += other->count;
}

enum anew { ANEW_NONE, ANEW_MOVED, ANEW_DAMAGED, ANEW_MESSAGE };

struct checkpointer;
struct pruner;
struct sender;
struct writer;

struct store_queue {
    char *path;
    char *spool_directory; /* NULL: there is none */
    bool patient;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t wake;    /* for the writer: something to do */
    pthread_cond_t done;    /* for the others: an attempt at writing has ended */
    /* under the lock */
    struct sbuf filling;
    struct missing_span filling_events, draining_events;
    uint64_t first_ns;      /* CLOCK_MONOTONIC: of the oldest message in `filling` */
    uint64_t seen_ns;       /* CLOCK_REALTIME: all that happened before has been added; 0 = nobody says so */
    uint64_t added, written; /* bytes ever: a flush waits until the second has come to the first */
    uint64_t flush_to;
    uint64_t flushes, flushes_begun; /* that were asked for, and before the attempt that is made or was the last */
    uint64_t attempts;      /* that have ended */
    bool writing;           /* an attempt is being made */
    bool hangs;             /* the attempt does not go on; kept until it has ended */
    bool stop, ended;
    bool abandoned;         /* it did not end: whenever it does, all of this is its own to free */
    bool stalled;           /* an event has waited in vain: a disk that hangs must not stop the observation too */
    bool recording;         /* the store has been usable */
    int error;              /* of the last attempt; 0 = fine */
    struct err why;
    struct missing_span missing;    /* no gap was added for it yet */
    struct missing_span lost;       /* ever */
    enum anew anew;         /* why the last generation began */
    uint64_t generation;    /* slots are void, and open coverage is unknown, in another one */
    uint64_t begin_ns;      /* CLOCK_REALTIME: of the file that is written now, if another one was before */
    uint64_t files;         /* that were opened ever */
    dev_t file_device;      /* the one that is written */
    ino_t file_inode;
    struct spool_numbers spooled, stored; /* what the queue has got; what is written */
    struct kept_retention *next_retention; /* takes the place of `retention` */
    uint64_t buffers;       /* counts what was handed over: an event is packed as the difference from the one before it in the same buffer */
    atomic_ulong steps;     /* that SQLite made, by the writer's thread */
    atomic_ulong file_bytes; /* the file and SQLite's log, as they were when they were looked at */
    /* the writer's thread only, once it runs: a connection belongs to one thread, questions have their own */
    sqlite3 *db;
    struct writer *writer;
    struct checkpointer *checkpointer;
    struct pruner *pruner;  /* NULL: nothing is removed */
    struct kept_retention *retention; /* likewise */
    char fault[LIMIT_ERR];  /* what cannot be kept small, as words: pruner_fault(); under the lock where it is changed or others read it */
    uint64_t faults;        /* how often there was another one; likewise */
    uint64_t prune_ns;      /* CLOCK_MONOTONIC: the next step */
    int log_pages;          /* of SQLite's log, after the last transaction */
    uint64_t log_busy_ns;   /* CLOCK_MONOTONIC: until then a reader in it is not waited for again; 0: none was met */
    dev_t device;
    ino_t inode;
    off_t size;
    uint64_t page_size;     /* bytes, of the file */
    struct sbuf draining;
    uint64_t draining_seen_ns;
    struct spool_numbers draining_spooled;
    uint64_t opened;        /* files that were */
    uint64_t retry_ns, alive_ns, look_ns; /* CLOCK_MONOTONIC: when next */
    uint64_t kept_ns;       /* CLOCK_REALTIME: what was added before is on disk */
};

/* So much later than now, CLOCK_MONOTONIC, as pthread_cond_timedwait() wants it. */
struct timespec queue_in_ms(unsigned ms);

/* Has something gone on since it was looked at last? A disk that hangs lets nobody end who waits for it. */
struct patience {
    uint64_t steps;
    unsigned slices;
};
/* Waits for `done`, or for a part of a second. False: nothing has gone on for three seconds, and `hangs` is set; never where the
 * queue is patient. Under the lock. */
bool queue_wait(struct store_queue *q, struct patience *p);
/* The steps of SQLite and the attempts that ended; only whether it changes means something. */
static inline uint64_t queue_steps(const struct store_queue *q)
{
    return atomic_load(&q->steps) + q->attempts;
}

/* Opens the store, in the caller's thread. Errors of store_open(). */
int recorder_open(struct store_queue *q, struct err *err);
/* The writer's thread; it opens what recorder_open() could not, or was not called for. */
int recorder_start(struct store_queue *q, struct err *err);
/* Writes what is queued, if that can be done now, closes the store, and frees the queue; where the file system hangs, whenever it
 * goes on. *ret_stored: what of the spool is in the store. */
void recorder_stop(struct store_queue *q, struct spool_numbers *ret_stored);
