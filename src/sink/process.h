/* SPDX-License-Identifier: MIT */
/*
 * One sink's process. It takes messages from its socket at once and puts them into its spool; a child of it delivers the oldest, with a
 * deadline. What fails is tried again, later and later (1 s to 5 minutes, a quarter more or less by chance). A process above it starts it
 * again should it die. It ends when the daemon does, after a last try.
 */
#pragma once

#include "sink/sink.h"

/* What the daemon gets from it, a datagram each time that something changed; all are since it began. */
struct sink_report {
    uint64_t delivered, failures, dropped, waiting;
    uint32_t run;       /* which process it is of: counts begin anew with each */
    uint32_t in_a_row;  /* failures since the last success */
    uint32_t tests;     /* messages of tests that were delivered */
    uint32_t broken;    /* 1: nothing is kept for the sink, since its spool cannot be opened or its process died */
    char text[200];     /* the last failure, escaped; "" : none since */
};

#define SINK_RETRY_MIN_NS (1 * NS_PER_S)
#define SINK_RETRY_MAX_NS (300 * NS_PER_S)

/* Pure: after so many failures in a row; chance: any number. */
uint64_t sink_retry_ns(unsigned failures, uint64_t chance);

/* Forks it; with one thread, and before privileges are given away. *ret_socket: SOCK_SEQPACKET, non-blocking. Settings are borrowed until
 * it returns. -errno */
int sink_start(const struct sink_settings *settings, int *ret_socket, struct err *err);
