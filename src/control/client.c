/* SPDX-License-Identifier: MIT */
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"

int control_connect(const char *path, struct control_asker *ret, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path), r;
    _cleanup_close_ int fd = -EBADF;
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (n < 0 || (size_t)n >= sizeof(address.sun_path))
        return err_set(err, -ENAMETOOLONG, "%.200s", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, -errno, "socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        r = errno == EAGAIN ? -EBUSY : -errno;
        return err_set(err, r, "%.200s", path);
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return err_set(err, -errno, "%.200s", path);
    if (peer.uid != 0 && peer.uid != geteuid())
        return err_say(err, -EPERM, "%.200s: whoever listens there is not root (uid %u)", path, peer.uid);
    control_connection_init(&ret->connection, TAKE_FD(fd), LIMIT_CONTROL_REPLY);
    ret->daemon = peer.pid;
    return 0;
}

void control_disconnect(struct control_asker *a)
{
    control_connection_done(&a->connection);
}

struct sbuf *control_asker_out(struct control_asker *a)
{
    return &a->connection.out;
}

/* True: it is ready for it, or gone. */
static bool wait_for(struct control_asker *a, short events, uint64_t until_ns)
{
    for (;;) {
        struct pollfd fd = { .fd = a->connection.fd, .events = events };
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        int n = poll(&fd, 1, now < until_ns ? (int)MIN((until_ns - now) / NS_PER_MS + 1, 1000u) : 0);

        if (n > 0)
            return true;
        if (now >= until_ns)
            return false;
    }
}

int control_send(struct control_asker *a, unsigned timeout_ms, struct err *err)
{
    uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;
    int r = sbuf_error(&a->connection.out);

    while (r == 0 && control_connection_waiting(&a->connection)) {
        r = control_connection_write(&a->connection);
        if (r == 0 && control_connection_waiting(&a->connection) && !wait_for(a, POLLOUT, until_ns))
            r = -ETIMEDOUT;
    }
    return r < 0 ? err_set(err, r, "asking the daemon") : 0;
}

int control_receive_now(struct control_asker *a, struct control_reply *ret, struct err *err)
{
    struct bytes text;
    int r;

    if (control_connection_next(&a->connection, &text))
        return control_reply_parse(text, ret, err);
    r = control_connection_read(&a->connection);
    if (r < 0)
        return err_set(err, r, "the daemon's answer");
    if (control_connection_next(&a->connection, &text))
        return control_reply_parse(text, ret, err);
    return a->connection.ended ? err_say(err, -ECONNRESET, "the daemon has ended") : -EAGAIN;
}

int control_receive(struct control_asker *a, unsigned timeout_ms, struct control_reply *ret, struct err *err)
{
    uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;
    int r;

    while ((r = control_receive_now(a, ret, err)) == -EAGAIN)
        if (!wait_for(a, POLLIN, until_ns))
            return err_say(err, -ETIMEDOUT, "the daemon does not answer");
    return r;
}

struct bytes control_error_text(const struct control_reply *reply)
{
    struct bytes text = control_text(reply->parameters, "message");

    return text.len ? text : reply->error;
}
