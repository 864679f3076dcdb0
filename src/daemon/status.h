/* SPDX-License-Identifier: MIT */
/* What the daemon knows of itself, as JSON and as metrics. One thread. */
#pragma once

#include "alert/alerts.h"
#include "daemon/alert_sinks.h"
#include "daemon/arm.h"
#include "daemon/counts.h"
#include "daemon/guards.h"
#include "daemon/pipeline.h"
#include "util/sbuf.h"

struct status_view {
    const struct status *status;
    const struct arming *arming;
    struct pipeline *pipeline;
    const char *store_path;
    const struct alerts *alerts; /* NULL: off */
    const struct alert_sinks *sinks; /* the same */
    const struct guards *guards; /* the same */
    unsigned clients, viewers;
};
/* Members of an object, without its braces. */
void status_write(const struct status_view *v, struct sbuf *out);
/* Prometheus' text format. */
void status_write_metrics(const struct status_view *v, struct sbuf *out);
/* An array: what is watched, by whom asked for, and what is missing. */
void status_write_watches(const struct status_view *v, struct sbuf *out);
