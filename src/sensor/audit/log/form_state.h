/* SPDX-License-Identifier: MIT */
/* What a log in a foreign form has been so far. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "util/sbuf.h"

struct audit_form {
    time_t now;             /* for stamps without a year; CLOCK_REALTIME, seconds */
    uint64_t serial;        /* made up so far */
    uint64_t made_ms;       /* the time of the event that has it */
    bool made_syscall;      /* its system call's record was there: another one begins the next event */
    bool separated;         /* ausearch wrote it: it puts the records of an event in the reverse order */
    struct sbuf title;      /* the event's last record, which came first */
    struct sbuf entry;      /* the lines of a journal entry in export format, until it ends */
    char length[8];         /* of a field of it that is no text: what came of that number so far */
    unsigned length_have;
    bool binary;            /* it is in such a field */
    uint64_t binary_left;   /* its bytes and its newline, once its length is known */
    struct sbuf scratch;
};
