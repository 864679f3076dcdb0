/* SPDX-License-Identifier: MIT */
#include "sensor/audit/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/audit/courier.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/macro.h"

#define ANSWER_MS 10000 /* on a machine that is out of breath */
#define SOON_MS 3000    /* the same for whoever must not wait */
#define SILENT_MS 100   /* and after one that was not answered, until one is */
#define BATCH 64
#define STREAM_BUFFER (32 * 1024 * 1024) /* 15,000 file operations; allocated by the kernel as it fills */
#define REQUEST_MAX 32768 /* bytes */
#define STATUS_OLD_SIZE offsetof(struct audit_status, feature_bitmap)

/* Foreign processes may send to our port: only the kernel (port 0) is believed. */
static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

int audit_netlink_open(struct err *err)
{
    struct sockaddr_nl self = { .nl_family = AF_NETLINK };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

    if (fd < 0 && errno == EPROTONOSUPPORT)
        return err_say(err, -EPROTONOSUPPORT, "this kernel is built without audit, or it is off (audit=0)");
    if (fd < 0)
        return err_set(err, -errno, "audit netlink socket");
    if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
        int r = -errno;

        close(fd);
        return err_set(err, r, "audit netlink socket");
    }
    return fd;
}

static enum audit_patience patience = AUDIT_WAITS; /* of the process: whichever of its requests waits, it waits as a whole */
static bool silent; /* the last one was not answered, of those that must not wait */

void audit_netlink_set_patience(enum audit_patience wanted)
{
    patience = wanted;
}

bool audit_netlink_never_waits(void)
{
    return patience == AUDIT_NEVER_WAITS;
}

static unsigned answer_ms(void)
{
    return patience == AUDIT_WAITS ? ANSWER_MS : silent ? SILENT_MS : SOON_MS;
}

static uint64_t deadline_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC) + answer_ms();
}

static bool is_asked(uint16_t type)
{
    return type == AUDIT_GET || type == AUDIT_LIST_RULES;
}

/* By this process, or by one that may wait. */
static int send_message(int fd, const struct msghdr *message, bool itself, uint16_t type)
{
    char text[REQUEST_MAX];
    size_t len = 0;

    if (itself || patience == AUDIT_WAITS || (patience == AUDIT_ASKS_APART && type != AUDIT_GET))
        return sendmsg(fd, message, 0) < 0 ? -errno : 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *part = &message->msg_iov[i];

        if (len + part->iov_len > sizeof(text))
            return -E2BIG;
        if (part->iov_len)
            memcpy(text + len, part->iov_base, part->iov_len);
        len += part->iov_len;
    }
    return audit_courier_send(fd, (struct bytes){ text, len }, is_asked(type), answer_ms());
}

static uint32_t next_seq; /* of the process: an answer that comes late is nobody else's */

void audit_netlink_skip(unsigned count)
{
    next_seq += count;
}

static int send_request(int fd, uint16_t type, uint16_t flags, const void *data, size_t len, bool itself,
                        uint32_t *ret_seq)
{
    struct nlmsghdr header = {
        .nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
        .nlmsg_type = type,
        .nlmsg_flags = NLM_F_REQUEST | flags,
        .nlmsg_seq = ++next_seq,
    };
    struct iovec parts[] = { { &header, sizeof(header) }, { (void *)(uintptr_t)data, len } };
    struct msghdr message = { .msg_name = (void *)(uintptr_t)&kernel,
                              .msg_namelen = sizeof(kernel),
                              .msg_iov = parts,
                              .msg_iovlen = 2 };

    *ret_seq = header.nlmsg_seq;
    return send_message(fd, &message, itself, type);
}

/* The next message that answers request `seq`. */
static int receive_answer(int fd, uint32_t seq, char *buffer, size_t size, uint64_t deadline_ms,
                          struct nlmsghdr **ret, size_t *ret_len)
{
    for (;;) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };
        struct sockaddr_nl from = { 0 };
        socklen_t from_len = sizeof(from);
        struct nlmsghdr *header = (struct nlmsghdr *)buffer;
        uint64_t now = clock_ms(CLOCK_MONOTONIC);
        ssize_t n;

        if (now >= deadline_ms) {
            silent = patience != AUDIT_WAITS;
            return -ETIMEDOUT;
        }
        if (poll(&pollfd, 1, (int)(deadline_ms - now)) < 0 && errno != EINTR)
            return -errno;
        n = recvfrom(fd, buffer, size, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < 0)
            return -errno;
        if (from.nl_pid != 0 || (size_t)n < sizeof(*header) || header->nlmsg_seq != seq)
            continue;
        *ret = header;
        *ret_len = (size_t)n - sizeof(*header);
        silent = false;
        return 0;
    }
}

