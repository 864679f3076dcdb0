/* SPDX-License-Identifier: MIT */
#include "sensor/process/connector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* A fork storm of some 10,000 events fits while the loop is busy elsewhere. */
#define RECEIVE_BUFFER (8 * 1024 * 1024)

struct connector {
    struct tracker_options options;
    int fd;
    uint64_t last_ns; /* CLOCK_REALTIME of the last good read: where a gap begins */
};

static int listen_to(int fd, enum proc_cn_mcast_op op)
{
    struct {
        struct nlmsghdr header;
        struct cn_msg message;
        enum proc_cn_mcast_op op;
    } __attribute__((packed)) request = {
        .header = { .nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE, .nlmsg_pid = 0 },
        .message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(request.op) },
        .op = op,
    };

    return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

void connector_ask_for_credentials_only(int fd)
{
    const uint32_t what = NLMSG_HDRLEN + sizeof(struct cn_msg) + offsetof(struct proc_event, what);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, what),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_UID), 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_GID), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int connector_open(const struct tracker_options *options, void **ret, struct err *err)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
    int size = RECEIVE_BUFFER, r;
    struct connector *c = calloc(1, sizeof(*c));

    if (!c)
        return err_set(err, -ENOMEM, "process connector");
    c->options = *options;
    c->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    r = c->fd < 0 ? -errno : 0;
    if (r == 0) {
        if (setsockopt(c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
            (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        if (bind(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
            r = -errno;
    }
    if (r == 0 && options->credentials_only)
        connector_ask_for_credentials_only(c->fd);
    if (r == 0)
        r = listen_to(c->fd, PROC_CN_MCAST_LISTEN);
    if (r < 0) {
        if (c->fd >= 0)
            close(c->fd);
        free(c);
        return err_set(err, r, "process connector");
    }
    c->last_ns = clock_ns(CLOCK_REALTIME);
    *ret = c;
    return 0;
}

static int connector_fd(const void *context)
{
    return ((const struct connector *)context)->fd;
}

int connector_decode(const void *data, size_t len, struct process_event *ret)
{
    struct process_event event = { 0 };
    struct cn_msg message;
    struct proc_event raw = { 0 };
    size_t size;

    if (len < sizeof(message))
        return -EBADMSG;
    memcpy(&message, data, sizeof(message));
    if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC)
        return 0;
    size = MIN((size_t)message.len, len - sizeof(message));
    if (size < offsetof(struct proc_event, event_data))
        return -EBADMSG;
    memcpy(&raw, (const char *)data + sizeof(message), MIN(size, sizeof(raw)));
    /* since 3.x the kernel stamps with ktime_get_ns(): CLOCK_MONOTONIC; the caller converts */
    event.boot_ns = raw.timestamp_ns;
    switch ((unsigned)raw.what) {
    case PROC_EVENT_FORK:
        if (raw.event_data.fork.child_pid != raw.event_data.fork.child_tgid)
            return 0; /* a thread */
        event.kind = PROCESS_FORK;
        event.pid = raw.event_data.fork.child_tgid;
        event.parent_pid = raw.event_data.fork.parent_tgid;
        break;
    case PROC_EVENT_EXEC:
        event.kind = PROCESS_EXEC;
        event.pid = raw.event_data.exec.process_tgid;
        break;
    case PROC_EVENT_EXIT:
        if (raw.event_data.exit.process_pid != raw.event_data.exit.process_tgid)
            return 0;
        event.kind = PROCESS_EXIT;
        event.pid = raw.event_data.exit.process_tgid;
        break;
    case PROC_EVENT_UID:
    case PROC_EVENT_GID:
        event.kind = PROCESS_CRED;
        event.pid = raw.event_data.id.process_tgid;
        break;
    case PROC_EVENT_COMM:
        if (raw.event_data.comm.process_pid != raw.event_data.comm.process_tgid)
            return 0;
        event.kind = PROCESS_COMM;
        event.pid = raw.event_data.comm.process_tgid;
        break;
    default:
        return 0;
    }
    *ret = event;
    return 1;
}

static void emit_gap(struct connector *c)
{
    struct gap gap = { .reason = LOST_PROCESS_EVENTS,
                       .from_ns = c->last_ns,
                       .to_ns = clock_ns(CLOCK_REALTIME) };

    snprintf(gap.text, sizeof(gap.text),
             c->options.credentials_only
                 ? "news of changed user ids; those of actors of that moment may be older"
                 : "news of processes; short-lived actors of that moment may stay unnamed");
    c->options.sink.gap(c->options.sink.data, &gap);
}

static int connector_dispatch(void *context, struct err *err)
{
    struct connector *c = context;
    _Alignas(struct nlmsghdr) char buffer[16 * 1024];

    for (;;) {
        ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);
        const struct nlmsghdr *header = (const void *)buffer;
        size_t left;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == ENOBUFS) {
            emit_gap(c);
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (n < 0)
            return err_set(err, -errno, "process connector");
        /* CLOCK_BOOTTIME and CLOCK_MONOTONIC differ by the time spent suspended */
        for (left = (size_t)n; left >= sizeof(*header) && header->nlmsg_len >= sizeof(*header) &&
                               header->nlmsg_len <= left;) {
            size_t step = NLMSG_ALIGN(header->nlmsg_len);
            struct process_event event;

            if (connector_decode((const char *)header + NLMSG_HDRLEN,
                                 header->nlmsg_len - NLMSG_HDRLEN, &event) > 0 &&
                (!c->options.credentials_only || event.kind == PROCESS_CRED)) {
                event.boot_ns += clock_ns(CLOCK_BOOTTIME) - clock_ns(CLOCK_MONOTONIC);
                c->options.sink.process(c->options.sink.data, &event);
            }
            if (step >= left)
                break;
            left -= step;
            header = (const void *)((const char *)header + step);
        }
        c->last_ns = clock_ns(CLOCK_REALTIME);
    }
}

static void connector_close(void *context)
{
    struct connector *c = context;

    (void)listen_to(c->fd, PROC_CN_MCAST_IGNORE);
    close(c->fd);
    free(c);
}

const struct tracker_ops connector_tracker_ops = {
    .name = "process connector",
    .weakness = "actors that exit within microseconds of their start may stay unnamed",
    .open = connector_open,
    .fd = connector_fd,
    .dispatch = connector_dispatch,
    .close = connector_close,
};
