/* SPDX-License-Identifier: MIT */
#include "control/scrape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"

#define CLIENTS_MAX 8
#define REQUEST_MAX 4096
#define ANSWER_NS (5 * NS_PER_S) /* from the connection's beginning to its end */
#define BACKLOG 16

struct scrape_client {
    int fd;            /* -EBADF: nobody */
    uint64_t until_ns; /* CLOCK_MONOTONIC */
    char request[REQUEST_MAX];
    size_t len;
    bool answered;     /* `out` is the answer */
    struct sbuf out;
    size_t out_at;
};

struct scrape {
    struct scrape_options options;
    int listen_fd, epoll_fd;
    unsigned port, count;
    struct scrape_client clients[CLIENTS_MAX];
};

/* ---- the answer ---- */

static void answer(struct scrape_client *c, const char *status, const char *type, struct bytes text, bool body)
{
    sbuf_addf(&c->out, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status, type, text.len);
    if (body)
        sbuf_add_bytes(&c->out, text);
    c->answered = true;
}

static void refuse(struct scrape_client *c, const char *status)
{
    answer(c, status, "text/plain", bytes_of("culprit: GET /metrics\n"), true);
}

static void answer_request(struct scrape *s, struct scrape_client *c)
{
    const char *end = memchr(c->request, '\r', c->len);
    struct bytes line = { c->request, end ? (size_t)(end - c->request) : 0 };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    bool head = bytes_starts_with(line, bytes_of("HEAD "));
    size_t method = head ? 5 : 4;

    if (!head && !bytes_starts_with(line, bytes_of("GET "))) {
        refuse(c, "405 Method Not Allowed");
        return;
    }
    line = (struct bytes){ line.data + method, line.len - method };
    if (!bytes_equal_str(line, "/metrics HTTP/1.1") && !bytes_equal_str(line, "/metrics HTTP/1.0")) {
        refuse(c, "404 Not Found");
        return;
    }
    s->options.write(s->options.data, &text);
    if (sbuf_error(&text))
        refuse(c, "503 Service Unavailable");
    else
        answer(c, "200 OK", "text/plain; version=0.0.4; charset=utf-8", sbuf_bytes(&text), !head);
}

/* ---- clients ---- */

static void listen_for_more(struct scrape *s, bool on)
{
    struct epoll_event event = { .events = on ? EPOLLIN : 0 };

    (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &event);
}

static void end(struct scrape *s, struct scrape_client *c)
{
    close(c->fd);
    c->fd = -EBADF;
    sbuf_done(&c->out);
    if (s->count-- == CLIENTS_MAX)
        listen_for_more(s, true);
}

static void take_in(struct scrape *s, int fd)
{
    struct scrape_client *c = s->clients;
    struct epoll_event event = { .events = EPOLLIN };

    while (c->fd >= 0)
        c++;
    event.data.ptr = c;
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(fd);
        return;
    }
    c->fd = fd;
    c->until_ns = clock_ns(CLOCK_MONOTONIC) + ANSWER_NS;
    c->len = c->out_at = 0;
    c->answered = false;
    if (++s->count == CLIENTS_MAX)
        listen_for_more(s, false);
}

static void accept_all(struct scrape *s)
{
    while (s->count < CLIENTS_MAX) {
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
            return;
        if (fd >= 0)
            take_in(s, fd);
    }
}

/* 1: the request is whole; 0: more is to come; -errno: nothing will. */
static int read_request(struct scrape_client *c)
{
    ssize_t n = recv(c->fd, c->request + c->len, sizeof(c->request) - c->len, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    c->len += (size_t)n;
    if (memmem(c->request, c->len, "\r\n\r\n", 4))
        return 1;
    return n == 0 || c->len == sizeof(c->request) ? -EMSGSIZE : 0;
}

/* 1: all of it has gone. */
static int write_answer(struct scrape_client *c)
{
    while (c->out_at < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return 0;
        if (n < 0)
            return -errno;
        c->out_at += (size_t)n;
    }
    return 1;
}

static void serve(struct scrape *s, struct scrape_client *c)
{
    int r = 0;

    if (!c->answered) {
        r = read_request(c);
        if (r == 1)
            answer_request(s, c);
    }
    if (r >= 0 && c->answered) {
        struct epoll_event event = { .events = EPOLLOUT, .data.ptr = c };

        r = sbuf_error(&c->out);
        if (r == 0)
            r = write_answer(c);
        if (r == 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, c->fd, &event) < 0)
            r = -errno;
    }
    if (r < 0 || (r == 1 && c->answered))
        end(s, c);
}

void scrape_dispatch(struct scrape *s)
{
    struct epoll_event events[CLIENTS_MAX + 1];
    int n = epoll_wait(s->epoll_fd, events, CLIENTS_MAX + 1, 0);
    uint64_t now;

    for (int i = 0; i < n; i++) {
        struct scrape_client *c = events[i].data.ptr;

        if (!c)
            accept_all(s);
        else if (c->fd >= 0)
            serve(s, c);
    }
    if (!s->count)
        return;
    now = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0 && now >= s->clients[i].until_ns)
            end(s, &s->clients[i]);
}

/* ---- its life ---- */

static int begin_listening(struct scrape *s, struct err *err)
{
    struct sockaddr_in address = s->options.address;
    struct epoll_event event = { .events = EPOLLIN };
    socklen_t len = sizeof(address);
    char host[INET_ADDRSTRLEN] = "";
    int one = 1;

    (void)inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listen_fd < 0 && errno == EAFNOSUPPORT)
        return err_set(err, -EAFNOSUPPORT, "metrics at %s: the unit has no IP; culprit-daemon(8), FILES, says how to give it", host);
    if (s->listen_fd < 0 || setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(s->listen_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(s->listen_fd, BACKLOG) < 0 ||
        getsockname(s->listen_fd, (struct sockaddr *)&address, &len) < 0 ||
        epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, &event) < 0)
        return err_set(err, -errno, "metrics at %s:%u", host, ntohs(address.sin_port));
    s->port = ntohs(address.sin_port);
    return 0;
}

int scrape_open(const struct scrape_options *options, struct scrape **ret, struct err *err)
{
    struct scrape *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_set(err, -ENOMEM, "metrics");
    s->options = *options;
    s->listen_fd = -EBADF;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        s->clients[i].fd = -EBADF;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    r = s->epoll_fd < 0 ? err_set(err, -errno, "metrics") : begin_listening(s, err);
    if (r < 0) {
        scrape_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

void scrape_close(struct scrape *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0)
            end(s, &s->clients[i]);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->epoll_fd >= 0)
        close(s->epoll_fd);
    free(s);
}

int scrape_fd(const struct scrape *s)
{
    return s->epoll_fd;
}

unsigned scrape_port(const struct scrape *s)
{
    return s->port;
}
