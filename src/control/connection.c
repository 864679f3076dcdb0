/* SPDX-License-Identifier: MIT */
#include "control/connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/macro.h"

#define PIECE (16 * 1024)
#define KEPT_ROOM (64 * 1024) /* of a buffer that is empty: the rest is given back */

void control_connection_init(struct control_connection *c, int fd, size_t in_max)
{
    *c = (struct control_connection){ .fd = fd, .in_max = in_max };
}

void control_connection_done(struct control_connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -EBADF;
    sbuf_done(&c->in);
    sbuf_done(&c->out);
}

/* What was taken out goes. */
static void shift(struct control_connection *c)
{
    if (!c->in_at)
        return;
    memmove(c->in.data, c->in.data + c->in_at, c->in.len - c->in_at);
    sbuf_truncate(&c->in, c->in.len - c->in_at);
    c->in_seen -= MIN(c->in_seen, c->in_at);
    c->in_at = 0;
}

int control_connection_read(struct control_connection *c)
{
    shift(c);
    while (!c->ended && c->in.len <= c->in_max) {
        char *room = sbuf_room(&c->in, PIECE);
        ssize_t n;

        if (!room)
            return -ENOMEM;
        n = recv(c->fd, room, PIECE, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (n < 0)
            return -errno;
        c->ended = n == 0;
        sbuf_added(&c->in, (size_t)n);
    }
    /* full: that is fine as long as it begins with a whole message */
    return c->in.len > c->in_max && !memchr(c->in.data, '\0', c->in.len) ? -EMSGSIZE : 0;
}

bool control_connection_next(struct control_connection *c, struct bytes *ret)
{
    const char *end;

    if (c->in_seen < c->in_at)
        c->in_seen = c->in_at;
    end = c->in.len > c->in_seen ? memchr(c->in.data + c->in_seen, '\0', c->in.len - c->in_seen) : NULL;
    if (!end) {
        c->in_seen = c->in.len;
        return false;
    }
    *ret = (struct bytes){ c->in.data + c->in_at, (size_t)(end - c->in.data) - c->in_at };
    c->in_at = (size_t)(end - c->in.data) + 1;
    return true;
}

int control_connection_write(struct control_connection *c)
{
    while (control_connection_waiting(c)) {
        ssize_t n = send(c->fd, c->out.data + c->out_at, control_connection_waiting(c), MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0)
            return -errno;
        c->out_at += (size_t)n;
    }
    if (!control_connection_waiting(c)) {
        if (c->out.size > KEPT_ROOM)
            sbuf_done(&c->out);
        else
            sbuf_clear(&c->out);
        c->out_at = 0;
    } else if (c->out_at > c->out.len / 2) {
        size_t left = control_connection_waiting(c);

        memmove(c->out.data, c->out.data + c->out_at, left);
        sbuf_truncate(&c->out, left);
        c->out_at = 0;
    }
    return sbuf_error(&c->out);
}