static int error_of(const struct nlmsghdr *header, size_t len)
{
    const struct nlmsgerr *e = NLMSG_DATA(header);

    return len < sizeof(e->error) ? -EBADMSG : e->error;
}

static int request(int fd, uint16_t type, const void *data, size_t len, bool itself)
{
    _Alignas(struct nlmsghdr) char buffer[LIMIT_AUDIT_RECORD];
    uint64_t deadline = deadline_ms();
    uint32_t seq;
    int r = send_request(fd, type, NLM_F_ACK, data, len, itself, &seq);

    while (r == 0) {
        struct nlmsghdr *header;
        size_t n;

        r = receive_answer(fd, seq, buffer, sizeof(buffer), deadline, &header, &n);
        if (r == 0 && header->nlmsg_type == NLMSG_ERROR)
            return error_of(header, n);
    }
    return r;
}

/* As many of them as one message has room for. Returns how many. */
static size_t fill_deletions(char *text, const struct bytes *rules, size_t count, size_t *ret_len)
{
    size_t n = 0, len = 0;

    for (; n < count && len + NLMSG_SPACE(rules[n].len) <= REQUEST_MAX; n++) {
        struct nlmsghdr header = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(rules[n].len), .nlmsg_type = AUDIT_DEL_RULE,
                                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = ++next_seq };

        memset(text + len, 0, NLMSG_SPACE(rules[n].len));
        memcpy(text + len, &header, sizeof(header));
        memcpy(text + len + NLMSG_HDRLEN, rules[n].data, rules[n].len);
        len += NLMSG_SPACE(rules[n].len);
    }
    *ret_len = len;
    return n;
}

/* Those that are answered in order, up to `last`. */
static unsigned await_deletions(int fd, uint32_t first, uint32_t last, uint64_t deadline)
{
    _Alignas(struct nlmsghdr) char buffer[LIMIT_AUDIT_RECORD];
    unsigned done = 0;

    for (uint32_t seq = first; seq - first <= last - first; seq++) {
        struct nlmsghdr *header;
        size_t n;
        int r = receive_answer(fd, seq, buffer, sizeof(buffer), deadline, &header, &n);

        if (r < 0)
            break;
        done += header->nlmsg_type == NLMSG_ERROR && error_of(header, n) == 0;
    }
    return done;
}

unsigned audit_netlink_delete_rules(int fd, const struct bytes *rules, size_t count)
{
    uint64_t deadline = clock_ms(CLOCK_MONOTONIC) + (patience == AUDIT_WAITS ? ANSWER_MS : SOON_MS);
    _Alignas(struct nlmsghdr) char text[REQUEST_MAX];
    unsigned done = 0;
    size_t len, n;

    for (size_t at = 0; at < count; at += n) {
        uint32_t first = next_seq + 1;

        n = fill_deletions(text, rules + at, count - at, &len);
        if (n == 0) { /* none of ours is that long */
            n = 1;
            continue;
        }
        struct iovec part = { text, len };
        struct msghdr message = { .msg_name = (void *)(uintptr_t)&kernel, .msg_namelen = sizeof(kernel), .msg_iov = &part, .msg_iovlen = 1 };

        if (send_message(fd, &message, false, AUDIT_DEL_RULE) == 0)
            done += await_deletions(fd, first, next_seq, deadline);
    }
    return done;
}

int audit_netlink_request(int fd, uint16_t type, const void *data, size_t len)
{
    return request(fd, type, data, len, false);
}

int audit_netlink_request_itself(int fd, uint16_t type, const void *data, size_t len)
{
    return request(fd, type, data, len, true);
}

int audit_netlink_status(int fd, struct audit_status *ret)
{
    _Alignas(struct nlmsghdr) char buffer[LIMIT_AUDIT_RECORD];
    uint64_t deadline = deadline_ms();
    uint32_t seq;
    int r = send_request(fd, AUDIT_GET, 0, NULL, 0, false, &seq);

    while (r == 0) {
        struct nlmsghdr *header;
        size_t n;

        r = receive_answer(fd, seq, buffer, sizeof(buffer), deadline, &header, &n);
        if (r == 0 && header->nlmsg_type == NLMSG_ERROR)
            return error_of(header, n) ? error_of(header, n) : -EBADMSG;
        if (r == 0 && header->nlmsg_type == AUDIT_GET) {
            if (n < STATUS_OLD_SIZE)
                return -EBADMSG;
            *ret = (struct audit_status){ 0 }; /* older kernels report less */
            memcpy(ret, NLMSG_DATA(header), MIN(n, sizeof(*ret)));
            return 0;
        }
    }
    return r;
}

