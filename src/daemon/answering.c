/* SPDX-License-Identifier: MIT */
#include "daemon/answering.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/base64.h"
#include "control/reply.h"
#include "daemon/pipeline.h"
#include "util/cleanup.h"
#include "util/macro.h"

#define AT_ONCE 8           /* questions that are being answered; the others wait */
#define AT_ONCE_OF_ONE 2    /* of one user, so that nobody has all of them by not reading */
#define ROOM (256 * 1024)   /* that waits for a client: then its answer does */
#define PACKETS_AT_ONCE 8   /* of one answer in one turn */

static const char *const verbs[] = { "who", "search", "diff" };

struct member_ask {
    struct member_ask *next;
    struct control_client *client;
    int fd;             /* -EBADF: it waits for its turn */
    struct sbuf packet; /* the question, until then */
    bool listening;     /* the epoll descriptor knows fd */
};

/* ---- the question ---- */

static void refuse(struct control_client *client, const char *error, const char *message)
{
    control_error(control_client_out(client), error, message);
    control_client_replied(client, true);
}

static void add_text(struct sbuf *packet, struct bytes text)
{
    sbuf_add_bytes(packet, text);
    sbuf_add(packet, "", 1);
}

/* False: there are too many, or one is none. */
static bool add_texts(struct sbuf *packet, const struct json_t *of, const char *name, size_t max)
{
    size_t count = control_array_size(of, name);

    for (size_t i = 0; i < count && count <= max; i++) {
        struct bytes text = control_array_text(of, name, i);

        if (!text.data)
            return false;
        add_text(packet, text);
    }
    return count <= max;
}

/* NULL, or which parameter is wrong. */
static const char *write_question(struct control_client *client, const struct json_t *of, struct sbuf *packet)
{
    struct asker_head head = { .uid = control_client_uid(client), .gid = control_client_gid(client) };
    struct bytes verb = control_text(of, "verb");
    gid_t groups[ANSWER_GROUPS_MAX];

    head.groups = (unsigned)control_client_groups(client, groups, ARRAY_SIZE(groups));
    head.environment = (unsigned)control_array_size(of, "environment");
    head.words = 1 + (unsigned)control_array_size(of, "arguments");
    head.columns = (unsigned)MIN(control_number(of, "columns"), (uint64_t)1000);
    head.colour = control_flag(of, "colour");
    sbuf_add(packet, (const char *)&head, sizeof(head));
    sbuf_add(packet, (const char *)groups, head.groups * sizeof(*groups));
    if (!bytes_is_among(verb, verbs, ARRAY_SIZE(verbs)))
        return "verb";
    if (control_text(of, "directory").len == 0)
        return "directory";
    add_text(packet, control_text(of, "directory"));
    if (!add_texts(packet, of, "environment", ANSWER_WORDS_MAX))
        return "environment";
    add_text(packet, verb);
    return add_texts(packet, of, "arguments", ANSWER_WORDS_MAX - 1) && packet->len <= ANSWER_MAX ? NULL : "arguments";
}

/* ---- whose turn it is ---- */

static void forget(struct answering *a, struct member_ask *q)
{
    for (struct member_ask **at = &a->first; *at; at = &(*at)->next)
        if (*at == q) {
            *at = q->next;
            break;
        }
    if (q->fd >= 0)
        close(q->fd); /* whoever answers ends */
    sbuf_done(&q->packet);
    free(q);
}

static void fail(struct answering *a, struct member_ask *q, const char *message)
{
    refuse(q->client, CONTROL_INTERFACE ".Failed", message);
    forget(a, q);
}

