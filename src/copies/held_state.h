/* SPDX-License-Identifier: MIT */
/* What is held: shared by held*.c only. */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "copies/held_end.h"
#include "util/hash_table.h"

#define HELD_SIGNAL (SIGRTMIN + 3) /* a lease is to be given up; SIGIO where its queue is full */

enum held_stage {
    HELD_READING, /* for its sum */
    HELD_HELD,
    HELD_LEFT,    /* it has gone from its path: to be copied */
    HELD_COPYING, /* by the thread, which is the only one that may touch it then */
};

/* Of one descriptor. */
struct held_file {
    int fd;
    enum held_stage stage;
    bool broken;     /* a writer came while it was read */
    struct stat st;
    int64_t mount;   /* mountinfo's id of where it was found; negative: not known */
    unsigned char sha256[32];
    UT_hash_handle hh; /* by path */
    UT_hash_handle by_fd;
    size_t len;
    char path[];
};

struct held_ended {
    struct held_ended *next;
    struct held_end *end;
};

struct held_all {
    pthread_t thread;
    pid_t tid;
    int directory, signals, mounts; /* mounts: mountinfo, which says when it has changed */
    int wake, ready;                /* eventfds: for the thread; for whoever asks */
    int max;
    pthread_mutex_t lock;           /* of all that follows */
    struct held_file *paths;        /* those that are at their paths */
    struct held_file *fds;          /* all */
    struct held_ended *ended, **ended_end;
    uint64_t room, copied;          /* copied: what is in `ended` */
    bool stop;
};

/* Locked: closes it, and forgets it. */
void held_close(struct held_all *h, struct held_file *f);
/* Locked: it has no path any more that somebody could ask for. */
void held_unname(struct held_all *h, struct held_file *f);
