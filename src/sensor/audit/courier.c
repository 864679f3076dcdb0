/* SPDX-License-Identifier: MIT */
#include "sensor/audit/courier.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foreign/sandbox.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/macro.h"

#define COURIERS_MAX 64u /* each is a process that may wait for a minute */
#define ASKING_MAX 4u    /* of them for what is only asked */
#define MESSAGE_MAX 32768u /* bytes; a rule with a path and a key has less than a quarter */
#define CAPABILITIES (1ull << CAP_AUDIT_CONTROL | 1ull << CAP_AUDIT_WRITE)

struct courier {
    pid_t pid; /* 0: none */
    int socket;
    bool busy; /* it has not said yet that it has sent what it has */
};

static struct courier couriers[COURIERS_MAX]; /* the process's children: so many in all, whichever session asks */

/* ---- in its process ---- */

/* What is to be sent, and the socket that comes with it. False: there is nobody any more who asks. */
static bool take(int socket, struct iovec *message, int *ret_fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct msghdr m = { .msg_iov = message, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
    ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

    *ret_fd = -EBADF;
    if (c && c->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
    message->iov_len = n > 0 ? (size_t)n : 0;
    return n > 0 || (n < 0 && errno == EINTR);
}

/* What has no more than a byte is no request: the socket is closed, once whoever gave it has closed his. */
static int carry_out(int socket, int fd, const struct iovec *message)
{
    char closed;

    if (message->iov_len > 1)
        return fd < 0 || send(fd, message->iov_base, message->iov_len, MSG_NOSIGNAL) < 0 ? -errno : 0;
    (void)!recv(socket, &closed, sizeof(closed), 0);
    return 0;
}

static _Noreturn void carry(int socket, pid_t parent)
{
    static char buffer[MESSAGE_MAX]; /* too large for a stack, and this process has one */
    struct iovec message = { buffer, sizeof(buffer) };
    int fd;

    child_begin(socket, "culprit-audit");
    (void)sandbox_keep_capabilities(CAPABILITIES);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
        _exit(0);
    for (; take(socket, &message, &fd); message.iov_len = sizeof(buffer)) {
        int r = carry_out(socket, fd, &message);

        closep(&fd);
        if (send(socket, &r, sizeof(r), MSG_NOSIGNAL) < 0)
            break;
    }
    _exit(0);
}

/* ---- whoever has it sent ---- */

/* Without SIGCHLD: the caller's own children are its business. */
static int start(struct courier *c)
{
    pid_t parent = getpid();
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    c->pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (c->pid == 0)
        carry(ends[1], parent);
    close(ends[1]);
    if (c->pid < 0) {
        int r = -errno;

        close(ends[0]);
        c->pid = 0;
        return r;
    }
    c->socket = ends[0];
    c->busy = false;
    return 0;
}

static void end(struct courier *c)
{
    close(c->socket);
    (void)kill(c->pid, SIGKILL);
    (void)waitpid(c->pid, NULL, __WALL | (c->busy ? WNOHANG : 0));
    *c = (struct courier){ 0 };
}

/* Has it said that it is done? 1; 0: not yet; -errno of its sending. */
static int look(struct courier *c)
{
    int said = 0;
    ssize_t n = recv(c->socket, &said, sizeof(said), MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    c->busy = false;
    if (n != sizeof(said)) /* somebody ended it */
        end(c);
    return n != sizeof(said) ? -EPIPE : said < 0 ? said : 1;
}

static struct courier *idle(unsigned most)
{
    struct courier *none = NULL;

    for (unsigned i = 0; i < most; i++) {
        struct courier *c = &couriers[i];

        if (c->pid && c->busy)
            (void)look(c);
        if (c->pid && !c->busy)
            return c;
        if (!c->pid && !none)
            none = c;
    }
    return none && start(none) == 0 ? none : NULL;
}

static int hand_over(struct courier *c, int fd, struct bytes message)
{
    struct iovec part = { (void *)(uintptr_t)message.data, message.len };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
    struct cmsghdr *head = CMSG_FIRSTHDR(&m);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    return sendmsg(c->socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int audit_courier_send(int fd, struct bytes message, bool asks, unsigned timeout_ms)
{
    struct courier *c;
    int r = -EAGAIN;

    if (message.len > MESSAGE_MAX)
        return -E2BIG;
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        c = idle(asks ? ASKING_MAX : COURIERS_MAX);
        if (!c)
            return -EAGAIN;
        r = hand_over(c, fd, message);
        if (r == 0)
            break;
        end(c); /* somebody has ended it */
    }
    if (r < 0)
        return r;
    c->busy = true;
    struct pollfd ready[] = { { .fd = c->socket, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

    (void)poll(ready, ARRAY_SIZE(ready), (int)timeout_ms);
    r = look(c);
    return r < 0 ? r : 0;
}

void audit_courier_close(int fd)
{
    struct courier *c = idle(COURIERS_MAX);
    bool given = c && hand_over(c, fd, bytes_of("c")) == 0;

    close(fd);
    if (!given)
        return;
    c->busy = true;
    (void)send(c->socket, "c", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void audit_courier_end(void)
{
    for (unsigned i = 0; i < COURIERS_MAX; i++)
        if (couriers[i].pid)
            end(&couriers[i]);
}
