/* SPDX-License-Identifier: MIT */
/*
 * systemd-journald, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). An alert about a container's files is an entry of the
 * container's own as well, so that `docker logs`, with the journald driver, `podman logs` and journalctl CONTAINER_NAME= show it. With
 * CONTAINER_ID_FULL the priority is 3 or 6: podman logs ends at any other, docker shows no other (measured: podman 4.3.1, docker 20.10).
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sink/sink.h"
#include "util/cleanup.h"

#define SOCKET "/run/systemd/journal/socket"
#define MESSAGE_ID "8a1c7f0d2b5e4a6c9f3d1e7b5c2a4d60"
#define DATAGRAM_MAX (128 * 1024) /* net.core.wmem_default is 208 kB; a longer line is left out, the sentence is not */

/* A value may hold any byte. */
static void add(struct sbuf *out, const char *name, struct bytes value)
{
    uint64_t len = htole64(value.len);

    if (!value.len)
        return;
    sbuf_add_str(out, name);
    sbuf_add_char(out, '\n');
    sbuf_add(out, (const char *)&len, sizeof(len));
    sbuf_add_bytes(out, value);
    sbuf_add_char(out, '\n');
}

static void add_container(struct sbuf *out, const struct sink_message *m)
{
    add(out, "CONTAINER_ID_FULL", m->container_id);
    add(out, "CONTAINER_ID", (struct bytes){ m->container_id.data, MIN(m->container_id.len, (size_t)12) });
    add(out, "CONTAINER_NAME", m->container_name);
}

static void write_entry(const struct sink_message *m, struct sbuf *out)
{
    struct bytes line = m->line;
    char number[24];

    if (line.len && line.data[line.len - 1] == '\n')
        line.len--;
    add(out, "MESSAGE", m->sentence);
    add(out, "MESSAGE_ID", bytes_of(MESSAGE_ID));
    add(out, "PRIORITY", bytes_of(m->severity >= SEVERITY_HIGH ? "3" : "6"));
    add(out, "SYSLOG_IDENTIFIER", bytes_of("culprit"));
    add_container(out, m);
    add(out, "CULPRIT_ALERT", bytes_of(m->id));
    add(out, "CULPRIT_STATE", bytes_of(alert_state_name(m->state)));
    add(out, "CULPRIT_SEVERITY", bytes_of(severity_name(m->severity)));
    snprintf(number, sizeof(number), "%llu", (unsigned long long)m->events);
    add(out, "CULPRIT_EVENTS", bytes_of(number));
    add(out, "CULPRIT_WATCH", m->watch);
    add(out, "CULPRIT_TEST", m->test ? bytes_of("1") : BYTES_NULL);
    if (out->len + line.len < DATAGRAM_MAX)
        add(out, "CULPRIT_JSON", line);
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = SOCKET };
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    _cleanup_sbuf_ struct sbuf entry = SBUF_INIT;
    int r = fd < 0 ? -errno : 0;

    if (s->to_count)
        snprintf(to.sun_path, sizeof(to.sun_path), "%s", s->to[0].data);
    write_entry(m, &entry);
    if (r == 0)
        r = sbuf_error(&entry);
    if (r == 0)
        r = sink_become(BYTES_NULL, err);
    if (r == 0 && sendto(fd, entry.data, entry.len, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to)) < 0)
        r = -errno;
    return r < 0 ? err_set(err, r, "%.100s", to.sun_path) : 0;
}

static int check(struct bytes to, struct err *err)
{
    if (to.len && to.data[0] == '/' && to.len < sizeof(((struct sockaddr_un *)0)->sun_path))
        return 0;
    return err_say(err, -EINVAL, "a socket's path begins with / and is shorter than 108 bytes");
}

const struct sink_ops sink_journal = { "journal", 0, 1, "nothing, or the path of journald's socket", check, deliver, false, 0, NULL };
