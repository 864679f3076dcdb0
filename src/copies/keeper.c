/* SPDX-License-Identifier: MIT */
#include "copies/keeper.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "copies/ended.h"
#include "copies/keeping.h"
#include "copies/keeping_again.h"
#include "event/operation.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/mountinfo.h"
#include "util/sbuf.h"

#define END_MS 5000
#define QUEUE (4 * 1024 * 1024) /* bytes of changes that wait */

/* What it was asked to keep: one that is begun anew is asked again. */
struct asked_path {
    struct asked_path *next;
    uint32_t word, point_len;
    size_t len;
    char path[];
};

struct copies_keeper {
    int socket;
    pid_t pid;         /* of the process that begins it */
    struct asked_path *asked, **asked_end;
    size_t of_containers, next_look; /* of these: containers' roots; with so many it is looked at which have ended */
    bool chosen;
    bool unasked;      /* it does not know yet what it was asked for */
    uint64_t age_ns;
    uint64_t watched;  /* walks that were asked for */
    bool mounted;      /* containers' files are kept too */
    uint64_t missed;
    uint64_t missed_ns; /* of the first that was missed; 0: all is with the keeper. All is to be walked through */
    struct copies_report last;
};

static int await_start(struct copies_keeper *k, const char *directory, struct err *err)
{
    struct pollfd ready = { .fd = k->socket, .events = POLLIN };

    if (poll(&ready, 1, END_MS) <= 0 || recv(k->socket, &k->last, sizeof(k->last), MSG_DONTWAIT) != sizeof(k->last))
        k->last.error = -ETIMEDOUT;
    k->unasked = k->last.killed > 0;
    if (k->last.error == -EBUSY)
        return err_say(err, -EBUSY, "another culprit keeps copies in %s", directory);
    return k->last.error ? err_set(err, k->last.error, "keeping copies in %s", directory) : 0;
}

/* The same from any working directory; for a process that is to keep it. */
static const char *absolute(const char *directory)
{
    _cleanup_free_ char *cwd = directory[0] == '/' ? NULL : getcwd(NULL, 0);
    char *path = NULL;

    return cwd && asprintf(&path, "%s/%s", cwd, directory) > 0 ? path : directory;
}

int copies_keeper_start(const char *directory, uint64_t limit, struct copies_keeper **ret, struct err *err)
{
    struct copies_keeper *k = calloc(1, sizeof(*k));
    int ends[2], size = QUEUE, r = k ? 0 : -ENOMEM;

    if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        r = err_set(err, -errno, "keeping copies");
    if (r < 0) {
        free(k);
        return r;
    }
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    k->socket = ends[0];
    k->asked_end = &k->asked;
    k->pid = fork();
    if (k->pid == 0) {
        close(ends[0]);
        keeping_run_again(ends[1], absolute(directory), limit);
    }
    close(ends[1]);
    r = k->pid < 0 ? err_set(err, -errno, "keeping copies") : await_start(k, directory, err);
    if (r < 0) {
        close(k->socket);
        free(k);
        return r;
    }
    *ret = k;
    return 0;
}

