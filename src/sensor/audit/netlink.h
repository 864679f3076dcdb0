/* SPDX-License-Identifier: MIT */
/*
 * Audit's netlink protocol (linux/audit.h): requests with their answers, and the stream of records.
 * A socket is used for one of the two, so that answers never come between records.
 */
#pragma once

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

/* A socket for requests. -EPROTONOSUPPORT: this kernel has no audit. */
int audit_netlink_open(struct err *err);

/* One request that is answered by an acknowledgement; the kernel's -errno. -ETIMEDOUT after 2 s.
 * Safe in a child that shares the descriptor as long as the parent waits for it. */
int audit_netlink_request(int fd, uint16_t type, const void *data, size_t len);

/* How the kernel's audit is set. Waits for the answer: -ETIMEDOUT; -errno of the kernel. */
int audit_netlink_status(int fd, struct audit_status *ret);

/* Every rule in the kernel. Non-zero from `each` stops and is returned. */
int audit_netlink_rules(int fd,
                        int (*each)(void *data, const struct audit_rule_data *rule, size_t len),
                        void *data);

/* ---- the stream ---- */

struct audit_stream;

/* `multicast`: listen beside the owner (Linux 3.16). Otherwise audit_stream_own() has to follow. */
int audit_stream_open(bool multicast, struct audit_stream **ret, struct err *err);
/* Make this stream the one that the kernel sends to (AUDIT_STATUS_PID); -EEXIST, -EPERM: somebody
 * else has it. `own` false gives it up. */
int audit_stream_own(struct audit_stream *stream, bool own);
int audit_stream_fd(const struct audit_stream *stream);
/* Hands out what is there, at most `max` messages, without blocking. Returns how many; -ENOBUFS:
 * the kernel dropped records because we were too slow; -EAGAIN: nothing there. Views are valid during
 * the call. */
int audit_stream_receive(struct audit_stream *stream, unsigned max,
                         void (*each)(void *data, uint16_t type, const char *payload, size_t len),
                         void *data);
void audit_stream_close(struct audit_stream *stream); /* NULL is fine */
