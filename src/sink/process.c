/* SPDX-License-Identifier: MIT */
#include "sink/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sink/spool.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"

#define AGAIN_S 1                        /* before one that died is started again */
#define GRACE_NS (2 * NS_PER_S)          /* beyond the time that a delivery has itself */
#define LAST_NS (5 * NS_PER_S)           /* when the daemon has ended */
#define SOCKET_BYTES (1024 * 1024)
#define LOCK_NS (100 * NS_PER_MS)        /* between two looks whether another one delivers what is in the spool */
#define STATUS_DROP 2                    /* of a delivery: it is never done */
#define STATUS_SAID 2                    /* of a process that has reported why it ends */

struct sink_process {
    const struct sink_settings *settings;
    struct sink_spool spool;
    struct sink_report report;
    int socket;              /* -EBADF: the daemon has ended */
    pid_t child;             /* it delivers; 0: none */
    bool tests;              /* a test is what it delivers */
    bool alone;              /* nobody else delivers what is in the spool */
    int pipe;                /* what it says of its failure */
    struct sbuf why;
    uint64_t deadline_ns, next_ns, end_ns; /* CLOCK_MONOTONIC */
};

uint64_t sink_retry_ns(unsigned failures, uint64_t chance)
{
    uint64_t ns = SINK_RETRY_MAX_NS;

    if (failures <= 8)
        ns = MIN(SINK_RETRY_MIN_NS << (failures ? failures - 1 : 0), SINK_RETRY_MAX_NS);
    return ns - ns / 4 + chance % (ns / 2 + 1);
}

static void report(struct sink_process *p)
{
    p->report.waiting = p->spool.count;
    p->report.dropped = p->spool.dropped;
    if (p->socket >= 0)
        (void)send(p->socket, &p->report, sizeof(p->report), MSG_NOSIGNAL | MSG_DONTWAIT); /* the next one says the same, and more */
}

static void fail(struct sink_process *p, struct bytes why)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    uint64_t chance = 0;

    (void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK);
    escape_terminal(&shown, why);
    snprintf(p->report.text, sizeof(p->report.text), "%s", sbuf_str(&shown));
    p->report.failures++;
    p->report.in_a_row++;
    p->next_ns = clock_ns(CLOCK_MONOTONIC) + sink_retry_ns(p->report.in_a_row, chance);
    if (p->socket < 0)
        p->end_ns = 0; /* what waits is found by the next one */
    report(p);
}

/* ---- one delivery ---- */

static _Noreturn void deliver(const struct sink_process *p, struct bytes message, int out)
{
    struct err err = ERR_INIT;
    struct sink_message m;
    int r = sink_message_read(message, &m);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)setpgid(0, 0); /* what it starts ends with it */
    if (r == 0)
        r = p->settings->ops->deliver(p->settings, &m, &err);
    if (r == 0)
        _exit(0);
    (void)!write(out, err_text(&err, r), strlen(err_text(&err, r)));
    _exit(r == SINK_DROP ? STATUS_DROP : 1);
}

/* A daemon that was killed leaves one that has its last try, while the next one's begins: nobody is to hear it twice. */
static bool is_alone(struct sink_process *p)
{
    if (!p->alone)
        p->alone = flock(p->spool.dir, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (!p->alone)
        p->next_ns = clock_ns(CLOCK_MONOTONIC) + LOCK_NS;
    return p->alone;
}

static void begin(struct sink_process *p)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT;
    struct sink_message m;
    int ends[2];

    if (!is_alone(p) || sink_spool_oldest(&p->spool, &message) < 0)
        return;
    p->tests = sink_message_read(sbuf_bytes(&message), &m) == 0 && m.test;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        fail(p, bytes_of("no pipe"));
        return;
    }
    p->child = fork();
    if (p->child == 0)
        deliver(p, sbuf_bytes(&message), ends[1]);
    close(ends[1]);
    sbuf_clear(&p->why);
    if (p->child < 0) {
        close(ends[0]);
        p->child = 0;
        fail(p, bytes_of("no process"));
        return;
    }
    p->pipe = ends[0];
    p->deadline_ns = clock_ns(CLOCK_MONOTONIC) + p->settings->timeout_ns + GRACE_NS;
}

/* The next one has its turn at once. */
static void drop(struct sink_process *p, struct bytes why)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    escape_terminal(&shown, why);
    snprintf(p->report.text, sizeof(p->report.text), "%s", sbuf_str(&shown));
    sink_spool_remove_oldest(&p->spool);
    p->spool.dropped++;
    p->report.failures++;
    p->next_ns = 0;
    report(p);
}

static void finish(struct sink_process *p, bool late)
{
    char text[LIMIT_ERR];
    ssize_t n;
    int status = 0;

    if (late)
        (void)kill(p->child, SIGKILL);
    (void)kill(-p->child, SIGKILL); /* a program that it has started, should it live still */
    while (waitpid(p->child, &status, 0) < 0 && errno == EINTR)
        ;
    n = read(p->pipe, text, sizeof(text));
    close(p->pipe);
    p->child = 0;
    p->pipe = -EBADF;
    if (late) {
        fail(p, bytes_of("no answer in time"));
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        sink_spool_remove_oldest(&p->spool);
        p->report.delivered++;
        p->report.tests += p->tests;
        p->report.in_a_row = 0;
        p->report.text[0] = '\0';
        p->next_ns = 0;
        report(p);
    } else if (n > 0 && WIFEXITED(status) && WEXITSTATUS(status) == STATUS_DROP) {
        drop(p, (struct bytes){ text, (size_t)n });
    } else if (n > 0) {
        fail(p, (struct bytes){ text, (size_t)n });
    } else {
        fail(p, bytes_of("it ended without a word"));
    }
}