static bool say_of(struct copies_keeper *k, enum keeper_word word, uint64_t time_ns, struct bytes path, size_t point_len)
{
    struct keeper_ask ask = { .time_ns = time_ns, .word = word, .point_len = (uint32_t)point_len };
    struct iovec parts[] = { { &ask, sizeof(ask) }, { (void *)(uintptr_t)path.data, path.len } };
    struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };

    return sendmsg(k->socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static bool say(struct copies_keeper *k, enum keeper_word word, uint64_t time_ns, struct bytes path)
{
    return say_of(k, word, time_ns, path, 0);
}

/* ---- what it was asked for ---- */

static void forget_asked(struct copies_keeper *k)
{
    for (struct asked_path *a = k->asked, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    k->asked = NULL;
    k->asked_end = &k->asked;
    k->of_containers = k->next_look = 0;
}

/* What is not mounted any more is asked for anew when it is; containers' lives have no end. */
static void forget_ended(struct copies_keeper *k)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    struct asked_path **at = &k->asked, *a;

    if (mountinfo_read("/proc/self/mountinfo", &table) < 0)
        return;
    k->of_containers = 0;
    while ((a = *at)) {
        if (a->point_len && !ended_is_mounted(sbuf_bytes(&table), (struct bytes){ a->path, a->point_len })) {
            *at = a->next;
            free(a);
            continue;
        }
        k->of_containers += a->point_len > 0;
        at = &a->next;
    }
    k->asked_end = at;
    k->next_look = ended_next_look(k->of_containers);
}

static void note_asked(struct copies_keeper *k, enum keeper_word word, struct bytes path, size_t point_len)
{
    struct asked_path *a;

    for (a = k->asked; a; a = a->next)
        if (a->word == word && bytes_equal((struct bytes){ a->path, a->len }, path))
            break;
    if (a) {
        a->point_len = (uint32_t)point_len;
        return;
    }
    if (point_len && k->of_containers >= MAX(k->next_look, (size_t)ROOTS_FEW))
        forget_ended(k);
    a = malloc(sizeof(*a) + path.len);
    if (!a)
        return; /* after a kill it would be kept again from the next reload on */
    *a = (struct asked_path){ .word = word, .point_len = (uint32_t)point_len, .len = path.len };
    memcpy(a->path, path.data, path.len);
    k->of_containers += point_len > 0;
    *k->asked_end = a;
    k->asked_end = &a->next;
}

/* All of it again, to one that was begun anew; where not all could be said all is said at the next call. */
static void ask_again(struct copies_keeper *k)
{
    bool done = k->unasked && (!k->age_ns || say(k, KEEPER_AGE, k->age_ns, BYTES_NULL)) && (!k->chosen || say(k, KEEPER_FORGET, 0, BYTES_NULL));

    for (const struct asked_path *a = k->asked; a && done; a = a->next) {
        done = say_of(k, (enum keeper_word)a->word, clock_ns(CLOCK_REALTIME), (struct bytes){ a->path, a->len }, a->point_len);
        k->watched += done && a->word != KEEPER_LEAVE;
    }
    if (done && say(k, KEEPER_ASKED, 0, BYTES_NULL))
        k->unasked = false;
}

static void say_again(struct copies_keeper *k)
{
    ask_again(k);
    if (k->missed_ns && !k->unasked && say(k, KEEPER_AGAIN, k->missed_ns, BYTES_NULL)) {
        k->missed_ns = 0;
        k->watched++;
    }
}

static void miss(struct copies_keeper *k, uint64_t time_ns)
{
    if (!k->missed_ns)
        k->missed_ns = time_ns;
}

void copies_keeper_watch(struct copies_keeper *k, struct bytes path)
{
    uint64_t now = clock_ns(CLOCK_REALTIME);

    if (path.len >= PATH_MAX)
        return;
    note_asked(k, KEEPER_WATCH, path, 0);
    if (say(k, KEEPER_WATCH, now, path))
        k->watched++;
    else
        miss(k, now);
}

bool copies_keeper_watch_mounted(struct copies_keeper *k, struct bytes path, size_t point_len)
{
    if (path.len >= PATH_MAX || !say_of(k, KEEPER_WATCH_MOUNTED, clock_ns(CLOCK_REALTIME), path, point_len))
        return false;
    note_asked(k, KEEPER_WATCH_MOUNTED, path, point_len);
    k->watched++;
    k->mounted = true;
    return true;
}

bool copies_keeper_choose(struct copies_keeper *k, const struct copies_choice *choices, size_t count)
{
    bool done = say(k, KEEPER_FORGET, 0, BYTES_NULL);

    forget_asked(k);
    k->chosen = true;
    for (size_t i = 0; i < count && done; i++) {
        if (choices[i].keep || choices[i].path.len >= PATH_MAX)
            continue;
        done = say(k, KEEPER_LEAVE, 0, choices[i].path);
        note_asked(k, KEEPER_LEAVE, choices[i].path, 0);
    }
    for (size_t i = 0; i < count && done; i++)
        if (choices[i].keep)
            copies_keeper_watch(k, choices[i].path);
    return done && !k->missed_ns;
}

void copies_keeper_age(struct copies_keeper *k, uint64_t age_ns)
{
    k->age_ns = age_ns;
    (void)say(k, KEEPER_AGE, age_ns, BYTES_NULL);
}

static void change(struct copies_keeper *k, enum keeper_word word, const struct event *event, struct bytes path)
{
    if (!path.len || path.data[0] != '/' || path.len >= PATH_MAX)
        return;
    if (!say(k, word, event->time_ns, path)) {
        k->missed++;
        miss(k, event->time_ns);
    }
}

void copies_keeper_event(struct copies_keeper *k, const struct event *event)
{
    const unsigned changes = PERMISSION_WRITE | PERMISSION_ATTR;

    bool host = event->victim_kind == VICTIM_HOST;
    struct bytes path = host ? event->path : event->host_path, previous = host ? event->previous_path : event->previous_host_path;

    if (event->error || (!host && (event->victim_kind != VICTIM_CONTAINER || !k->mounted)) || !(operation_info(event->operation)->permission & changes))
        return;
    say_again(k);
    if (event->operation == OPERATION_RENAME)
        change(k, KEEPER_GONE, event, previous);
    if (event->operation == OPERATION_RENAME && event->file.known & FILE_MODE && S_ISDIR(event->file.mode))
        change(k, KEEPER_GONE, event, path); /* an empty folder gave way: all of this one is to be kept */
    else if (operation_removes(event->operation))
        change(k, KEEPER_GONE, event, path);
    if (event->operation == OPERATION_RENAME || !operation_removes(event->operation))
        change(k, KEEPER_CHANGED, event, path);
}

bool copies_keeper_take(struct copies_keeper *k, struct copies_report *ret)
{
    struct copies_report report;
    bool any = false;
    ssize_t n;

    while ((n = recv(k->socket, &report, sizeof(report), MSG_DONTWAIT)) == sizeof(report)) {
        if (report.killed != k->last.killed) {
            k->unasked = true;
            k->watched = 0;
        }
        k->last = report;
        any = true;
    }
    say_again(k);
    if (n == 0 && k->last.error != -EPIPE) { /* somebody ended it */
        k->last.error = -EPIPE;
        any = true;
    }
    *ret = k->last;
    return any;
}

bool copies_keeper_await(struct copies_keeper *k, unsigned timeout_ms, struct copies_report *ret)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + timeout_ms;

    for (;;) {
        uint64_t now = clock_ms(CLOCK_MONOTONIC);
        struct pollfd ready = { .fd = k->socket, .events = POLLIN };

        (void)copies_keeper_take(k, ret);
        if ((ret->walks >= k->watched && !k->unasked) || ret->error)
            return true;
        if (now >= until || poll(&ready, 1, (int)(until - now)) == 0)
            return false;
    }
}

bool copies_keeper_is_through(const struct copies_keeper *k)
{
    return k->last.walks >= k->watched && !k->missed_ns && !k->unasked;
}

uint64_t copies_keeper_missed(struct copies_keeper *k)
{
    uint64_t missed = k->missed;

    k->missed = 0;
    return missed;
}

bool copies_keeper_is(const struct copies_keeper *k, pid_t parent_pid)
{
    return k && k->pid == parent_pid;
}

void copies_keeper_end(struct copies_keeper *k)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + END_MS;
    char rest[sizeof(struct copies_report)];

    if (!k)
        return;
    (void)shutdown(k->socket, SHUT_WR);
    for (uint64_t now = until - END_MS; now < until; now = clock_ms(CLOCK_MONOTONIC)) {
        struct pollfd ready = { .fd = k->socket, .events = POLLIN };

        if (poll(&ready, 1, (int)(until - now)) > 0 && recv(k->socket, rest, sizeof(rest), MSG_DONTWAIT) == 0)
            break;
    }
    close(k->socket);
    (void)waitpid(k->pid, NULL, WNOHANG);
    forget_asked(k);
    free(k);
}
