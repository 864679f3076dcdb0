/* SPDX-License-Identifier: MIT */
#include "daemon/guard_starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/guard_reach.h"
#include "daemon/guard_words.h"
#include "guard/keeper.h"
#include "guard/state.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define PREFIX "culprit: "
#define GUARDED "guarded: "
#define CONFIRMED "confirmed: "
#define LAST_NS (20 * NS_PER_S) /* for all to end, once the daemon has */
#define FIRST_MS 60000          /* for the first report of a process of ours */
#define FOUND_MS 5000           /* of one that may be stopped */
#define EVERY_NS NS_PER_S       /* one that is killed again and again is not begun more often */
#define RETRY_NS (10 * NS_PER_S)
#define FAILED_MAX 30 /* without a daemon it is given up then: culprit guard --off could not find it */

/* One `culprit guard`. Free: there are no words. */
struct started_guard {
    uint32_t id;
    struct sbuf words;
    pid_t pid; /* 0: it is to be begun, at again_ns */
    int out;   /* its stderr */
    bool keep, wanted, in_force, unwanted; /* wanted: by the daemon that there is; unwanted: it is to end */
    uint64_t begun_ns, again_ns, lost_ns;  /* CLOCK_MONOTONIC; lost_ns: since when nothing is refused; 0: it is */
    uint64_t first_ns; /* CLOCK_BOOTTIME: since when --for and --confirm count; 0: it was not in force yet */
    bool confirmed;    /* it goes on beyond --confirm */
    unsigned failed; /* to begin it anew, so often, with nobody to know of it */
    uint64_t away_ns;                      /* for how long nothing was, of which no daemon knows yet */
    char text[512];  /* what was said when it was in force, or why it was lost */
    char line[512];  /* what came of the line that it is just writing */
    size_t len;
    char last[512];  /* its last whole line */
};

struct guard_starter {
    int socket; /* -EBADF: the daemon has ended */
    int listen; /* -EBADF: no other one will find us */
    struct started_guard all[GUARDS_MAX];
    struct guard_order order; /* the one that came last */
};

static void send_report(const struct guard_starter *s, const struct guard_report *r)
{
    if (s->socket >= 0)
        (void)send(s->socket, r, sizeof(*r), MSG_NOSIGNAL);
}

static void report(const struct guard_starter *s, uint32_t id, enum guard_condition condition, const char *text)
{
    struct guard_report r = { .id = id, .condition = condition };

    snprintf(r.text, sizeof(r.text), "%s", text);
    send_report(s, &r);
}

/* How it is now; what no daemon knows yet first. */
static void report_now(const struct guard_starter *s, struct started_guard *g)
{
    struct guard_report r = { .id = g->id, .condition = GUARD_IN_FORCE, .away_ns = g->away_ns };

    if (!g->in_force)
        return;
    snprintf(r.text, sizeof(r.text), "%s", g->text);
    send_report(s, &r);
    if (s->socket >= 0)
        g->away_ns = 0;
}

/* ---- beginning ---- */

static _Noreturn void become(char **words, int out, pid_t starter)
{
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* what is ignored would be so in the program */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (getppid() == starter && dup2(out, STDERR_FILENO) >= 0)
        (void)execv("/proc/self/exe", words); /* the same, whatever is installed by now */
    _exit(127);
}

static void forget(struct started_guard *g)
{
    sbuf_done(&g->words);
    *g = (struct started_guard){ .out = -EBADF };
}

static bool is_free(const struct started_guard *g)
{
    return !g->words.len;
}

/* Begun anew it ends when the first one would have. False: that time is over. */
static bool words_now(const struct started_guard *g, struct sbuf *out)
{
    if (g->first_ns)
        return guard_words_left(sbuf_bytes(&g->words), clock_ns(CLOCK_BOOTTIME) - g->first_ns, g->confirmed, out);
    sbuf_add_bytes(out, sbuf_bytes(&g->words));
    return true;
}

