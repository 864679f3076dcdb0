/* SPDX-License-Identifier: MIT */
/* All viewers, and how one begins and ends. One thread. */
#pragma once

#include "control/call.h"
#include "daemon/arm.h"
#include "daemon/status.h"
#include "daemon/viewer.h"

struct viewing {
    struct viewer *first;
    unsigned count;
    struct pipeline *pipeline;
    struct arming *arming;
    struct status *status;
    struct ecs_host host;
    const char *store_path;
    struct viewer *arming_for; /* what is said while it is armed is his */
};

/* A viewer for this call; NULL: it was answered with an error. *ret_arms: something has to be armed for him before viewing_ready(). */
struct viewer *viewing_add(struct viewing *g, struct control_client *client, const struct control_call *call, bool *ret_arms);
/* Everything of his is watched: he gets to know it, and his events from now on. */
void viewing_ready(struct viewing *g, struct viewer *v);
/* He is answered, and is none any more. True: what was watched for him alone is to be given up. */
bool viewing_fail(struct viewing *g, struct viewer *v, const char *error, const char *message);
/* The client is gone. True as above. */
bool viewing_remove(struct viewing *g, struct control_client *client);
/* Those who wait to be armed: all ready, or all failed with that text. True as above. */
bool viewing_armed(struct viewing *g, int r, const char *text);
/* He wants what happened until now (CLOCK_REALTIME) and then the last word, which viewing_idle() gives him. */
void viewing_finishing(struct viewing *g, struct control_client *client);
/* All viewers are freed; their clients are the server's and stay. What was watched for them ends with the arming. */
void viewing_done(struct viewing *g);

/* What the pipeline emits, for each viewer whose it is: everything is copied or written before these return, and what there is no room for
 * is counted as missed by that viewer alone. Nobody is waited for. */
void viewing_event(struct viewing *g, const struct event *event);
void viewing_life(struct viewing *g, const struct lifecycle_event *life);
void viewing_gap(struct viewing *g, const struct gap *gap);
void viewing_explanation(struct viewing *g, enum explanation kind, uint64_t time_ns, uint64_t files, struct bytes detail);
/* A line for people, said while something is armed: it is for whoever that is armed for, and for nobody else. */
void viewing_notice(struct viewing *g, const char *text);
/* At each turn of the loop: sends what was put together, counts what viewers missed, ends those that are finishing. */
void viewing_idle(struct viewing *g);
