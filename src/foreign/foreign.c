/* SPDX-License-Identifier: MIT */
#include "foreign/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "foreign/reader.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define GRACE_MS 100 /* for the worker to start and to end */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* One for the process, whoever asks: it is started before there are threads and before rights are dropped. */
static int reader = -EBADF; /* the socket to it */
static pid_t reader_pid;

/* Under the lock. */
static int start(void)
{
    int ends[2];
    pid_t pid, starter = getpid();

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        reader_run(ends[1], starter);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -errno;
    }
    reader = ends[0];
    reader_pid = pid;
    return 0;
}

int foreign_start(void)
{
    int r;

    pthread_mutex_lock(&lock);
    r = reader >= 0 ? 0 : start();
    pthread_mutex_unlock(&lock);
    return r;
}

bool foreign_is_ours(pid_t pid, pid_t parent)
{
    return reader_pid > 0 && (pid == reader_pid || parent == reader_pid);
}

static int send_to(int socket, const struct question *q, struct bytes request, const int *fds)
{
    struct iovec parts[] = { { (void *)(uintptr_t)q, sizeof(*q) }, { (void *)(uintptr_t)request.data, request.len } };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 2)] = { 0 };
    size_t size = sizeof(int) * (fds[1] >= 0 ? 2 : 1);
    struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = CMSG_SPACE(size) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), fds, size);
    return sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int put(const struct question *q, struct bytes request, int fd, int lend)
{
    const int fds[] = { fd, lend };
    int r = 0;

    pthread_mutex_lock(&lock);
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        r = reader >= 0 ? 0 : start();
        if (r == 0)
            r = send_to(reader, q, request, fds);
        if (r != -EPIPE && r != -ECONNRESET && r != -ENOTCONN)
            break;
        closep(&reader); /* somebody ended it */
        reader = -EBADF;
    }
    pthread_mutex_unlock(&lock);
    return r == -EAGAIN ? -EBUSY : r;
}

static int send_question(const struct foreign_job *job, struct bytes request, unsigned timeout_ms, int lend)
{
    struct question q = { .job = job, .timeout_ms = timeout_ms };
    int pipes[2], r;

    if (request.len > FOREIGN_REQUEST_MAX)
        return -E2BIG;
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    (void)fcntl(pipes[1], F_SETFL, 0); /* the worker waits until all is taken */
    r = put(&q, request, pipes[1], lend);
    close(pipes[1]);
    if (r < 0) {
        close(pipes[0]);
        return r;
    }
    return pipes[0];
}

/* -EAGAIN: not all of it yet. */
static int take(int fd, struct sbuf *so_far, struct bytes *ret)
{
    struct answer_head head = { 0 };

    for (;;) {
        char *room = sbuf_room(so_far, 64 * 1024);
        ssize_t n;

        if (!room)
            return -ENOMEM;
        n = read(fd, room, 64 * 1024);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        sbuf_added(so_far, (size_t)n);
        if (so_far->len >= sizeof(head)) {
            memcpy(&head, so_far->data, sizeof(head));
            if (head.len > FOREIGN_ANSWER_MAX)
                return -EBADMSG;
            if (so_far->len - sizeof(head) >= head.len)
                break;
        }
        if (n == 0)
            return -EBADMSG; /* ended by its limits, or damaged by what it read */
    }
    *ret = (struct bytes){ so_far->data + sizeof(head), head.len };
    return head.r > 0 ? -EBADMSG : head.r;
}

int foreign_say(const struct foreign_job *job, int r, struct err *err)
{
    if (r == -ETIMEDOUT)
        return err_say(err, r, "%s could not be read: no answer in time", job->what);
    if (r == -EBADMSG)
        return err_say(err, r, "%s could not be read: damaged, or made to take too long", job->what);
    if (r == -EBUSY)
        return err_say(err, r, "%s could not be read: too many files are waited for already", job->what);
    return err_set(err, r, "%s could not be read", job->what);
}

static void stop_waiting(struct foreign_pending *p)
{
    closep(&p->fd);
    p->fd = -EBADF;
}

void foreign_pending_done(struct foreign_pending *p)
{
    stop_waiting(p);
    sbuf_done(&p->so_far);
}

int foreign_wait(struct foreign_pending *p, const struct foreign_job *job, struct bytes request, unsigned timeout_ms,
                 unsigned wait_ms, struct bytes *ret)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + wait_ms;
    int r = 0;

    if (p->fd < 0) {
        sbuf_clear(&p->so_far);
        p->fd = send_question(job, request, timeout_ms, p->lend);
        r = p->fd < 0 ? p->fd : 0;
    }
    while (r == 0) {
        struct pollfd ready = { .fd = p->fd, .events = POLLIN };
        uint64_t now = clock_ms(CLOCK_MONOTONIC);

        r = take(p->fd, &p->so_far, ret);
        if (r != -EAGAIN)
            break;
        if (now >= until || poll(&ready, 1, (int)(until - now)) == 0)
            return -EAGAIN;
        r = 0;
    }
    stop_waiting(p);
    return r;
}

int foreign_ask(const struct foreign_job *job, struct bytes request, unsigned timeout_ms, struct sbuf *ret,
                struct err *err)
{
    struct foreign_pending p = FOREIGN_PENDING_NONE;
    uint64_t began = clock_ms(CLOCK_MONOTONIC);
    struct bytes answer = BYTES_NULL;
    int r = foreign_wait(&p, job, request, timeout_ms, timeout_ms + GRACE_MS, &answer);

    /* ended by its own clock, or before that by another limit? */
    if (r == -EAGAIN || (r == -EBADMSG && clock_ms(CLOCK_MONOTONIC) - began >= timeout_ms))
        r = -ETIMEDOUT;
    if (r == 0)
        sbuf_add_bytes(ret, answer);
    foreign_pending_done(&p);
    return r == 0 ? sbuf_error(ret) : r == -ENOENT ? r : foreign_say(job, r, err);
}

int foreign_serve(void (*serve)(int socket))
{
    struct question q = { .serve = serve };
    int ends[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    r = put(&q, BYTES_NULL, ends[1], -EBADF);
    close(ends[1]);
    if (r < 0) {
        close(ends[0]);
        return r;
    }
    return ends[0];
}
