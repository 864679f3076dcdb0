/* SPDX-License-Identifier: MIT */
/*
 * Our place at the kernel's audit system: owner of the stream if nobody else is, else a listener
 * beside the owner. What is changed for that is written down (state_dir) and put back by the last
 * culprit that leaves, also after one was killed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/netlink.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/log.h"

struct audit_session {
    const struct log *log;
    const char *state_dir;
    int fd; /* for requests */
    struct audit_stream *stream;
    /* the one before it, for a while: what comes by both is handed on once */
    struct audit_stream *before;
    struct audit_overlap *overlap;
    uint64_t overlap_until_ms; /* CLOCK_MONOTONIC */
    int poll_fd;            /* readable when there is something to read, or auditd starts */
    int newcomer;           /* audit_newcomer_open(), or -errno */
    uint64_t nobody_since_ms; /* CLOCK_MONOTONIC: since then the stream is nobody's; 0 = it is somebody's */
    bool owner;             /* else reading the multicast group */
    uint32_t owner_pid;     /* whose the stream is, 0 = nobody's */
    char owner_name[17];    /* comm, escaped */
    bool shared;            /* another culprit has changed its settings, and goes on needing them */
    bool others;            /* other culprits run: they may need the settings that we found changed */
    uint32_t lost;          /* the kernel's counter when it was last looked at */

    /* as found by the first culprit of this boot */
    struct audit_status original;

    /*
     * A process gets an audit context when it is forked, if auditing was ever enabled by then
     * (audit_alloc, kernel/auditsc.c): older ones are invisible. CLOCK_BOOTTIME; 0 = none is.
     */
    uint64_t blind_before_ns;
    bool blind_unknown; /* enabled by somebody else, not known when */
};

/* True if the kernel's command line switches auditing on: audit=1 or audit=on, the last one counts. Pure. */
bool audit_boot_option(struct bytes line);

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
