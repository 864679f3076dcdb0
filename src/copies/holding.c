/* SPDX-License-Identifier: MIT */
#include "copies/holding.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "foreign/sandbox.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"
#include "util/macro.h"
#include "util/read.h"

#define PART (256 * 1024) /* whoever comes next waits for one at most */
#define BREAKS SIGRTMIN   /* with the descriptor */
#define LEASE_BREAK_TIME "/proc/sys/fs/lease-break-time"

/* In the order in which they are worked on. */
enum turn { TURN_WAITED_FOR, TURN_TAKEN, TURN_COPIED, TURN_COUNT, TURN_NONE = TURN_COUNT };

struct held_file {
    struct held_file *prev, *next; /* of its turn */
    UT_hash_handle hh, hh_fd;
    uint64_t id, until_ns; /* until_ns: of TURN_WAITED_FOR, CLOCK_MONOTONIC */
    int fd, to;            /* to: its copy; -EBADF: not begun */
    off_t at;
    struct holding_state state;
    enum turn turn;
};

struct holding {
    int socket, signals, directory;
    uint64_t wait_ns;
    struct held_file *by_id, *by_fd, *turns[TURN_COUNT];
    struct holding_reply *replies; /* that found no room in the socket */
    size_t reply_count, reply_size;
    uint64_t reach; /* asked for; 0: nothing */
    bool ended;
    char *part;
};

unsigned holding_wait_ms = 2000;

void holding_name(uint64_t id, char ret[HOLDING_NAME_SIZE])
{
    snprintf(ret, HOLDING_NAME_SIZE, "held.%llu", (unsigned long long)id);
}

struct holding_state holding_state_of(const struct stat *st)
{
    return (struct holding_state){ (uint64_t)st->st_size, st->st_mtim.tv_sec * (int64_t)NS_PER_S + st->st_mtim.tv_nsec,
                                   st->st_ctim.tv_sec * (int64_t)NS_PER_S + st->st_ctim.tv_nsec };
}

/* ---- replies ---- */