/* False: no process is to be had. */
static bool run(struct started_guard *g, struct sbuf *now)
{
    char *words[GUARD_ARGUMENTS_MAX + 3] = { (char *)(uintptr_t)"culprit", (char *)(uintptr_t)"guard" };
    pid_t starter = getpid();
    int ends[2];

    g->again_ns = 0;
    g->in_force = false;
    g->len = 0;
    g->last[0] = '\0';
    if (sbuf_error(now) < 0 || !guard_words_take(now, words + 2) || pipe2(ends, O_CLOEXEC) < 0)
        return false;
    g->begun_ns = clock_ns(CLOCK_MONOTONIC);
    g->out = ends[0];
    g->pid = fork();
    if (g->pid == 0)
        become(words, ends[1], starter);
    close(ends[1]);
    if (g->pid > 0)
        return true;
    close(ends[0]);
    g->pid = 0;
    return false;
}

static void run_or_retry(const struct guard_starter *s, struct started_guard *g)
{
    _cleanup_sbuf_ struct sbuf now = SBUF_INIT;

    if (!words_now(g, &now)) {
        report(s, g->id, GUARD_OVER, "its time is over");
        forget(g);
        return;
    }
    if (run(g, &now))
        return;
    report(s, g->id, GUARD_NOT_BEGUN, "no process");
    if (g->keep || g->lost_ns)
        g->again_ns = clock_ns(CLOCK_MONOTONIC) + RETRY_NS;
    else
        forget(g);
}

static struct started_guard *find_same(struct guard_starter *s, const struct guard_order *order, size_t len)
{
    for (size_t i = 0; i < GUARDS_MAX; i++) {
        struct started_guard *g = &s->all[i];

        if (!is_free(g) && !g->unwanted && bytes_equal(sbuf_bytes(&g->words), (struct bytes){ order->words, len }))
            return g;
    }
    return NULL;
}

static struct started_guard *find_free(struct guard_starter *s)
{
    for (size_t i = 0; i < GUARDS_MAX; i++)
        if (is_free(&s->all[i]))
            return &s->all[i];
    return NULL;
}

static void begin(struct guard_starter *s, const struct guard_order *order, size_t len)
{
    struct started_guard *g = find_same(s, order, len);

    if (!g && len && order->words[len - 1] == '\0' && guard_words_count((struct bytes){ order->words, len }) <= GUARD_ARGUMENTS_MAX && (g = find_free(s)))
        sbuf_add(&g->words, order->words, len);
    if (!g || sbuf_error(&g->words) < 0) {
        report(s, order->id, GUARD_NOT_BEGUN, "no room for one more");
        if (g)
            forget(g);
        return;
    }
    g->id = order->id;
    g->keep = order->keep;
    g->wanted = true;
    if (g->lost_ns)
        report(s, g->id, GUARD_LOST, g->text);
    if (g->pid)
        report_now(s, g);
    else
        run_or_retry(s, g);
}

/* ---- ending ---- */

static void end(struct started_guard *g)
{
    g->unwanted = true;
    if (g->pid)
        (void)kill(g->pid, SIGTERM); /* a child that was not waited for yet */
    else
        forget(g);
}

static void end_daemon(struct guard_starter *s)
{
    close(s->socket);
    s->socket = -EBADF;
    for (size_t i = 0; i < GUARDS_MAX; i++) {
        struct started_guard *g = &s->all[i];

        g->wanted = false;
        if (!is_free(g) && !g->keep)
            end(g);
    }
}

static void obey(struct guard_starter *s, const struct guard_order *order, size_t len)
{
    if (order->kind == GUARD_ORDER_BEGIN)
        begin(s, order, len);
    for (size_t i = 0; i < GUARDS_MAX && order->kind != GUARD_ORDER_BEGIN; i++) {
        struct started_guard *g = &s->all[i];

        if (!is_free(g) && (order->kind == GUARD_ORDER_END_ALL || (order->kind == GUARD_ORDER_END && g->wanted && g->id == order->id) ||
                            (order->kind == GUARD_ORDER_END_OTHERS && !g->wanted)))
            end(g);
    }
}

static void receive(struct guard_starter *s)
{
    const size_t head = offsetof(struct guard_order, words);
    ssize_t n;

    while ((n = recv(s->socket, &s->order, sizeof(s->order), MSG_DONTWAIT)) >= (ssize_t)head)
        obey(s, &s->order, (size_t)n - head);
    if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        end_daemon(s);
}

