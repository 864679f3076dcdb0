/* SPDX-License-Identifier: MIT */
/*
 * Our place at the kernel's audit system: owner of the stream if nobody else is, else a listener
 * beside the owner. What is changed for that is written down (state_dir) and put back by the last
 * culprit that leaves, also after one was killed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/session_state.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/log.h"

/* Does anybody listen to what audit multicasts, as journald does? text: /proc/net/netlink. Pure. */
bool audit_session_is_heard(struct bytes text);
bool audit_session_is_heard_now(void);

/* What could be done here; changes nothing. Fills fd (closed again), owner, blind_*. */
int audit_session_probe(const char *state_dir, struct audit_session *ret, struct err *err);

/* Whose audit is: "auditd (pid 612)", "another culprit"; empty: nobody's but ours. */
void audit_session_taken_by(const struct audit_session *s, char *ret, size_t size);

/* alone: only where it is nobody else's.
 * -EPERM: not permitted, or the rules are locked until the next boot (enabled 2); -EBUSY: somebody else's. */
int audit_session_open(struct audit_session *s, const struct log *log, const char *state_dir, bool alone,
                       struct err *err);

/* What has come, as audit_stream_receive() has it. */
int audit_session_receive(struct audit_session *s, unsigned max,
                          void (*each)(void *data, uint16_t type, const char *payload, size_t len), void *data);

/* What a look has found. */
struct audit_session_changes {
    uint32_t lost; /* records that the kernel has lost since the last look */
    bool off;      /* somebody had switched audit off; it is on again */
    bool moved;    /* somebody else has taken the stream, and it was ours */
    bool taken;    /* nobody had it for a while: it is ours now */
};
int audit_session_check(struct audit_session *s, struct audit_session_changes *ret, struct err *err);
/* auditd is starting: the stream is to be given away. Does not block. */
bool audit_session_is_awaited(struct audit_session *s);
/* Let go and listen beside; nothing is lost. 0 also where it is not ours. */
int audit_session_yield(struct audit_session *s, struct err *err);

/* A record that comes back through the stream behind everything that happened before. */
int audit_session_mark(struct audit_session *s, const char *text);

/* What culprits that were killed left in the kernel, and what is undone now. */
struct audit_left {
    unsigned rules;    /* so many */
    unsigned settings; /* AUDIT_STATUS_ENABLED, _BACKLOG_LIMIT, _RATE_LIMIT: those that were put back */
};
/* Undoes it; one that runs keeps what it needs. May be called by whoever does not use audit. -EPERM and others: audit
 * cannot be asked here. */
int audit_session_recover(const char *state_dir, const struct log *log, struct audit_left *ret);

/* Call after all rules are gone. */
void audit_session_close(struct audit_session *s);
