/* SPDX-License-Identifier: MIT */
#include "guard/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/holder.h"
#include "guard/state.h"
#include "guard/tree.h"
#include "guard/undo.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"

#define OBSERVED_MS 5000 /* whoever observes ends first, so that he does not see what is undone */
#define TEST_MS 2000 /* with a pause that doubles up to FORGET_MS; a few tests in any case, as forgetting takes long on a great host */
#define TESTS 3
#define FORGET_MS 250u
#define PASSES 4 /* a folder that was made while the first ones were held is held by the next pass */

struct reply {
    int r;
    size_t held, denied, all;
    struct guard_released released;
    struct err err;
};

/* ---- the keeper ---- */

struct keeping {
    const struct guard_ask *ask;
    struct guard_set others; /* what other guards hold */
    struct guard_list list;
    int state;
    char *name;
};

static int collect_all(struct keeping *k, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < k->ask->count && r == 0; i++)
        r = k->ask->method->collect(&k->ask->targets[i], &k->others, &k->list, err);
    return r;
}

static int hold_all(struct keeping *k, struct err *err)
{
    int r = 0;

    for (unsigned pass = 0; pass < PASSES && r == 0; pass++) {
        size_t from = k->list.count;

        r = collect_all(k, err); /* what is held already is not among it */
        if (r < 0 || k->list.count == from)
            return r;
        r = guard_state_append(k->state, &k->list, from, err);
        if (r == 0)
            r = k->ask->method->hold(&k->list, from, err);
    }
    return r;
}

static int test_all(const struct keeping *k, struct reply *a)
{
    int r = 0;

    for (size_t i = 0; i < k->ask->count && r == 0; i++) {
        size_t denied = 0, all = 0;

        r = k->ask->method->test(&k->ask->targets[i], &denied, &all, &a->err);
        a->denied += denied;
        a->all += all;
    }
    if (r == 0 && !a->all)
        return err_say(&a->err, -ENOENT, "there is no file or folder to guard");
    if (r == 0 && a->denied < a->all)
        return err_say(&a->err, -EBUSY, "not guarded: %zu of %zu files and folders do not deny a change (in use in the container, so that it "
                                        "remembers how they were, or the flag was cleared at once)",
                       a->all - a->denied, a->all);
    return r;
}

/* Whoever is just looking at a file in the container keeps the overlay from forgetting what flags it had: he is soon done with it. */
static int test_until_denied(const struct keeping *k, struct reply *a)
{
    uint64_t until_ms = clock_ms(CLOCK_MONOTONIC) + TEST_MS;
    unsigned pause_ms = 2;
    int r = test_all(k, a);

    for (unsigned i = 1; r == -EBUSY && (i < TESTS || clock_ms(CLOCK_MONOTONIC) < until_ms); i++) {
        (void)poll(NULL, 0, (int)pause_ms);
        pause_ms = MIN(pause_ms * 2, FORGET_MS);
        guard_tree_forget();
        a->denied = a->all = 0;
        a->err = ERR_INIT;
        r = test_all(k, a);
    }
    return r;
}

static void begin(struct keeping *k, struct reply *a)
{
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct guard_state state = { .method = bytes_of(k->ask->method->name), .target = k->ask->text, .since_ns = now,
                                 .until_ns = k->ask->for_ns ? now + k->ask->for_ns : 0,
                                 .confirm_ns = k->ask->confirm_ns ? now + k->ask->confirm_ns : 0, .asker = getppid(),
                                 .older_writers = GUARD_WRITERS_NOT_KNOWN, .mounted_below = k->ask->mounted_below };
    _cleanup_close_ int lock = guard_state_lock(k->ask->directory, true); /* nobody else's end releases what we count on */

    if (lock < 0)
        a->r = lock == -EBUSY ? err_say(&a->err, lock, "another guard is just being made or ended, for long: try again")
                              : err_set(&a->err, lock, "%s", k->ask->directory);
    if (a->r == 0)
        a->r = guard_state_held(k->ask->directory, NULL, &k->others);
    if (a->r == 0)
        a->r = guard_state_create(k->ask->directory, &state, &k->state, &k->name, &a->err);
    if (a->r == 0)
        a->r = hold_all(k, &a->err);
    if (a->r == 0)
        a->r = test_until_denied(k, a);
    a->held = k->list.count;
}

static void end(struct keeping *k, struct reply *a)
{
    if (k->name)
        guard_undo(k->ask->directory, k->name, k->ask->method, &k->list, &a->released);
}

/* It was not to be, and not all of it could be undone. */
static void say_failed(struct reply *a)
{
    struct err why = a->err;

    if (a->released.failed)
        err_say(&a->err, a->r, "%s; %zu files and folders could not be released: the next culprit command tries again",
                err_text(&why, a->r), a->released.failed);
}

/* Nothing of whoever asked is held by us: his terminal, his pipes, his working directory. */
static int become(int socket, pid_t asker)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t mask;

    (void)setsid();
    (void)prctl(PR_SET_NAME, "culprit-guard");
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* whoever forks after us holds the socket open too */
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        (void)dup2(null, fd);
    closep(&null);
    (void)fcntl(socket, F_SETFD, FD_CLOEXEC);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, GUARD_SIGNAL_CONFIRM);
    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
    if (chdir("/") < 0)
        return -errno;
    return getppid() == asker ? signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK) : -ECHILD; /* he is gone already */
}