/* ---- what comes ---- */

static void receive(struct sink_process *p)
{
    static char message[SINK_MESSAGE_MAX]; /* too large for a stack, and this process has one */
    struct err err = ERR_INIT;
    struct sink_message m;
    ssize_t n;
    int r;

    while ((n = recv(p->socket, message, sizeof(message), MSG_DONTWAIT)) > 0) {
        r = sink_spool_put(&p->spool, (struct bytes){ message, (size_t)n }, &err);
        if (r < 0) { /* a full disk: it is not kept, and that is said */
            p->spool.dropped++;
            snprintf(p->report.text, sizeof(p->report.text), "%.190s", err_text(&err, r));
            p->report.failures++;
        } else if (sink_message_read((struct bytes){ message, (size_t)n }, &m) == 0 && m.test) {
            p->next_ns = 0; /* whoever tries does not want to wait for the next try */
        }
        report(p);
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(p->socket);
        p->socket = -EBADF;
        p->end_ns = clock_ns(CLOCK_MONOTONIC) + LAST_NS;
        p->next_ns = 0;
    }
}

static int wait_ms(const struct sink_process *p, uint64_t now_ns)
{
    uint64_t until = UINT64_MAX;

    if (p->child)
        until = p->deadline_ns;
    else if (p->spool.count)
        until = p->next_ns;
    if (p->socket < 0)
        until = MIN(until, p->end_ns);
    if (until == UINT64_MAX)
        return -1;
    return until <= now_ns ? 0 : (int)MIN((until - now_ns) / NS_PER_MS + 1, (uint64_t)60000);
}

static void run(struct sink_process *p)
{
    for (;;) {
        struct pollfd fds[] = { { p->socket, POLLIN, 0 }, { p->pipe, POLLIN, 0 } };
        uint64_t now = clock_ns(CLOCK_MONOTONIC);

        if (p->socket < 0 && !p->child && (!p->spool.count || now >= p->end_ns))
            return;
        if (poll(fds, ARRAY_SIZE(fds), wait_ms(p, now)) < 0 && errno != EINTR)
            return;
        now = clock_ns(CLOCK_MONOTONIC);
        if (fds[0].revents)
            receive(p);
        if (p->child && fds[1].revents)
            finish(p, false);
        else if (p->child && now >= (p->socket < 0 ? MIN(p->deadline_ns, p->end_ns) : p->deadline_ns))
            finish(p, true);
        if (!p->child && p->spool.count && clock_ns(CLOCK_MONOTONIC) >= p->next_ns)
            begin(p);
    }
}

static _Noreturn void work(const struct sink_settings *settings, int socket, uint32_t run_number)
{
    struct sink_process p = {
        .settings = settings, .spool = SINK_SPOOL_INIT, .report = { .run = run_number }, .socket = socket, .pipe = -EBADF
    };
    struct err err = ERR_INIT;
    int r = sink_spool_open(&p.spool, settings->spool, &err);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* of the process above it */
    if (r < 0) {
        snprintf(p.report.text, sizeof(p.report.text), "%.190s", err_text(&err, r));
        p.report.failures++;
        p.report.broken = 1;
        report(&p);
        _exit(STATUS_SAID);
    }
    report(&p);
    run(&p);
    _exit(0);
}

static void report_death(int socket, pid_t pid, int status, uint32_t run_number)
{
    struct sink_report r = { .failures = 1, .run = run_number, .broken = 1 };

    if (pid < 0)
        snprintf(r.text, sizeof(r.text), "no process");
    else if (WIFSIGNALED(status))
        snprintf(r.text, sizeof(r.text), "its process was ended by signal %d", WTERMSIG(status));
    else
        snprintf(r.text, sizeof(r.text), "its process ended with status %d", WEXITSTATUS(status));
    (void)send(socket, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static _Noreturn void supervise(const struct sink_settings *settings, int socket)
{
    int status = 0;
    pid_t pid;

    child_begin(socket, "culprit-sink");
    for (uint32_t number = 1;; number += 2) {
        pid = fork();
        if (pid == 0)
            work(settings, socket, number);
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            _exit(0);
        if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != STATUS_SAID)
            report_death(socket, pid, status, number + 1);
        sleep(AGAIN_S);
        if (recv(socket, &status, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            _exit(0); /* the daemon has ended meanwhile */
    }
}

int sink_start(const struct sink_settings *settings, int *ret_socket, struct err *err)
{
    const int bytes = SOCKET_BYTES;
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(err, -errno, "a socket for sink %.80s", settings->name.data);
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        supervise(settings, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        int r = -errno;

        close(ends[0]);
        return err_set(err, r, "a process for sink %.80s", settings->name.data);
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret_socket = ends[0];
    return 0;
}
