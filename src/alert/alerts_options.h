/* SPDX-License-Identifier: MIT */
/* What alerts are made with, and what is counted of them. */
#pragma once

#include "alert/alert.h"
#include "alert/expect.h"
#include "alert/silence.h"
#include "event/ecs.h"

struct alerts_options {
    const struct ecs_host *host; /* borrowed for the whole life */
    const struct bytes *own;     /* paths of culprit's own files; the same */
    unsigned own_count;
    void *data;
    void (*emit)(void *data, const struct alert *alert);
    /* An event that is a part of the alert of that id (32 hexadecimal digits); NULL is fine */
    void (*reported)(void *data, const struct event *event, const char *id);
    void (*silence_ended)(void *data, uint32_t number); /* NULL is fine */
};

struct alerts_counts {
    uint64_t seen, reported, silenced;
    uint64_t expected[EXPECTED_COUNT];
    uint64_t begun[SEVERITY_COUNT]; /* matters, by the severity that they had then */
    uint64_t emitted;               /* messages */
    uint64_t crowded;               /* events of more matters than are kept apart: they are one */
    unsigned open;
};
