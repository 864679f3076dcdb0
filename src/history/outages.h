/* SPDX-License-Identifier: MIT */
/*
 * What a log says of its own holes: auditd stopped, killed or started anew, auditing switched off,
 * records that the kernel has counted as lost. Fed with the records that say so, in order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

#define OUTAGES_MAX 32

enum outage_kind {
    OUTAGE_STOPPED,  /* auditd ended in an orderly way, as at a shutdown, until it started again */
    OUTAGE_KILLED,   /* auditd started without having ended: crashed, killed, or the machine was */
    OUTAGE_DISABLED, /* audit_enabled=0: somebody switched auditing off */
    OUTAGE_LOST,     /* the kernel dropped records: backlog or rate limit */
};

struct outage {
    enum outage_kind kind;
    uint64_t count;          /* of records, OUTAGE_LOST */
    uint64_t from_ms, to_ms; /* to_ms 0 = until the end of the log */
};

struct outages {
    struct outage rows[OUTAGES_MAX];
    unsigned count;
    uint64_t beyond;   /* more of them: counted only */
    uint64_t lost;     /* records, in all */
    /* so far */
    uint64_t last_ms;  /* of the last record */
    uint64_t reported_lost; /* the kernel's counter at its last message */
    bool stopped, disabled;
};

/* Does a record of this type matter to outages_see()? */
static inline bool outages_want(int type)
{
    return (type >= 1200 && type <= 1299) || type == 1305 || type == 2000; /* daemon, CONFIG_CHANGE, KERNEL */
}

/* type: AUDIT_DAEMON_START ... `text` is the whole line. */
void outages_see(struct outages *o, int type, uint64_t time_ms, struct bytes text);
/* The kernel's own message, which syslog writes: "audit: audit_lost=4 audit_rate_limit=0 ...". Its
 * time is not read: it is after last_ms. True if it was one. */
bool outages_see_message(struct outages *o, struct bytes text);

/* Outages that ended before are dropped: an earlier reading has reported them. */
void outages_forget(struct outages *o);

/* "auditd was stopped", "auditing was switched off" ... */
const char *outage_text(enum outage_kind kind);
