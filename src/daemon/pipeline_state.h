/* SPDX-License-Identifier: MIT */
/* The pipeline while it runs: shared by the files pipeline*.c only. One thread. */
#pragma once

#include "attribution/attribution.h"
#include "copies/keeper.h"
#include "daemon/choose.h"
#include "daemon/faults.h"
#include "daemon/follow.h"
#include "daemon/pipeline.h"
#include "engine/engine.h"
#include "store/store.h"
#include "watch/fuse.h"
#include "watch/watchset.h"

#define EPOLL_MAX 16 /* descriptors in the loop */
#define ENGINE_WAIT_MS 200 /* an event of a container that is starting waits for the engine's word so long */

enum source_kind { SOURCE_SENSOR, SOURCE_FOLLOWER, SOURCE_ENGINES, SOURCE_CALLER };

/* A descriptor in the loop. */
struct source {
    enum source_kind kind;
    int fd;
    void (*ready)(void *data, int fd);
    void *data;
};

struct open_sensor {
    const struct sensor_ops *ops;
    struct sensor *sensor;
    int fd; /* as it is waited for */
    char taken[256]; /* somebody else has it now: why it is to be left; "" = no */
};

struct pipeline {
    struct pipeline_options options;
    struct choice choice;
    struct open_sensor sensors[CHOICE_MAX];
    size_t sensor_count;
    struct follower *follower;
    struct engines *engines;
    struct attribution *attribution;
    struct watchset *watches;
    struct fuse *fuse;        /* NULL: one sensor is open, nothing to fold */
    struct store *store;
    struct case_ *case_;
    struct copies_keeper *copies; /* NULL: none are kept */
    struct copies_report copies_report; /* the newest */
    int copies_error;             /* that was said */
    bool copies_left;             /* that containers' files are left out was said */
    uint32_t copies_object;       /* of a container; all up to it are with the keeper */
    bool copies_said;             /* how many are kept was said */
    struct pipeline_choice *copies_choices; /* with options.choose_copies; owned, as their texts */
    size_t copies_choice_count;
    bool copies_stale;            /* the keeper does not have them yet */
    int epoll_fd;
    int engines_fd;           /* the one in the epoll set, -1 = none */
    struct source *sources[EPOLL_MAX];
    size_t source_count;
    uint64_t sequence;
    uint64_t coverage_id;
    bool recorded_places;     /* those that were there at the beginning */
    uint64_t from_ns;
    uint64_t next_poll_ns;
    struct faults faults;
    uint64_t next_seen_ns, next_trim_ns;
    /* CLOCK_REALTIME: when nothing was waiting in the kernel's queues, and how long before that it was so, at least as long as sensors
     * hold an event: all that happened before the second one was emitted */
    uint64_t all_read_ns, all_emitted_ns;
    bool raised;            /* the priority of this thread, and of those that were started before the store's */
    uint64_t newest_event_ns;     /* of what was handed out */
    uint64_t last_event_ns;       /* CLOCK_REALTIME: when it was */
    uint64_t last_engine_wait_ns;
    bool stop;
};
