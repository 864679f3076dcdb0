/* SPDX-License-Identifier: MIT */
/* An alert as an Event of Kubernetes (core/v1) on the pod. Pure. */
#pragma once

#include "sink/message.h"
#include "util/sbuf.h"

/* A name as Kubernetes has them (RFC 1123): nothing else gets into a URL. Labels of a container may be anybody's. */
bool kubernetes_is_name(struct bytes name);
/* The Event's: one for all messages of an alert. */
void kubernetes_event_name(const struct sink_message *m, struct sbuf *out);
/* now_ns: CLOCK_REALTIME */
void kubernetes_event(const struct sink_message *m, uint64_t now_ns, struct sbuf *out);