static bool send_reply(const struct holding *h, const struct holding_reply *reply)
{
    return send(h->socket, reply, sizeof(*reply), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(*reply);
}

/* Never waits: whoever reads them may be at a disk. */
static void reply(struct holding *h, uint64_t id, enum holding_reply_word word, int error)
{
    struct holding_reply reply = { id, word, error };

    if (!h->reply_count && send_reply(h, &reply))
        return;
    if (ARRAY_ROOM(h->replies, h->reply_count, h->reply_size, 64) < 0)
        h->ended = true; /* the keeper takes that for a kill */
    else
        h->replies[h->reply_count++] = reply;
}

static void send_replies(struct holding *h)
{
    size_t sent = 0;

    while (sent < h->reply_count && send_reply(h, &h->replies[sent]))
        sent++;
    h->reply_count -= sent;
    if (sent)
        memmove(h->replies, h->replies + sent, h->reply_count * sizeof(*h->replies));
}

/* ---- turns ---- */

static int by_rest(const struct held_file *a, const struct held_file *b)
{
    uint64_t left_a = a->state.size - MIN(a->state.size, (uint64_t)a->at), left_b = b->state.size - MIN(b->state.size, (uint64_t)b->at);

    return left_a < left_b ? -1 : left_a > left_b;
}

static void set_turn(struct holding *h, struct held_file *f, enum turn turn)
{
    if (f->turn != TURN_NONE)
        DL_DELETE(h->turns[f->turn], f);
    f->turn = turn;
    if (turn == TURN_WAITED_FOR)
        DL_INSERT_INORDER(h->turns[turn], f, by_rest);
    else if (turn != TURN_NONE)
        DL_APPEND(h->turns[turn], f);
}

/* Whoever waits goes on. */
static void let_go(struct holding *h, struct held_file *f)
{
    set_turn(h, f, TURN_NONE);
    HASH_DELETE(hh_fd, h->by_fd, f);
    HASH_DEL(h->by_id, f);
    (void)fcntl(f->fd, F_SETLEASE, F_UNLCK);
    close(f->fd);
    closep(&f->to);
    free(f);
}

static void forget_copy(struct holding *h, struct held_file *f)
{
    char name[HOLDING_NAME_SIZE];

    if (f->to < 0)
        return;
    holding_name(f->id, name);
    (void)unlinkat(h->directory, name, 0);
    closep(&f->to);
    f->to = -EBADF;
    f->at = 0;
}

static void end_copy(struct holding *h, struct held_file *f, int error)
{
    uint64_t id = f->id;

    if (error < 0)
        forget_copy(h, f);
    if (error < 0 && f->turn == TURN_COPIED) {
        set_turn(h, f, TURN_NONE);
        reply(h, id, HOLDING_STAYS, error);
        return;
    }
    let_go(h, f);
    reply(h, id, HOLDING_ENDED, error);
}

/* ---- copying ---- */

static bool is_zero(const char *data, size_t len)
{
    return data[0] == '\0' && memcmp(data, data + 1, len - 1) == 0;
}

static int begin_copy(const struct holding *h, struct held_file *f)
{
    char name[HOLDING_NAME_SIZE];

    if (f->to >= 0)
        return 0;
    holding_name(f->id, name);
    f->to = openat(h->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return f->to < 0 ? -errno : 0;
}

/* Its owner and its names may have changed: those are not what is copied. */
static int is_as_it_was(int fd, const struct holding_state *state)
{
    struct holding_state now;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    now = holding_state_of(&st);
    return now.size == state->size && now.mtime_ns == state->mtime_ns ? 0 : -ESTALE;
}

static int end_of_copy(const struct held_file *f)
{
    return ftruncate(f->to, (off_t)f->state.size) < 0 ? -errno : is_as_it_was(f->fd, &f->state);
}

/* Holes are passed over. */
static int seek_data(struct held_file *f)
{
    off_t at = lseek(f->fd, f->at, SEEK_DATA);

    if (at < 0)
        return errno == ENXIO ? 0 : -errno;
    f->at = at;
    return 1;
}

/* 1: there is more; 0: all of it is copied; -errno */
static int copy_part(struct holding *h, struct held_file *f)
{
    ssize_t n;
    int r;

    if (f->turn == TURN_WAITED_FOR && clock_ns(CLOCK_MONOTONIC) > f->until_ns)
        return -ETIME;
    r = begin_copy(h, f);
    if (r == 0)
        r = seek_data(f);
    if (r <= 0)
        return r < 0 ? r : end_of_copy(f);
    n = read_at(f->fd, h->part, PART, f->at);
    if (n < 0)
        return (int)n;
    if ((uint64_t)f->at + (uint64_t)n > f->state.size)
        return -ESTALE;
    if (n > 0 && !is_zero(h->part, (size_t)n) && pwrite(f->to, h->part, (size_t)n, f->at) != n)
        return -ENOSPC;
    f->at += n;
    return n > 0 && (uint64_t)f->at < f->state.size ? 1 : end_of_copy(f);
}

/* One part of the first, if its turn is before `before`. */
static void work(struct holding *h, enum turn before)
{
    struct held_file *f = NULL;
    int r;

    for (unsigned i = 0; i < before && !f; i++)
        f = h->turns[i];
    r = f ? copy_part(h, f) : 1;
    if (r <= 0)
        end_copy(h, f, r);
}

/* ---- whoever waits ---- */

/* A signal may be of one that had the descriptor before. */
static void on_break(struct holding *h, struct held_file *f)
{
    if (f->turn == TURN_WAITED_FOR || fcntl(f->fd, F_GETLEASE) != F_UNLCK)
        return;
    f->until_ns = clock_ns(CLOCK_MONOTONIC) + h->wait_ns;
    set_turn(h, f, TURN_WAITED_FOR);
}

static void take_signals(struct holding *h)
{
    struct signalfd_siginfo got;
    struct held_file *f, *next;

    while (read(h->signals, &got, sizeof(got)) == sizeof(got)) {
        if (got.ssi_signo == (uint32_t)BREAKS) {
            int fd = got.ssi_fd;

            HASH_FIND(hh_fd, h->by_fd, &fd, sizeof(fd), f);
            if (f)
                on_break(h, f);
            continue;
        }
        HASH_ITER(hh, h->by_id, f, next) /* their queue was full */
            on_break(h, f);
    }
}

/* ---- what is asked ---- */

static int lease(int fd)
{
    if (fcntl(fd, F_SETSIG, BREAKS) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0)
        return -errno;
    return fcntl(fd, F_SETLEASE, F_RDLCK) < 0 ? -errno : 0;
}

static int add(struct holding *h, const struct holding_ask *ask, int fd)
{
    struct held_file *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    *f = (struct held_file){ .id = ask->id, .fd = fd, .to = -EBADF, .state = ask->state, .turn = TURN_NONE };
    HASH_ADD(hh, h->by_id, id, sizeof(f->id), f);
    HASH_FREE_IF_OUT(hh, f);
    if (!f)
        return -ENOMEM;
    HASH_ADD(hh_fd, h->by_fd, fd, sizeof(f->fd), f);
    if (!HASH_IS_IN(hh_fd, f)) {
        HASH_DEL(h->by_id, f);
        free(f);
        return -ENOMEM;
    }
    if (ask->copy)
        set_turn(h, f, TURN_COPIED);
    on_break(h, f); /* between the lease and here its signal had no file */
    return 0;
}

static void hold(struct holding *h, const struct holding_ask *ask, int fd)
{
    int r = fd < 0 ? -EMFILE : lease(fd);

    if (r == 0)
        r = is_as_it_was(fd, &ask->state);
    if (r == 0)
        r = add(h, ask, fd);
    if (r == 0)
        return;
    if (fd >= 0)
        (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    closep(&fd);
    reply(h, ask->id, HOLDING_REFUSED, r);
}

static void on_ask(struct holding *h, const struct holding_ask *ask, int fd)
{
    struct held_file *f;

    if (ask->word == HOLDING_DIRECTORY)
        h->directory = fd;
    if (ask->word == HOLDING_HOLD)
        hold(h, ask, fd);
    if (ask->word == HOLDING_REACH)
        h->reach = ask->id;
    if (ask->word == HOLDING_DIRECTORY || ask->word == HOLDING_HOLD)
        return;
    closep(&fd);
    HASH_FIND(hh, h->by_id, &ask->id, sizeof(ask->id), f);
    if (!f) /* another word, or it was refused, or has ended: the reply is under way */
        return;
    if (ask->word == HOLDING_TAKE && f->turn != TURN_WAITED_FOR)
        set_turn(h, f, TURN_TAKEN);
    if (ask->word == HOLDING_DROP) {
        forget_copy(h, f);
        let_go(h, f);
    }
}

static int descriptor_of(struct msghdr *m)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd = -EBADF;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(fd)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

/* One: whoever waits is looked for in between. */
static void take_ask(struct holding *h)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct holding_ask ask;
    struct iovec to = { &ask, sizeof(ask) };
    struct msghdr m = { .msg_iov = &to, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    ssize_t n = recvmsg(h->socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n == (ssize_t)sizeof(ask))
        on_ask(h, &ask, descriptor_of(&m));
    else if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        h->ended = true;
}

/* ---- the process ---- */

static uint64_t longest_wait_ns(void)
{
    _cleanup_close_ int fd = open(LEASE_BREAK_TIME, O_RDONLY | O_CLOEXEC);
    char text[32] = "";
    uint64_t seconds = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? strtoull(text, NULL, 10) : 0;

    return MIN(seconds * NS_PER_S / 4, holding_wait_ms * NS_PER_MS);
}

static void as_many_as_may_be(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int take_breaks_as_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, BREAKS);
    sigaddset(&set, SIGIO);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

_Noreturn void holding_run(int socket)
{
    static struct holding h;

    h = (struct holding){ .socket = socket, .directory = -EBADF, .wait_ns = longest_wait_ns(), .part = malloc(PART) };
    h.signals = take_breaks_as_signals();
    as_many_as_may_be();
    (void)sandbox_keep_capabilities(HOLDING_CAPABILITIES);
    h.ended = !h.part || h.signals < 0;
    while (!h.ended) {
        struct pollfd ready[] = { { .fd = socket, .events = (short)(POLLIN | (h.reply_count ? POLLOUT : 0)) }, { .fd = h.signals, .events = POLLIN } };
        bool busy = h.turns[TURN_WAITED_FOR] || h.turns[TURN_TAKEN] || h.turns[TURN_COPIED];

        (void)poll(ready, 2, busy ? 0 : -1);
        take_signals(&h);
        send_replies(&h);
        if (ready[0].revents & ~POLLOUT)
            take_ask(&h);
        if (h.reach && !h.turns[TURN_WAITED_FOR]) {
            reply(&h, h.reach, HOLDING_REACHED, 0);
            h.reach = 0;
        }
        work(&h, ready[0].revents & ~POLLOUT ? TURN_COPIED : TURN_COUNT);
    }
    _exit(0);
}