/* One at a time: who has us is not disturbed by another one. True: there is one now that was not. */
static bool receive_daemon(struct guard_starter *s)
{
    int fd = s->listen < 0 ? -EBADF : guard_reach_accept(s->listen);

    if (fd < 0 || s->socket >= 0)
        return closep(&fd), false;
    s->socket = fd;
    report(s, 0, GUARD_HELLO, "");
    return true;
}

/* ---- what they say ---- */

static void take_line(const struct guard_starter *s, struct started_guard *g)
{
    const char *text;

    g->line[g->len] = '\0';
    g->len = 0;
    text = strncmp(g->line, PREFIX, strlen(PREFIX)) == 0 ? g->line + strlen(PREFIX) : g->line;
    snprintf(g->last, sizeof(g->last), "%s", text);
    g->confirmed |= strncmp(text, CONFIRMED, strlen(CONFIRMED)) == 0;
    if (strncmp(text, GUARDED, strlen(GUARDED)) != 0 || g->in_force || g->unwanted)
        return;
    g->in_force = true;
    g->failed = 0;
    if (!g->first_ns)
        g->first_ns = clock_ns(CLOCK_BOOTTIME);
    snprintf(g->text, sizeof(g->text), "%s", text);
    if (g->lost_ns)
        g->away_ns += clock_ns(CLOCK_MONOTONIC) - g->lost_ns;
    g->lost_ns = 0;
    report_now(s, g);
}

/* Somebody killed what held it; who ends a guard that hangs by `culprit guard --off` kills it too, and has said so. */
static bool is_lost(const struct started_guard *g, pid_t pid, int status)
{
    bool off = guard_state_take_note(GUARD_STATE_DIRECTORY, pid);

    return g->in_force && !off && (WIFSIGNALED(status) || strncmp(g->last, GUARD_KEEPER_KILLED, strlen(GUARD_KEEPER_KILLED)) == 0);
}

static void lose(const struct guard_starter *s, struct started_guard *g)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    g->lost_ns = now;
    g->again_ns = MAX(now, g->begun_ns + EVERY_NS);
    g->in_force = false;
    snprintf(g->text, sizeof(g->text), "%s", g->last);
    report(s, g->id, GUARD_LOST, g->text);
}

static void finish(const struct guard_starter *s, struct started_guard *g)
{
    pid_t pid = g->pid;
    int status = 0;

    close(g->out);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    g->pid = 0;
    if (g->unwanted) {
        forget(g);
        return;
    }
    if (!g->last[0] || WIFSIGNALED(status))
        snprintf(g->last, sizeof(g->last), WIFSIGNALED(status) ? "ended by signal %d" : "ended with status %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (is_lost(g, pid, status)) {
        lose(s, g);
        return;
    }
    report(s, g->id, g->in_force ? GUARD_OVER : GUARD_NOT_BEGUN, g->last);
    g->failed += s->socket < 0;
    if (!g->in_force && g->lost_ns && g->failed < FAILED_MAX)
        g->again_ns = clock_ns(CLOCK_MONOTONIC) + RETRY_NS;
    else
        forget(g);
}

static void read_lines(const struct guard_starter *s, struct started_guard *g)
{
    char text[4096];
    ssize_t n = read(g->out, text, sizeof(text));

    if (n < 0 && errno == EINTR)
        return;
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            take_line(s, g);
        else if (g->len < sizeof(g->line) - 1)
            g->line[g->len++] = text[i];
    }
    if (n <= 0)
        finish(s, g);
}

/* ---- its life ---- */

/* Nothing is to be waited for, or what there is will end. */
static bool is_at_end(const struct guard_starter *s, bool *ret_idle)
{
    *ret_idle = true;
    for (size_t i = 0; i < GUARDS_MAX; i++) {
        const struct started_guard *g = &s->all[i];

        if (!is_free(g) && !g->unwanted)
            return *ret_idle = false;
        *ret_idle &= is_free(g);
    }
    return s->socket < 0;
}

/* Begins what is due; in how many ms the next one is, -1: none. */
static int begin_due(struct guard_starter *s)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC), next = 0;

    for (size_t i = 0; i < GUARDS_MAX; i++) {
        struct started_guard *g = &s->all[i];

        if (g->again_ns && g->again_ns <= now)
            run_or_retry(s, g);
        if (g->again_ns && (!next || g->again_ns < next))
            next = g->again_ns;
    }
    return next ? (int)((next > now ? next - now : 0) / NS_PER_MS) + 1 : -1;
}

