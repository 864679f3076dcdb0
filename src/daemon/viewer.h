/* SPDX-License-Identifier: MIT */
/*
 * Whoever looks on at the daemon (`watch`, `run`): which events are his, and how they get to him. What he does not read in
 * time is a gap of his own. One thread.
 */
#pragma once

#include "control/server.h"
#include "daemon/transient.h"
#include "event/ecs.h"
#include "report/case_options.h"

struct pipeline;
struct sender;

struct viewer_target {
    struct target target;   /* with permissions and key */
    struct transient *held; /* what is watched for it; NULL: nothing beside the configuration */
};

struct viewer {
    struct viewer *next;
    struct control_client *client;
    struct viewer_target *targets;
    size_t count;
    bool records;           /* as store/sender.h has them, else ECS */
    struct sender *sender;
    struct sbuf batch;      /* of records, not sent yet */
    uint64_t from_ns;       /* CLOCK_REALTIME: everything of his is watched since; 0: not yet */
    uint64_t finishing_ns;  /* CLOCK_REALTIME: he wants what happened until then; 0: all */
    bool ended;             /* he got the last word */
    struct gap missed;      /* count 0: nothing */
};

struct viewer *viewer_new(struct control_client *client, bool records); /* NULL: out of memory */
void viewer_free(struct viewer *v); /* NULL is fine; nothing is held any more */
/* Takes over the target. */
int viewer_add_target(struct viewer *v, struct target *target);

struct viewer_source {
    struct pipeline *pipeline;
    const struct ecs_host *host;
};
/* Those that are his are written for him. */
void viewer_event(struct viewer *v, const struct viewer_source *source, const struct event *event);
void viewer_life(struct viewer *v, const struct lifecycle_event *life);
void viewer_gap(struct viewer *v, const struct viewer_source *source, const struct gap *gap);
void viewer_explanation(struct viewer *v, enum explanation kind, uint64_t time_ns, uint64_t files, struct bytes detail);
void viewer_notice(struct viewer *v, const char *text);
/* What was put together goes out; what he missed is a gap, once he reads again. */
void viewer_idle(struct viewer *v, const struct viewer_source *source);