static int ask_rules(int fd, int (*each)(void *data, const struct audit_rule_data *rule, size_t len),
                     void *data, bool *ret_any)
{
    _Alignas(struct nlmsghdr) char buffer[sizeof(struct nlmsghdr) + sizeof(struct audit_rule_data) + 16384];
    uint64_t deadline = deadline_ms();
    uint32_t seq;
    int r = send_request(fd, AUDIT_LIST_RULES, 0, NULL, 0, false, &seq), stop = 0;

    while (r == 0) {
        struct nlmsghdr *header;
        size_t n;

        r = receive_answer(fd, seq, buffer, sizeof(buffer), deadline, &header, &n);
        if (r < 0)
            return r;
        if (header->nlmsg_type == NLMSG_DONE)
            return stop;
        if (header->nlmsg_type == NLMSG_ERROR)
            return error_of(header, n);
        *ret_any = true;
        if (header->nlmsg_type == AUDIT_LIST_RULES && n >= sizeof(struct audit_rule_data) && !stop)
            stop = each(data, NLMSG_DATA(header), n);
    }
    return r;
}

int audit_netlink_rules(int fd,
                        int (*each)(void *data, const struct audit_rule_data *rule, size_t len),
                        void *data)
{
    bool any = false;
    int r = ask_rules(fd, each, data, &any);

    /* a kernel thread answers; one answer in some hundred never came (measured on 6.18) */
    if (r == -ETIMEDOUT && !any)
        r = ask_rules(fd, each, data, &any);
    return r;
}

/* ---- the stream ---- */

/* A multiple of a header's alignment: they lie one behind the other. */
#define MESSAGE_SIZE NLMSG_ALIGN(LIMIT_AUDIT_RECORD + sizeof(struct nlmsghdr))

struct audit_stream {
    int fd;
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_nl from[BATCH];
    _Alignas(struct nlmsghdr) char buffers[BATCH][MESSAGE_SIZE];
};

int audit_stream_open(bool multicast, struct audit_stream **ret, struct err *err)
{
    struct sockaddr_nl self = { .nl_family = AF_NETLINK };
    struct audit_stream *s = calloc(1, sizeof(*s));
    int size = STREAM_BUFFER, r;

    if (!s)
        return err_set(err, -ENOMEM, "audit stream");
    if (multicast)
        self.nl_groups = 1u << (AUDIT_NLGRP_READLOG - 1);
    s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
        r = -errno;
        audit_stream_close(s);
        return err_set(err, r, "audit stream");
    }
    /* needs CAP_NET_ADMIN to pass net.core.rmem_max; without it the default must do */
    if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    for (unsigned i = 0; i < BATCH; i++) {
        s->parts[i] = (struct iovec){ s->buffers[i], sizeof(s->buffers[i]) };
        s->messages[i].msg_hdr = (struct msghdr){ .msg_name = &s->from[i],
                                                  .msg_namelen = sizeof(s->from[i]),
                                                  .msg_iov = &s->parts[i],
                                                  .msg_iovlen = 1 };
    }
    *ret = s;
    return 0;
}

int audit_stream_own(struct audit_stream *s, bool own)
{
    struct audit_status status = { .mask = AUDIT_STATUS_PID,
                                   .pid = own ? (uint32_t)getpid() : 0 };

    return audit_netlink_request_itself(s->fd, AUDIT_SET, &status, sizeof(status));
}

int audit_stream_fd(const struct audit_stream *s)
{
    return s->fd;
}

int audit_stream_receive(struct audit_stream *s, unsigned max,
                         void (*each)(void *data, uint16_t type, const char *payload, size_t len),
                         void *data)
{
    unsigned done = 0;

    while (done < max) {
        int n;

        for (unsigned i = 0; i < BATCH; i++)
            s->messages[i].msg_hdr.msg_namelen = sizeof(s->from[i]);
        n = recvmmsg(s->fd, s->messages, MIN(BATCH, max - done), MSG_DONTWAIT, NULL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return done && errno == EAGAIN ? (int)done : -errno;
        for (int i = 0; i < n; i++) {
            const struct nlmsghdr *header = (const void *)s->buffers[i];

            /* nlmsg_len is too small by the header on some kernels: the datagram's length is right */
            if (s->from[i].nl_pid == 0 && s->messages[i].msg_len >= sizeof(*header))
                each(data, header->nlmsg_type, s->buffers[i] + sizeof(*header),
                     s->messages[i].msg_len - sizeof(*header));
        }
        done += (unsigned)n;
        if (n < BATCH)
            break;
    }
    return done ? (int)done : -EAGAIN;
}

void audit_stream_close(struct audit_stream *s)
{
    if (!s)
        return;
    if (s->fd >= 0 && audit_netlink_never_waits())
        audit_courier_close(s->fd);
    else if (s->fd >= 0)
        close(s->fd);
    free(s);
}