/* 0, or -errno; -EAGAIN: later. */
static int send_question(struct answering *a, const struct member_ask *q, int fd)
{
    union {
        char data[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { .data = { 0 } };
    struct iovec part = { q->packet.data, q->packet.len };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.data, .msg_controllen = sizeof(control.data) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    return sendmsg(a->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int begin(struct answering *a, struct member_ask *q)
{
    struct epoll_event event = { .events = EPOLLIN };
    int ends[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    r = send_question(a, q, ends[1]);
    close(ends[1]);
    if (r == 0 && epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, ends[0], &event) < 0)
        r = -errno;
    if (r < 0) {
        close(ends[0]);
        return r;
    }
    q->fd = ends[0];
    q->listening = true;
    sbuf_done(&q->packet);
    return 0;
}

static bool has_turn(const struct answering *a, const struct member_ask *q)
{
    unsigned all = 0, own = 0;

    for (const struct member_ask *k = a->first; k; k = k->next) {
        all += k->fd >= 0;
        own += k->fd >= 0 && control_client_uid(k->client) == control_client_uid(q->client);
    }
    return all < AT_ONCE && own < AT_ONCE_OF_ONE;
}

static void begin_waiting(struct answering *a)
{
    for (struct member_ask *q = a->first, *next; q; q = next) {
        int r;

        next = q->next;
        if (q->fd >= 0 || !has_turn(a, q))
            continue;
        r = begin(a, q);
        if (r < 0 && r != -EAGAIN)
            fail(a, q, "nobody is there to answer");
    }
}

void answering_ask(struct answering *a, struct control_client *client, const struct control_call *call)
{
    const char *store = a->options.store;
    struct member_ask *q, **at = &a->first;
    const char *wrong;

    if (!call->more || call->oneway) {
        control_error(control_client_out(client), CONTROL_SERVICE ".ExpectedMore", "");
        control_client_replied(client, true);
        return;
    }
    if (a->socket < 0) {
        refuse(client, CONTROL_INTERFACE ".Failed", "the daemon does not answer for others here");
        return;
    }
    if (!bytes_equal_str(control_text(call->parameters, "store"), store)) {
        refuse(client, CONTROL_INTERFACE ".NotFound", "the daemon records to another store");
        return;
    }
    q = calloc(1, sizeof(*q));
    if (!q) {
        refuse(client, CONTROL_INTERFACE ".Failed", "out of memory");
        return;
    }
    q->client = client;
    q->fd = -EBADF;
    wrong = write_question(client, call->parameters, &q->packet);
    if (wrong || sbuf_error(&q->packet) < 0) {
        control_error_begin(control_client_out(client), CONTROL_SERVICE ".InvalidParameter");
        json_bytes(control_client_out(client), JSON_KEY("parameter"), bytes_of(wrong ? wrong : "arguments"));
        control_error_end(control_client_out(client));
        control_client_replied(client, true);
        forget(a, q);
        return;
    }
    while (*at)
        at = &(*at)->next;
    *at = q;
    begin_waiting(a);
}

void answering_gone(struct answering *a, const struct control_client *client)
{
    for (struct member_ask *q = a->first, *next; q; q = next) {
        next = q->next;
        if (q->client == client)
            forget(a, q);
    }
}

/* ---- the answer ---- */

static void write_piece(struct member_ask *q, struct bytes key, struct bytes piece)
{
    struct sbuf *out = control_client_out(q->client);

    control_reply_begin(out);
    json_key(out, key);
    base64_write(out, piece);
    sbuf_add_char(out, '"');
    control_reply_end(out, true);
    control_client_replied(q->client, false);
}

static void write_status(struct member_ask *q, unsigned status)
{
    struct sbuf *out = control_client_out(q->client);

    control_reply_begin(out);
    json_number(out, JSON_KEY("status"), status);
    control_reply_end(out, false);
    control_client_replied(q->client, true);
}

/* False: it was the last one, and the question is forgotten. */
static bool take_packet(struct answering *a, struct member_ask *q, struct bytes packet)
{
    struct bytes rest = { packet.data + 1, packet.len - 1 };
    char text[128];

    switch ((enum answer_packet)packet.data[0]) {
    case ANSWER_OUTPUT:
        write_piece(q, JSON_TEXT_KEY("output"), rest);
        return true;
    case ANSWER_ERRORS:
        write_piece(q, JSON_TEXT_KEY("errors"), rest);
        return true;
    case ANSWER_STATUS:
        write_status(q, rest.len ? (unsigned char)rest.data[0] : 3);
        forget(a, q);
        return false;
    case ANSWER_CUT:
        snprintf(text, sizeof(text), "the answer was cut off: %.*s", (int)MIN(rest.len, (size_t)80), rest.data);
        fail(a, q, text);
        return false;
    }
    fail(a, q, "the answer was cut off");
    return false;
}

/* Only what the client has room for: whoever answers waits for the rest of it, and nobody else does. */
static void listen_to(struct answering *a, struct member_ask *q, bool on)
{
    struct epoll_event event = { .events = on ? EPOLLIN : 0 }; /* its end is reported in any case */

    if (q->listening != on && epoll_ctl(a->epoll_fd, EPOLL_CTL_MOD, q->fd, &event) == 0)
        q->listening = on;
}

/* What is left is in the socket then, and no more than that holds: taken, so that another one has a turn. */
static bool is_over(const struct member_ask *q)
{
    struct pollfd fd = { .fd = q->fd };

    return poll(&fd, 1, 0) > 0 && (fd.revents & POLLHUP);
}

static void move_answer(struct answering *a, struct member_ask *q)
{
    char packet[1 + ANSWER_PIECE];

    for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
        ssize_t n;

        if (control_client_waiting(q->client) >= ROOM && !is_over(q)) {
            listen_to(a, q, false);
            return;
        }
        n = recv(q->fd, packet, sizeof(packet), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n <= 0) {
            fail(a, q, "the answer was cut off");
            return;
        }
        if (!take_packet(a, q, (struct bytes){ packet, (size_t)n }))
            return;
    }
    listen_to(a, q, true);
}

void answering_idle(struct answering *a)
{
    for (struct member_ask *q = a->first, *next; q; q = next) {
        next = q->next;
        if (q->fd >= 0)
            move_answer(a, q);
    }
    if (a->first)
        begin_waiting(a);
}

/* ---- its life ---- */

int answering_open(struct answering *a, const struct answerer_options *options, struct err *err)
{
    a->options = *options;
    a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (a->epoll_fd < 0)
        return err_set(err, -errno, "whoever answers questions to the record");
    return answerer_start(&a->options, &a->socket, err);
}

static void on_ready(void *data, int fd)
{
    (void)fd;
    answering_idle(data);
}

int answering_start(struct answering *a, struct pipeline *pipeline, struct err *err)
{
    return a->socket < 0 ? 0 : pipeline_watch_fd(pipeline, a->epoll_fd, on_ready, a, err);
}

void answering_close(struct answering *a)
{
    while (a->first)
        forget(a, a->first);
    if (a->socket >= 0)
        close(a->socket);
    if (a->epoll_fd >= 0)
        close(a->epoll_fd);
    a->socket = a->epoll_fd = -EBADF;
}
