/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "sensor/object/way.h"
#include "util/cleanup.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif

#define KILLED_TRIES 20
#define KILLED_MS 5
#define CHILD_MS 2000 /* to open a path in another mount namespace: milliseconds at most */

/* What the child sends beside the descriptors. */
struct pin_answer {
    int error;
    unsigned descriptors;
    size_t missing;
};

static bool may_enter(void *data, int fd, const char *name)
{
    (void)data;
    return foreign_name_answers(fd, name);
}

/* here: by this process, which must not wait for a file system of others; that counts as missing. */
static int open_deepest(struct bytes path, bool here, struct pin *ret)
{
    struct way_options options = { .may_enter = here ? may_enter : NULL };
    int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct bytes rest = path;

    at = at < 0 ? -errno : way_open(at, &rest, &options);
    if (at < 0)
        return at;
    ret->missing = rest.len;
    ret->clone_fd = (int)syscall(SYS_open_tree, at, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (ret->clone_fd < 0)
        ret->clone_fd = -EBADF;
    ret->fd = at;
    return 0;
}

static int enter(pid_t pid)
{
    char path[64];
    _cleanup_close_ int ns = -EBADF, root = -EBADF;

    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
    ns = open(path, O_RDONLY | O_CLOEXEC);
    if (root < 0 || ns < 0)
        return -errno;
    /* the root of the process, which is not that of its namespace where a runtime did not pivot */
    if (setns(ns, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0)
        return -errno;
    return 0;
}

/* Where a file system does not answer it may stay: it keeps no descriptor of ours, and ends with us if it can. */
static void keep_only(int socket, pid_t parent)
{
    if (socket > 0)
        (void)syscall(SYS_close_range, 0u, (unsigned)socket - 1, 0u);
    (void)syscall(SYS_close_range, (unsigned)socket + 1, ~0u, 0u);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

static void child(int socket, pid_t pid, struct bytes path)
{
    struct pin pin = PIN_NULL;
    struct pin_answer answer = { 0 };
    struct iovec iov = { &answer, sizeof(answer) };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

    answer.error = enter(pid);
    if (answer.error == 0)
        answer.error = open_deepest(path, false, &pin);
    if (answer.error == 0) {
        int fds[2] = { pin.fd, pin.clone_fd };
        struct cmsghdr *c;

        answer.missing = pin.missing;
        answer.descriptors = pin.clone_fd < 0 ? 1 : 2;
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(answer.descriptors * sizeof(int));
        c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(answer.descriptors * sizeof(int));
        memcpy(CMSG_DATA(c), fds, answer.descriptors * sizeof(int));
    }
    _exit(sendmsg(socket, &message, MSG_NOSIGNAL) < 0);
}

static int receive(int socket, struct pin *ret)
{
    struct pin_answer answer = { .error = -ESRCH };
    struct iovec iov = { &answer, sizeof(answer) };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
    struct msghdr message = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof(control) };
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c;

    if (n != (ssize_t)sizeof(answer))
        return -ESRCH;
    c = CMSG_FIRSTHDR(&message);
    if (answer.error < 0)
        return answer.error;
    if (!c || c->cmsg_len != CMSG_LEN(answer.descriptors * sizeof(int)))
        return -EBADMSG;
    ret->missing = answer.missing;
    memcpy(&ret->fd, CMSG_DATA(c), sizeof(int));
    if (answer.descriptors == 2)
        memcpy(&ret->clone_fd, CMSG_DATA(c) + sizeof(int), sizeof(int));
    return 0;
}

/* Not even SIGKILL ends who waits for an answer that FUSE has begun to give: it is left behind. */
static void end_helper(pid_t helper)
{
    (void)kill(helper, SIGKILL);
    for (unsigned i = 0; i < KILLED_TRIES && waitpid(helper, NULL, WNOHANG) == 0; i++)
        (void)poll(NULL, 0, KILLED_MS);
}

static int open_elsewhere(pid_t pid, struct bytes path, struct pin *ret)
{
    _cleanup_close_ int ours = -EBADF;
    int pair[2], r;
    pid_t helper, parent = getpid();

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    ours = pair[0];
    helper = fork();
    if (helper == 0) {
        keep_only(pair[1], parent);
        child(pair[1], pid, path);
    }
    r = helper < 0 ? -errno : 0;
    close(pair[1]);
    if (r == 0 && poll(&(struct pollfd){ .fd = ours, .events = POLLIN }, 1, CHILD_MS) <= 0)
        r = -ETIMEDOUT; /* a file system in there does not answer */
    if (r == 0)
        r = receive(ours, ret);
    if (helper > 0)
        end_helper(helper); /* it has answered, or will not */
    return r;
}

int pin_open(pid_t ns_pid, struct bytes path, struct pin *ret, struct err *err)
{
    struct pin pin = PIN_NULL;
    int r = ns_pid ? open_elsewhere(ns_pid, path, &pin) : open_deepest(path, true, &pin);

    if (r < 0)
        return err_set(err, r, "opening a watched path");
    *ret = pin;
    return 0;
}

void pin_close(struct pin *pin)
{
    if (pin->fd >= 0)
        close(pin->fd);
    if (pin->clone_fd >= 0)
        close(pin->clone_fd);
    *pin = PIN_NULL;
}
