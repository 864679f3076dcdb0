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

#include "util/bytes.h"
#include "util/err.h"

/* A socket for requests. -EPROTONOSUPPORT: this kernel has no audit. */
int audit_netlink_open(struct err *err);

/*
 * Whether requests of this process wait where the kernel makes whoever sends them wait, for up to a minute while audit's backlog is full
 * (courier.h). AUDIT_WAITS: the default. AUDIT_ASKS_APART: all but how audit is set, which has to be known first. AUDIT_NEVER_WAITS:
 * none; as many that wait at the same time as there may be fail with -EAGAIN. What only the stream's owner may send he sends himself.
 */
enum audit_patience { AUDIT_WAITS, AUDIT_ASKS_APART, AUDIT_NEVER_WAITS };
void audit_netlink_set_patience(enum audit_patience patience);
bool audit_netlink_never_waits(void);

/* One request that is answered by an acknowledgement; the kernel's -errno. -ETIMEDOUT; -EAGAIN by patience.
 * Safe in a child that shares the descriptor as long as the parent waits for it. */
int audit_netlink_request(int fd, uint16_t type, const void *data, size_t len);
/* The same, sent by this process: what the kernel takes from the stream's owner alone. */
int audit_netlink_request_itself(int fd, uint16_t type, const void *data, size_t len);

/*
 * Deletes rules, many with each message: where the kernel makes whoever sends one wait, it does so once for all of them. Returns how many are known to be
 * deleted; waits for 3 s in all where it must not wait, and what is not answered by then is deleted later, or by the next culprit.
 */
unsigned audit_netlink_delete_rules(int fd, const struct bytes *rules, size_t count);
/* The next requests have other numbers than the `count` ones that a forked process may send. */
void audit_netlink_skip(unsigned count);

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
