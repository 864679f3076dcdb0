/* SPDX-License-Identifier: MIT */
/* What service.c (the daemon's life), service_parts.c, service_reload.c and service_say.c share. One thread. */
#pragma once

#include "daemon/alerting.h"
#include "daemon/arm.h"
#include "daemon/configured.h"
#include "daemon/control.h"
#include "daemon/declared.h"
#include "daemon/guard_undoer.h"
#include "daemon/guards.h"
#include "daemon/heartbeat.h"
#include "daemon/metrics.h"
#include "daemon/pipeline.h"
#include "daemon/response.h"
#include "daemon/service_options.h"
#include "daemon/status.h"

struct service {
    const struct service_options *options;
    struct config config;
    struct pipeline *pipeline;
    struct arming arming;
    struct status status;
    struct control *control; /* NULL: it could not be opened */
    struct heartbeat *heartbeat; /* NULL: none */
    struct alerting *alerting;   /* NULL: alerts are off */
    struct metrics *metrics;     /* NULL: none */
    struct guards *guards;       /* the same */
    struct response *response;   /* the same */
    struct guard_undoer undoer;
    struct declared declared;
    struct sbuf sensors, control_path;
    struct configured configured;
    int signal_fd;
    uint64_t next_sign_ns;
    bool ending;        /* the observation is over: nothing is begun any more */
    bool reload;        /* asked for, and not done yet */
    bool changed_later; /* something that counts from the next start on only */
};
