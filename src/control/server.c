/* SPDX-License-Identifier: MIT */
#include "control/server.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/connection.h"
#include "control/reply.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/limits.h"

#define EVENTS_MAX 32
#define CALLS_AT_ONCE 8             /* of one client in one turn */
#define BACKLOG 128
#define PAUSE_NS NS_PER_S           /* without descriptors nobody is taken in for so long */

struct control_client {
    struct control_client *next;
    struct control_server *server;
    struct control_connection connection;
    struct ucred peer;
    uint32_t interest; /* EPOLLIN, EPOLLOUT as epoll has them */
    bool busy;         /* a call is being answered */
    struct sbuf unwanted; /* the reply to a call that wants none */
    bool oneway;       /* it is such a call */
    bool hang_up;
    bool finishing;    /* the caller knows */
    bool broken;
    bool refused;      /* one too many: he gets to know that, and no more */
};

struct control_server {
    struct control_server_options options;
    char *path;
    int listen_fd, epoll_fd;
    dev_t device;      /* of the socket that is ours */
    ino_t inode;
    struct control_client *clients;
    unsigned count;
    uint64_t pause_until_ns; /* CLOCK_MONOTONIC; 0: it listens */
    bool listening;
};

/* ---- the socket ---- */

static int make_address(const char *path, const char *suffix, struct sockaddr_un *ret, struct err *err)
{
    int n;

    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s%s", path, suffix);
    if (n < 0 || (size_t)n >= sizeof(ret->sun_path))
        return err_say(err, -ENAMETOOLONG, "%.200s: a socket's path has %zu bytes at most", path, sizeof(ret->sun_path) - 1);
    return 0;
}

/* (gid_t)-1: there is no such group. */
static gid_t find_group(const char *name)
{
    struct group entry, *found = NULL;
    char names[4096];

    return name && getgrnam_r(name, &entry, names, sizeof(names), &found) == 0 && found ? found->gr_gid : (gid_t)-1;
}

/*
 * Whose it is from its beginning: the group's, where there is one, else root's alone. A file gets the group that its maker has, which
 * takes CAP_SETGID; giving it away afterwards would take CAP_CHOWN, and nothing else needs that.
 */
static int bind_for(int fd, const struct sockaddr_un *address, const char *group)
{
    gid_t gid = find_group(group), own = getegid();
    int dumpable = prctl(PR_GET_DUMPABLE), r = 0;
    bool given = gid != (gid_t)-1 && setresgid((gid_t)-1, gid, (gid_t)-1) == 0;
    mode_t mask = umask(0777);

    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        r = -errno;
    (void)umask(mask);
    if (given && setresgid((gid_t)-1, own, (gid_t)-1) < 0)
        r = -errno;
    if (given && dumpable == 1)
        (void)prctl(PR_SET_DUMPABLE, 1);
    if (r == 0 && chmod(address->sun_path, given ? 0660 : 0600) < 0)
        r = -errno;
    return r;
}

