/* SPDX-License-Identifier: MIT */
/*
 * What the daemon has beside the pipeline: each part is opened as the configuration says, and where it cannot be, that is a warning
 * and the daemon observes without it. For its one thread.
 */
#pragma once

#include "daemon/service_state.h"

/* Before the pipeline is opened, in this order: they need the privileges that are given away then, and miss no event. */
void service_start_response(struct service *s);
void service_start_alerting(struct service *s);
void service_open_control(struct service *s);
void service_start_guards(struct service *s);

/* Once it observes. */
void service_start_control(struct service *s);
void service_start_heartbeat(struct service *s);
void service_start_metrics(struct service *s);
void service_arm_guards(struct service *s);
void service_watch_responses(struct service *s);
