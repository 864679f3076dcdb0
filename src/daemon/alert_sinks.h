/* SPDX-License-Identifier: MIT */
/* The daemon's side of its sinks: each gets what is for it through a socket, and says how it goes. Nothing here waits. One thread. */
#pragma once

#include "config/config.h"
#include "daemon/alert_sinks_options.h"
#include "sink/message.h"

struct alert_sinks;

/* Forks a process for each: with one thread, and before privileges are given away. Without a sink in the configuration it is journald, where
 * there is one, and containers' logs. What cannot be started is warned about. -ENOMEM */
int alert_sinks_start(const struct alert_sinks_options *options, const struct config *c, struct alert_sinks **ret);
void alert_sinks_send(struct alert_sinks *s, const struct sink_message *m);
/*
 * A message of a test, and the one that it is over, to the sink of that name, or all of them (BYTES_NULL), however grave each wants them.
 * -ENOENT: there is none; -EOPNOTSUPP: what it delivers is of containers, which a test has not; -EBUSY: another test is not over.
 */
int alert_sinks_test(struct alert_sinks *s, struct bytes name, const struct sink_message *m);
/* What became of it is known of each, or will not be in time. */
bool alert_sinks_test_is_over(const struct alert_sinks *s);
/* "sinks": an array of what was tested; the test is forgotten then. */
void alert_sinks_end_test(struct alert_sinks *s, struct sbuf *out);
/* Each time the loop has done what there was. */
void alert_sinks_idle(struct alert_sinks *s);
/* Journald gets them: whoever writes to the log would say it twice. */
bool alert_sinks_has_journal(const struct alert_sinks *s);
/* "sinks": an array. */
void alert_sinks_write_status(const struct alert_sinks *s, struct sbuf *out);
/* The series of metrics, each a line: culprit_sink_failures_total and so on; `head` writes what is above one. */
void alert_sinks_write_metrics(const struct alert_sinks *s, void (*head)(struct sbuf *out, const char *name, const char *type, const char *help),
                               struct sbuf *out);
void alert_sinks_free(struct alert_sinks *s); /* NULL is fine; their processes have one last try */