/* Made beside and moved into place: whoever finds the path finds a socket with its rights, and never none. */
static int make_socket(struct control_server *s, struct err *err)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    struct sockaddr_un address, beside;
    struct stat st;
    int r = make_address(s->options.path, "", &address, err);

    if (r == 0)
        r = make_address(s->options.path, ".new", &beside, err);
    if (r < 0)
        return r;
    escape_terminal(&shown, bytes_of(s->options.path));
    s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listen_fd < 0)
        return err_set(err, -errno, "%s", sbuf_str(&shown));
    if (lstat(address.sun_path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return err_say(err, -EEXIST, "%s is there and is no socket", sbuf_str(&shown));
    (void)unlink(beside.sun_path);
    r = bind_for(s->listen_fd, &beside, s->options.group);
    if (r == 0 && lstat(beside.sun_path, &st) < 0)
        r = -errno;
    if (r == 0 && rename(beside.sun_path, address.sun_path) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlink(beside.sun_path);
        return err_set(err, r, "%s", sbuf_str(&shown));
    }
    s->device = st.st_dev;
    s->inode = st.st_ino;
    return 0;
}

int control_server_open(const struct control_server_options *options, struct control_server **ret, struct err *err)
{
    struct control_server *s = calloc(1, sizeof(*s));
    int r = 0;

    if (!s)
        return err_set(err, -ENOMEM, "the control socket");
    s->options = *options;
    s->listen_fd = -EBADF;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->path = strdup(options->path);
    s->options.path = s->path;
    if (s->epoll_fd < 0 || !s->path)
        r = err_set(err, s->path ? -errno : -ENOMEM, "the control socket");
    if (r == 0)
        r = make_socket(s, err);
    if (r < 0) {
        control_server_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

int control_server_listen(struct control_server *s, struct err *err)
{
    struct epoll_event event = { .events = EPOLLIN };

    if (listen(s->listen_fd, BACKLOG) < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, &event) < 0)
        return err_set(err, -errno, "the control socket");
    s->listening = true;
    return 0;
}

/* ---- clients ---- */

static void set_interest(struct control_client *c)
{
    const size_t waiting = control_connection_waiting(&c->connection);
    /* who ended is read no more: an end stays readable for ever */
    uint32_t interest = (c->connection.ended ? 0 : EPOLLIN) | (waiting ? EPOLLOUT : 0);
    struct epoll_event event = { .events = interest, .data.ptr = c };

    if (interest == c->interest)
        return;
    if (epoll_ctl(c->server->epoll_fd, EPOLL_CTL_MOD, c->connection.fd, &event) < 0)
        c->broken = true;
    c->interest = interest;
}

static void free_client(struct control_server *s, struct control_client *c)
{
    for (struct control_client **at = &s->clients; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    s->count--;
    if (!c->refused)
        s->options.gone(s->options.data, c);
    control_connection_done(&c->connection);
    sbuf_done(&c->unwanted);
    free(c);
}

void control_server_close(struct control_server *s)
{
    struct stat st;

    if (!s)
        return;
    while (s->clients)
        free_client(s, s->clients);
    if (s->inode && lstat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode)
        (void)unlink(s->path);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->epoll_fd >= 0)
        close(s->epoll_fd);
    free(s->path);
    free(s);
}

static bool may_come_in(const struct control_server *s, const struct ucred *peer)
{
    return s->count < (peer->uid == 0 ? LIMIT_CONTROL_CLIENTS : LIMIT_CONTROL_CLIENTS - LIMIT_CONTROL_ROOT);
}

/* fd: taken over. */
static void take_in(struct control_server *s, int fd)
{
    struct control_client *c = calloc(1, sizeof(*c));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    socklen_t len = sizeof(c->peer);

    if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len) < 0 ||
        epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(c);
        close(fd);
        return;
    }
    c->server = s;
    c->interest = EPOLLIN;
    c->refused = !may_come_in(s, &c->peer);
    control_connection_init(&c->connection, fd, LIMIT_CONTROL_CALL);
    c->next = s->clients;
    s->clients = c;
    s->count++;
    if (c->refused) {
        control_error(&c->connection.out, CONTROL_INTERFACE ".Busy", "too many are connected");
        (void)control_connection_write(&c->connection);
        c->broken = true;
    }
}

static void listen_again(struct control_server *s, bool on)
{
    struct epoll_event event = { .events = on ? EPOLLIN : 0 };

    (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &event);
    s->pause_until_ns = on ? 0 : clock_ns(CLOCK_MONOTONIC) + PAUSE_NS;
}

static void accept_all(struct control_server *s)
{
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
            listen_again(s, false);
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
            return;
        if (fd >= 0)
            take_in(s, fd);
    }
}

/* A mistake in the form ends the conversation: what follows it cannot be known to be a message. */
static void take_call(struct control_server *s, struct control_client *c, struct bytes text)
{
    struct control_call call;
    struct err err = ERR_INIT;
    int r = control_call_parse(text, &call, &err);

    if (r < 0) {
        control_error(&c->connection.out, CONTROL_INTERFACE ".BadMessage", err.text);
        c->hang_up = true;
        return;
    }
    c->busy = true;
    c->oneway = call.oneway;
    s->options.call(s->options.data, c, &call);
    control_call_done(&call);
}

