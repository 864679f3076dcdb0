/* SPDX-License-Identifier: MIT */
/* Whoever asks the daemon: waits for its answers, within a time. One thread. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "control/call.h"
#include "control/connection.h"

struct control_asker {
    struct control_connection connection;
    pid_t daemon;
};

/* -ENOENT, -ECONNREFUSED: no daemon runs; -EACCES: one may, and we may not ask; -EPERM: whoever listens there is neither root
 * nor us. */
int control_connect(const char *path, struct control_asker *ret, struct err *err);
void control_disconnect(struct control_asker *a); /* what was never connected is fine */
#define CONTROL_ASKER_INIT ((struct control_asker){ .connection = { .fd = -EBADF } })

/* The call is written to control_asker_out() between control_call_begin() and _end(). -ETIMEDOUT. */
struct sbuf *control_asker_out(struct control_asker *a);
int control_send(struct control_asker *a, unsigned timeout_ms, struct err *err);
/* The next reply. -ETIMEDOUT; -ECONNRESET: the daemon has ended; -EBADMSG. An error of the daemon's is a reply. */
int control_receive(struct control_asker *a, unsigned timeout_ms, struct control_reply *ret, struct err *err);
/* The same of what is there by now: -EAGAIN, there is none. */
int control_receive_now(struct control_asker *a, struct control_reply *ret, struct err *err);
/* What an error says for people: its message, or its name. */
struct bytes control_error_text(const struct control_reply *reply);
