/* SPDX-License-Identifier: MIT */
/* Our place at the kernel's audit system, as it is kept: for the files of session; others read it. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/netlink.h"
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
