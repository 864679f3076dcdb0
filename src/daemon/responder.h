/* SPDX-License-Identifier: MIT */
/*
 * A process that does something to a culprit for the daemon, which has given away what that needs by then. It ends with the daemon. One
 * message each way is one datagram. What it acts on is looked at while a descriptor of the process is held, so that it is nobody else.
 */
#pragma once

#include <stdint.h>

#include "sink/message.h"
#include "util/err.h"

enum response_kind {
    RESPONSE_NONE,
    RESPONSE_EXEC,
    RESPONSE_FREEZE,
    RESPONSE_KILL,
};

struct response_order {
    uint32_t kind;     /* enum response_kind */
    int32_t pid;
    uint64_t start_ns; /* of that process, CLOCK_BOOTTIME */
    uint32_t row;      /* whose limit it is of: comes back */
    uint32_t severity;
    uint32_t words;    /* EXEC: bytes of the command, each word ended by a NUL; then the alert's line */
    char id[SINK_ID];  /* of the alert */
    char data[SINK_MESSAGE_MAX];
};

struct response_report {
    uint32_t row, done; /* done 0: nothing was */
    char id[SINK_ID];
    char text[512];     /* what was done, or why not; escaped */
};

/* With one thread, and before privileges are given away. *ret_socket: SOCK_SEQPACKET, non-blocking. */
int responder_start(int *ret_socket, struct err *err);
