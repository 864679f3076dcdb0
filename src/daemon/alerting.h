/* SPDX-License-Identifier: MIT */
/* The daemon's judging: the configuration's word of what is expected, and where what is not expected is said. One thread. */
#pragma once

#include "alert/alerts.h"
#include "config/config.h"
#include "daemon/alert_sinks.h"
#include "daemon/pipeline.h"
#include "daemon/response.h"
#include "daemon/silencing.h"
#include "event/ecs.h"
#include "util/log.h"

struct alerting;

struct alerting_options {
    const struct log *log;
    struct ecs_host host;      /* its texts are borrowed for the whole life */
    const char *config_dir, *runtime_dir;
    void *data;
    void (*notice)(void *data, const char *text); /* one line for people */
    struct response *response; /* borrowed; NULL: nothing is done about anything */
};

/* NULL where the configuration has alerts off; that is 0 too. -ENOMEM. */
int alerting_start(const struct alerting_options *options, const struct config *c, struct alerting **ret, struct err *err);
/* What is expected from now on. A failure changes nothing. */
int alerting_configure(struct alerting *g, const struct config *c);
/* What was done about an alert. NULL is fine. */
void alerting_act(struct alerting *g, const char *id, const char *text);
/* Something about culprit itself: one matter each. NULL is fine. */
void alerting_own(struct alerting *g, const char *what, enum severity severity, const char *text);
/* What that process does is culprit's own work; with parent, what descends from it too. NULL is fine. */
void alerting_own_process(struct alerting *g, pid_t pid, bool parent);
/* Guards of culprit's own set or took away flags there, or do so now. target: own_flags_add(). NULL is fine. */
void alerting_own_flags(struct alerting *g, struct bytes target);
/* What the sensors see. */
void alerting_covered(struct alerting *g, struct pipeline *pipeline);
/* What is watched: after each time that it becomes another one; alerting_idle() looks now and then. */
void alerting_watches(struct alerting *g, const struct pipeline *pipeline);
void alerting_life(struct alerting *g, const struct lifecycle_event *life);
void alerting_event(struct alerting *g, const struct event *event);
void alerting_gap(struct alerting *g, const struct gap *gap);
/* Each time the loop has done what there was. */
void alerting_idle(struct alerting *g, const struct pipeline *pipeline);
/* The observation is over. */
void alerting_end(struct alerting *g);
void alerting_free(struct alerting *g); /* NULL is fine */

/* For status, metrics and whoever asks why. */
const struct alerts *alerting_alerts(const struct alerting *g);
const struct alert_sinks *alerting_sinks(const struct alerting *g);
/* A test, by whoever that is (pid, uid), of the sink of that name or of all (BYTES_NULL): alert_sinks_test(). */
int alerting_test(struct alerting *g, struct bytes sink, pid_t pid, uid_t uid, struct err *err);
bool alerting_test_is_over(const struct alerting *g);
void alerting_end_test(struct alerting *g, struct sbuf *out);
struct silencing *alerting_silencing(struct alerting *g);
