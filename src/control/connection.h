/* SPDX-License-Identifier: MIT */
/*
 * One end of a control connection: messages that end in a NUL, read and written without ever waiting. What comes in and
 * what waits to go out are bounded. One thread.
 */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

struct control_connection {
    int fd;            /* owned, does not block */
    struct sbuf in, out;
    size_t in_at, in_seen; /* in `in`: where the next message begins; up to where there is no NUL */
    size_t out_at;         /* in `out`: what has gone */
    size_t in_max;         /* bytes of one message */
    bool ended;            /* the other end sends no more */
};

/* fd: the connection's from now on: control_connection_done() closes it. in_max: bytes of a message. */
void control_connection_init(struct control_connection *c, int fd, size_t in_max);
void control_connection_done(struct control_connection *c);

/* Takes what is there, as far as there is room. 0, also where nothing is there or the other end has ended; -EMSGSIZE: a
 * message that is longer than in_max; -errno: the connection is broken. */
int control_connection_read(struct control_connection *c);
/* The next message without its NUL; it is valid until the next read. */
bool control_connection_next(struct control_connection *c, struct bytes *ret);

/* Writes of `out` what is taken at once. 0, or -errno: the connection is broken. */
int control_connection_write(struct control_connection *c);
/* Bytes that wait to go out. */
static inline size_t control_connection_waiting(const struct control_connection *c)
{
    return c->out.len - c->out_at;
}
