/* SPDX-License-Identifier: MIT */
/*
 * The container's own log: a line into the pipe that its first process has as standard error, for containers that ask for it by the label
 * culprit.log=true, and log drivers other than journald. At most PIPE_BUF bytes, so that it is never within another line, nor half of one.
 * Nobody waits for whoever reads there: what does not fit is dropped.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "foreign/pipe.h"
#include "sink/container_line.h"
#include "sink/sink.h"
#include "util/cleanup.h"
#include "util/escape.h"

#define FULL_MS 1000 /* whoever reads may have something to do */

void sink_container_line(const struct sink_message *m, struct sbuf *out)
{
    static const char more[] = "…";
    _cleanup_sbuf_ struct sbuf end = SBUF_INIT;
    size_t room;

    sbuf_addf(&end, " (alert %.8s, %llu event%s)\n", m->id, (unsigned long long)m->events, m->events == 1 ? "" : "s");
    sbuf_addf(out, "culprit: [%s%s] ", severity_name(m->severity), alert_state_words(m->state));
    room = PIPE_BUF - out->len - end.len - strlen(more);
    sbuf_add_bytes(out, bytes_cut(m->sentence, room)); /* which is escaped */
    if (m->sentence.len > room)
        sbuf_add_str(out, more);
    sbuf_add_bytes(out, sbuf_bytes(&end));
}

static int put(int fd, struct bytes line)
{
    struct pollfd ready = { fd, POLLOUT, 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    if (write(fd, line.data, line.len) >= 0)
        return 0;
    if (errno != EAGAIN)
        return -errno;
    (void)poll(&ready, 1, FULL_MS);
    return write(fd, line.data, line.len) < 0 ? -errno : 0;
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT, name = SBUF_INIT;
    _cleanup_close_ int fd = -EBADF;
    struct err why = ERR_INIT;
    int r;

    (void)s;
    fd = foreign_pipe_open(m->container_pid, STDERR_FILENO, m->container_id, &why);
    if (fd == -ESRCH) /* a container that has ended has no log that grows */
        return 0;
    sink_container_line(m, &line);
    r = fd < 0 ? fd : sbuf_error(&line);
    if (r == 0 && (r = put(fd, sbuf_bytes(&line))) == 0)
        return 0;
    escape_terminal(&name, bytes_cut(m->container_name, 64));
    if (r == -ENOTSUP)
        return err_say(err, SINK_DROP, "container %s has a terminal or a file as its standard error: its log is not written to", sbuf_str(&name));
    return err_say(err, SINK_DROP, "container %s: %s", sbuf_str(&name), r == -EAGAIN ? "its log is full, nobody reads it" : err_text(&why, r));
}

static bool wants(const struct sink_message *m)
{
    return m->container_log && m->container_pid > 0;
}

const struct sink_ops sink_container = { "container", 0, 0, "nothing", NULL, deliver, false, 0, wants };