/* He is asked to end, and waited for: but for a time only, he may be stopped. */
static void end_asker(int socket, pid_t asker)
{
    struct pollfd fd = { .fd = socket, .events = POLLIN };

    if (getppid() == asker && kill(asker, SIGTERM) == 0)
        (void)poll(&fd, 1, OBSERVED_MS);
}

struct keeper_wait {
    int socket, signals, state;
    pid_t asker;
    uint64_t until_ns, confirm_ns; /* CLOCK_BOOTTIME; 0: no such time */
};

/* What is written down says so to whoever asked for it from elsewhere. */
static void take_confirmation(struct keeper_wait *w)
{
    if (w->confirm_ns && guard_state_confirm(w->state) == 0)
        w->confirm_ns = 0;
}

/* The asker's word; false: he ends it, or is gone. */
static bool take_word(struct keeper_wait *w)
{
    char word;

    if (recv(w->socket, &word, sizeof(word), MSG_DONTWAIT) <= 0)
        return false;
    take_confirmation(w);
    return true;
}

/* False: it is to end. */
static bool take_signal(struct keeper_wait *w)
{
    struct signalfd_siginfo info;

    if (read(w->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return true;
    if ((int)info.ssi_signo != GUARD_SIGNAL_CONFIRM)
        return false;
    take_confirmation(w);
    if (getppid() == w->asker)
        (void)kill(w->asker, GUARD_SIGNAL_CONFIRM);
    return true;
}

/* True: it was not the asker who ended it. */
static bool wait_for_end(struct keeper_wait *w)
{
    struct pollfd fds[2] = { { .fd = w->socket, .events = POLLIN }, { .fd = w->signals, .events = POLLIN } };

    for (;;) {
        uint64_t now = clock_ns(CLOCK_BOOTTIME), until = w->until_ns;
        int64_t left_ms;
        int n;

        if (w->confirm_ns && (!until || w->confirm_ns < until))
            until = w->confirm_ns;
        if (until && now >= until)
            return true;
        left_ms = until ? (int64_t)((until - now) / NS_PER_MS) + 1 : 3600 * 1000;
        n = poll(fds, 2, (int)(left_ms < 3600 * 1000 ? left_ms : 3600 * 1000));
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && fds[0].revents && !take_word(w))
            return false;
        if (n > 0 && fds[1].revents && !take_signal(w))
            return true;
    }
}

/* He ends it himself at that time, after his last look; if he does not, we do a little later. */
static uint64_t later(uint64_t ns)
{
    return ns ? clock_ns(CLOCK_BOOTTIME) + ns + 2 * OBSERVED_MS * NS_PER_MS : 0;
}

static _Noreturn void keep(const struct guard_ask *ask, int socket, pid_t asker)
{
    struct keeping k = { .ask = ask, .state = -EBADF };
    struct reply a = { 0 };
    int signals = become(socket, asker);
    struct keeper_wait w = { .socket = socket, .signals = signals, .asker = asker };

    if (signals < 0)
        a.r = err_set(&a.err, signals, "the guard's keeper");
    else
        begin(&k, &a);
    if (a.r < 0) {
        end(&k, &a);
        say_failed(&a);
    }
    (void)send(socket, &a, sizeof(a), MSG_NOSIGNAL);
    if (a.r == 0) {
        w.state = k.state;
        w.until_ns = later(ask->for_ns);
        w.confirm_ns = later(ask->confirm_ns);
        if (wait_for_end(&w))
            end_asker(socket, asker);
        end(&k, &a);
        (void)send(socket, &a, sizeof(a), MSG_NOSIGNAL);
    }
    _exit(0);
}

/* ---- whoever asked ---- */

static int receive(int socket, struct reply *ret)
{
    ssize_t n;

    do
        n = recv(socket, ret, sizeof(*ret), 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*ret) ? 0 : n < 0 ? -errno : -ECHILD;
}

int guard_keeper_start(const struct guard_ask *ask, struct guard_keeper *ret, struct err *err)
{
    struct reply a = { 0 };
    pid_t pid, asker = getpid();
    int sockets[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return err_set(err, -errno, "the guard's keeper");
    pid = fork();
    if (pid == 0) {
        close(sockets[0]);
        keep(ask, sockets[1], asker);
    }
    close(sockets[1]);
    r = pid < 0 ? -errno : receive(sockets[0], &a);
    if (r == 0 && a.r < 0)
        r = err_say(err, a.r, "%s", err_text(&a.err, a.r));
    else if (r < 0)
        err_set(err, r, "the guard's keeper");
    if (r < 0) {
        close(sockets[0]);
        if (pid > 0)
            (void)waitpid(pid, NULL, 0);
        return r;
    }
    *ret = (struct guard_keeper){ pid, sockets[0], a.held, a.denied, a.all };
    return 0;
}

bool guard_keeper_is_over(struct guard_keeper *k)
{
    struct pollfd fd = { .fd = k->socket, .events = POLLIN };

    return poll(&fd, 1, 0) > 0;
}

void guard_keeper_confirm(struct guard_keeper *k)
{
    (void)send(k->socket, "c", 1, MSG_NOSIGNAL);
}

int guard_keeper_end(struct guard_keeper *k, struct guard_released *ret)
{
    struct reply a = { 0 };
    int r;

    (void)shutdown(k->socket, SHUT_WR);
    r = receive(k->socket, &a);
    close(k->socket);
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *ret = a.released;
    return r;
}
