/* SPDX-License-Identifier: MIT */
/* What alert_sinks.c (messages), alert_sinks_start.c (from the configuration) and alert_sinks_status.c (what is said of them) share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/alert_sinks_options.h"
#include "sink/process.h"
#include "util/arena.h"

struct queued {
    struct queued *next;
    size_t len;
    char data[];
};

struct alert_sink {
    struct sink_settings settings; /* texts in the arena */
    int socket;
    struct queued *first, *last;
    size_t queued_bytes;
    uint64_t dropped;              /* here, since its process does not read */
    uint64_t said_dropped, said_delivered;
    bool said_failing;
    struct sink_report report;
    struct sink_report before;     /* counts of its processes that have died */
    struct {
        enum { TEST_NONE, TEST_WAITS, TEST_ARRIVED, TEST_FAILED } state;
        uint64_t failures, dropped, until_ns; /* counts at its beginning */
        uint32_t tests;
        uint64_t begun_ns, took_ns;
    } test;
};

struct alert_sinks {
    struct alert_sinks_options options;
    struct arena arena;
    struct alert_sink *sinks;
    unsigned count, size;
};

/* What it and its processes have counted until now, those that have died too: the same for all who ask. */
struct sink_report alert_sink_counts(const struct alert_sink *one);
/* Not a moment's failure. */
bool alert_sink_is_failing(const struct alert_sink *one);