static void take_calls(struct control_server *s, struct control_client *c)
{
    struct bytes text;

    for (unsigned i = 0; i < CALLS_AT_ONCE && !c->busy && !c->hang_up && control_connection_next(&c->connection, &text); i++)
        take_call(s, c, text);
}

static void serve(struct control_server *s, struct control_client *c, uint32_t ready)
{
    int r = 0;

    if (ready & (EPOLLHUP | EPOLLERR)) /* nobody is there any more, for neither direction */
        c->broken = true;
    if ((ready & EPOLLIN) && !c->broken)
        r = control_connection_read(&c->connection);
    if (r < 0)
        c->broken = true;
    if (!c->broken)
        take_calls(s, c);
    if (!c->broken && c->connection.ended && c->busy && !c->finishing) {
        c->finishing = true;
        s->options.finishing(s->options.data, c);
    }
    if (!c->broken && control_connection_write(&c->connection) < 0)
        c->broken = true;
    if (!c->broken && !control_connection_waiting(&c->connection) && (c->hang_up || (c->connection.ended && !c->busy)))
        c->broken = true;
    if (!c->broken)
        set_interest(c);
}

static bool is_client(const struct control_server *s, const struct control_client *c)
{
    for (const struct control_client *k = s->clients; k; k = k->next)
        if (k == c)
            return true;
    return false;
}

void control_server_dispatch(struct control_server *s)
{
    struct epoll_event events[EVENTS_MAX];
    int n = s->listening ? epoll_wait(s->epoll_fd, events, EVENTS_MAX, 0) : 0;

    for (int i = 0; i < n; i++) {
        struct control_client *c = events[i].data.ptr;

        if (!c)
            accept_all(s);
        else if (is_client(s, c))
            serve(s, c, events[i].events);
    }
    if (s->pause_until_ns && clock_ns(CLOCK_MONOTONIC) >= s->pause_until_ns)
        listen_again(s, true);
    for (struct control_client *c = s->clients, *next; c; c = next) {
        next = c->next;
        if (!c->broken)
            serve(s, c, 0); /* what it said at once before, and what was written for it */
        if (c->broken)
            free_client(s, c);
    }
}

unsigned control_server_clients(const struct control_server *s)
{
    return s->count;
}

int control_server_fd(const struct control_server *s)
{
    return s->epoll_fd;
}

/* ---- one client, for whoever answers ---- */

pid_t control_client_pid(const struct control_client *c)
{
    return c->peer.pid;
}

uid_t control_client_uid(const struct control_client *c)
{
    return c->peer.uid;
}

gid_t control_client_gid(const struct control_client *c)
{
    return c->peer.gid;
}

size_t control_client_groups(const struct control_client *c, gid_t *ret, size_t max)
{
    socklen_t len = (socklen_t)(max * sizeof(*ret));

    return getsockopt(c->connection.fd, SOL_SOCKET, SO_PEERGROUPS, ret, &len) < 0 ? 0 : len / sizeof(*ret);
}

bool control_client_may_change(const struct control_client *c)
{
    return c->peer.uid == 0 || c->peer.uid == geteuid();
}

struct sbuf *control_client_out(struct control_client *c)
{
    return c->oneway ? &c->unwanted : &c->connection.out;
}

bool control_client_has_room(const struct control_client *c)
{
    size_t all = 0, own = control_connection_waiting(&c->connection);

    if (own < LIMIT_CONTROL_OUT / 64) /* always */
        return true;
    for (const struct control_client *k = c->server->clients; k; k = k->next)
        all += control_connection_waiting(&k->connection);
    return own < LIMIT_CONTROL_OUT && all < LIMIT_CONTROL_OUT_ALL;
}

size_t control_client_waiting(const struct control_client *c)
{
    return control_connection_waiting(&c->connection);
}

void control_client_replied(struct control_client *c, bool last)
{
    sbuf_clear(&c->unwanted);
    if (last)
        c->busy = c->oneway = false;
}
