/* SPDX-License-Identifier: MIT */
/* A message about an alert as sinks get it: between the daemon and a sink's process, and in its spool. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/severity.h"
#include "util/bytes.h"
#include "util/sbuf.h"

#define SINK_MESSAGE_MAX (160 * 1024) /* bytes: the line of an alert and what is beside it */
#define SINK_ID 33

struct sink_message {
    enum alert_state state;
    enum severity severity;
    uint64_t events;
    uint64_t first_ns;       /* CLOCK_REALTIME */
    bool test;               /* nothing happened: somebody tries whether it arrives */
    char id[SINK_ID];
    struct bytes host, watch, container_id, container_name; /* empty: none */
    pid_t container_pid;     /* its first process; 0: it does not run, or there is no container */
    bool container_log;      /* it asks for a line in its log */
    struct bytes pod_namespace, pod_name, pod_uid; /* empty: none */
    struct bytes sentence;   /* one line for people */
    struct bytes line;       /* JSON with a newline */
};

/* As bytes of this machine's order, added to `out`: for the spool of the same machine. */
void sink_message_write(const struct sink_message *m, struct sbuf *out);
/* Views into `text`. -EBADMSG: it is none, or of another version. */
int sink_message_read(struct bytes text, struct sink_message *ret);
