/* SPDX-License-Identifier: MIT */
/* Every place that can lose an event has a row here, a counter, and a gap in the output. Stored: never reuse a number. */
#pragma once

enum lost {
    LOST_NONE = 0,
    LOST_RING_FULL = 1,      /* BPF ring buffer */
    LOST_MAP_FULL = 2,       /* BPF map that carries state from entry to exit */
    LOST_PATH = 3,           /* path could not be read or is longer than the buffer */
    LOST_AUDIT_KERNEL = 4,   /* the kernel's own `lost` counter of AUDIT_GET grew */
    LOST_AUDIT_SOCKET = 5,   /* ENOBUFS on the netlink socket */
    LOST_AUDIT_DAMAGED = 6,  /* a record that could not be decoded, or an event that never got complete */
    LOST_FANOTIFY_QUEUE = 7, /* FAN_Q_OVERFLOW */
    LOST_PROCESS_EVENTS = 8, /* fork/exec/exit stream: names of actors may be missing, changes are not */
    LOST_STORE = 9,          /* could not be written to the database */
    LOST_WATCH_WINDOW = 10,  /* nothing was watched for a moment (a mount made anew, a rule replaced) */
    LOST_UNREAD = 11,        /* still waiting in the kernel when the observation ended */
    LOST_KILLED = 12,        /* culprit ended without a word: what it had not written yet is missing */
    LOST_UNANSWERED = 13,    /* a file system below what is watched does not answer: nothing on it was looked at */
    LOST_VIEWER = 14,        /* by one who looks on at the daemon, since he did not read; the record has it */
    LOST_HEARTBEAT = 15,     /* the daemon's own test did not come back right: what happened then may not have been seen */
    LOST_SENSOR = 16,        /* a sensor says that it cannot read what it is to read, for a time */
    LOST_ENGINE = 17,        /* a container engine does not answer: containers that start may not be known; changes are */
    LOST_AUDIT_NUMBERS = 18, /* events whose numbers a log does not have: lost, or left out by who saved it */
    LOST_COUNT
};
