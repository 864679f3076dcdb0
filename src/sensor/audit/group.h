/* SPDX-License-Identifier: MIT */
/*
 * Records to events: the records of one event carry the same (node, time, serial) and may
 * interleave with those of others. Used on the netlink stream (bytes are copied: its buffers are
 * reused) and on log files (views stay valid: nothing is copied). One thread; bounded.
 *
 * A group is complete at EOE, or at PROCTITLE (auditd drops EOE, and PROCTITLE is the kernel's last
 * record before it), or at once for messages that are alone by their type (user messages). Records
 * can be lost: what never gets complete is handed out after the time-out and marked. What comes of a group that was handed out
 * before is a group of its own.
 * Groups come out in order of their serial numbers as far as they were open together; one without a system
 * call's record keeps none back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/record.h"

struct audit_group {
    uint64_t time_ms;
    uint64_t serial;
    struct bytes node;
    const struct audit_record *records; /* in order of arrival; EOE is not among them */
    unsigned count;
    bool complete;   /* its end was seen */
    bool overflowed; /* more records than LIMIT_AUDIT_EVENT_RECORDS, or than there was memory for: some are missing */
};

/* The first record of that type, NULL if there is none. */
const struct audit_record *audit_group_find(const struct audit_group *group, unsigned type);

struct audit_grouper_options {
    bool copy;               /* the records' bytes do not outlive audit_grouper_add() */
    unsigned max_open;       /* events open at once, 0 = LIMIT_AUDIT_OPEN_EVENTS; the oldest gives way */
    /* A system call's event that lacks paths it announced ("items=") is not given up for its age before so many
     * turns, 0 = at once: a call that blocked has an old stamp among those of others. */
    unsigned patience;
    /* Called for each group in order; the group and its bytes are valid during the call only. */
    void (*group)(void *data, const struct audit_group *group);
    void *data;
};

struct audit_grouper;

/* NULL: out of memory. */
struct audit_grouper *audit_grouper_new(const struct audit_grouper_options *options);
void audit_grouper_free(struct audit_grouper *grouper); /* NULL is fine; hands nothing out */

/* Whatever is complete by it is handed out. `now_ms` is a clock of the caller's choice (monotonic
 * for a stream; the record's own time for a log). -ENOMEM: the record is lost, and there is no group that lacks it. */
int audit_grouper_add(struct audit_grouper *grouper, const struct audit_record *record,
                      uint64_t now_ms);
/* A record of another event than the one before came by, whether it is added or not. */
void audit_grouper_turn(struct audit_grouper *grouper);
/* Hand out what has been open for at least timeout_ms; 0 = everything. */
void audit_grouper_expire(struct audit_grouper *grouper, uint64_t now_ms, uint64_t timeout_ms);
/* Hand out what is open of that machine ("": of records that name none): nothing of it comes any more. */
void audit_grouper_end(struct audit_grouper *grouper, struct bytes node);
/* Events that wait for more records. */
unsigned audit_grouper_open_count(const struct audit_grouper *grouper);
/* The earliest time_ms of them; UINT64_MAX: there is none. */
uint64_t audit_grouper_oldest(const struct audit_grouper *grouper);
