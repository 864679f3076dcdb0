/* SPDX-License-Identifier: MIT */
/* The control socket's answers as they are kept, for the files of control. One thread. */
#pragma once

#include "daemon/answering.h"
#include "daemon/control_options.h"
#include "daemon/viewing.h"

/* Somebody waits for an answer. */
struct waiting_call {
    struct waiting_call *next;
    struct control_client *client;
    enum { PENDING_RELOAD, PENDING_CHANGE, PENDING_FLUSH, PENDING_TEST } kind;
    uint64_t since_ns;       /* CLOCK_REALTIME */
    bool emitted;            /* flush: all is with the store */
    uint64_t mark;           /* what it has to have */
    bool began;              /* reload: it counts from here on */
    struct transient *added; /* change: NULL: of a removal */
};

struct control {
    struct control_options options;
    struct control_server *server;
    struct pipeline *pipeline;
    struct waiting_call *pending;
    struct viewing viewing;
    struct answering answering;
    bool ending;
    bool stale;              /* transient watches have changed, and what is armed has not */
};