static void turn(struct guard_starter *s, int timeout_ms)
{
    struct pollfd fds[GUARDS_MAX + 2] = { { .fd = s->socket, .events = POLLIN }, { .fd = s->listen, .events = POLLIN } };

    for (size_t i = 0; i < GUARDS_MAX; i++)
        fds[i + 2] = (struct pollfd){ .fd = s->all[i].pid ? s->all[i].out : -1, .events = POLLIN };
    if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0)
        return;
    for (size_t i = 0; i < GUARDS_MAX; i++)
        if (s->all[i].pid && fds[i + 2].revents)
            read_lines(s, &s->all[i]);
    if (s->socket >= 0 && (fds[0].revents || fds[1].revents)) /* the end of one daemon before the beginning of the next */
        receive(s);
    if (fds[1].revents)
        (void)receive_daemon(s);
}

static _Noreturn void work(int socket, const char *path)
{
    static struct guard_starter s; /* too large for a stack, and this process has one */
    struct err err = ERR_INIT;
    uint64_t end_ns = 0;
    bool idle;

    child_begin(socket, "culprit-starter");
    (void)setsid(); /* what is typed at the daemon's terminal is not for guards */
    s.socket = socket;
    s.listen = path ? guard_reach_listen(path, &err) : -EBADF;
    report(&s, 0, GUARD_HELLO, path && s.listen < 0 ? err_text(&err, s.listen) : "");
    for (;;) {
        bool over = is_at_end(&s, &idle);

        if (!over)
            end_ns = 0;
        else if (!end_ns)
            end_ns = clock_ns(CLOCK_MONOTONIC) + LAST_NS;
        if (over && (idle || clock_ns(CLOCK_MONOTONIC) >= end_ns) && !receive_daemon(&s))
            break;
        turn(&s, over ? 1000 : begin_due(&s));
    }
    _exit(0);
}

/* The first report; *ret_text: its text. */
static int await_first(int socket, int timeout_ms, char *ret_text, size_t size)
{
    struct pollfd ready = { .fd = socket, .events = POLLIN };
    struct guard_report r;

    (void)fcntl(socket, F_SETFL, O_NONBLOCK);
    if (poll(&ready, 1, timeout_ms) <= 0)
        return -ETIMEDOUT;
    if (recv(socket, &r, sizeof(r), MSG_DONTWAIT) != (ssize_t)sizeof(r) || r.condition != GUARD_HELLO)
        return -ECONNRESET;
    snprintf(ret_text, size, "%s", r.text);
    return 0;
}

int guard_starter_find(const char *path, int *ret_socket, bool *ret_silent)
{
    int fd = guard_reach_connect(path), r;
    char text[512];

    if (fd < 0)
        return fd;
    r = await_first(fd, FOUND_MS, text, sizeof(text));
    *ret_silent = r == -ETIMEDOUT;
    if (r < 0 && !*ret_silent)
        return closep(&fd), r;
    *ret_socket = fd;
    return 0;
}

int guard_starter_start(const char *path, int *ret_socket, struct err *err)
{
    char text[512] = "";
    int ends[2], r = 0;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(err, -errno, "a socket for guards");
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        work(ends[1], path);
    }
    close(ends[1]);
    if (pid < 0)
        r = err_set(err, -errno, "a process for guards");
    else if ((r = await_first(ends[0], FIRST_MS, text, sizeof(text))) < 0)
        err_set(err, r, "the process for guards");
    else if (text[0])
        r = err_say(err, -EADDRNOTAVAIL, "%s", text);
    if (r < 0)
        close(ends[0]);
    else
        *ret_socket = ends[0];
    return r;
}

int guard_starter_order(int socket, enum guard_order_kind kind, uint32_t id, bool keep, struct bytes words)
{
    struct guard_order o;

    if (words.len > sizeof(o.words))
        return -E2BIG;
    o.kind = kind;
    o.id = id;
    o.keep = keep;
    if (words.len)
        memcpy(o.words, words.data, words.len);
    return send(socket, &o, offsetof(struct guard_order, words) + words.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}
