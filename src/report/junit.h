/* SPDX-License-Identifier: MIT */
/* JUnit's XML, as CI systems read it: one test case a target, which fails where something changed. */
#pragma once

#include "report/case.h"

struct junit {
    struct bytes *targets;       /* as the user wrote them */
    struct case_ **cases;        /* what happened to each; their options say quiet */
    size_t count;
    struct case_ *all;           /* the same of all targets, with gaps and coverage */
    struct bytes command;        /* as one line */
    int command_status;          /* -1 = it did not end */
    uint64_t began_ns;           /* CLOCK_REALTIME */
    uint64_t took_ns;
};

/* A target that did not change is an error where events were lost: nobody knows. */
void junit_write(struct sbuf *out, const struct junit *j);
