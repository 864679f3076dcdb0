/* SPDX-License-Identifier: MIT */
#include "daemon/answerer.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/write.h"

#define ALL_NS (600 * NS_PER_S)  /* for one answer */
#define STALL_NS (60 * NS_PER_S) /* nobody takes what is there: the record stays open for a reader, so its log grows */
#define CPU_SECONDS 300
#define MEMORY_MAX (128ul * 1024 * 1024)
#define END_MS 10000             /* from its last output to its end */
#define ALONE_NS (ALL_NS + 30 * NS_PER_S) /* nobody hands it on any more: to its end by the kernel's clock */
#define STATUS_UNABLE 3          /* contract: not permitted */

/* ---- the process that answers ---- */

static void limit(int resource, rlim_t value)
{
    struct rlimit new = { value, value };

    (void)setrlimit((__rlimit_resource_t)resource, &new);
}

static int keep_capabilities(int one, int other)
{
    capng_clear(CAPNG_SELECT_CAPS);
    if (one >= 0)
        (void)capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned)one, other, -1);
    return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

/* By its groups alone: the record is the user root's. */
static int become_group(const struct asker_head *head, const gid_t *groups)
{
    if (setgroups(head->groups, groups) < 0 || setresgid(head->gid, head->gid, head->gid) < 0)
        return -errno;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return keep_capabilities(CAP_SETUID, -1);
}

/* For ever: no capability, and none to come. parent: whoever ends with us; a change of user makes the kernel forget that. */
static int become_user(uid_t uid, pid_t parent)
{
    if (setresuid(uid, uid, uid) < 0)
        return -errno;
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the asker is not to look into it */
    if (keep_capabilities(-1, -1) < 0 || (uid != 0 && setuid(0) == 0) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
        getppid() != parent)
        return -EPERM;
    return 0;
}

/* Texts follow one another in `rest`. False: there are fewer. */
static bool take_texts(struct bytes *rest, size_t count, char **ret)
{
    for (size_t i = 0; i < count; i++) {
        const char *end = bytes_char(*rest, '\0');

        if (!end)
            return false;
        ret[i] = (char *)rest->data;
        *rest = (struct bytes){ end + 1, rest->len - (size_t)(end + 1 - rest->data) };
    }
    ret[count] = NULL;
    return true;
}

static int answer(const struct answerer_options *o, struct bytes packet, pid_t parent)
{
    char *environment[ANSWER_WORDS_MAX + 1], *words[ANSWER_WORDS_MAX + 1], *directory[2];
    struct asker_head head;
    gid_t groups[ANSWER_GROUPS_MAX];
    struct answer_question q = { .environment = environment, .argv = words };
    void *opened = NULL;
    int r;

    if (packet.len < sizeof(head))
        return STATUS_UNABLE;
    memcpy(&head, packet.data, sizeof(head));
    packet = (struct bytes){ packet.data + sizeof(head), packet.len - sizeof(head) };
    if (head.groups > ANSWER_GROUPS_MAX || head.environment > ANSWER_WORDS_MAX || head.words > ANSWER_WORDS_MAX || !head.words ||
        packet.len < head.groups * sizeof(gid_t))
        return STATUS_UNABLE;
    memcpy(groups, packet.data, head.groups * sizeof(gid_t));
    r = become_group(&head, groups);
    if (r == 0) {
        opened = o->open(o->store);
        r = become_user(head.uid, parent);
    }
    if (r < 0) {
        dprintf(STDERR_FILENO, "culprit: the daemon cannot answer as another user here: %s\n", strerror(-r));
        return STATUS_UNABLE;
    }
    packet = (struct bytes){ packet.data + head.groups * sizeof(gid_t), packet.len - head.groups * sizeof(gid_t) };
    if (!take_texts(&packet, 1, directory) || !take_texts(&packet, head.environment, environment) ||
        !take_texts(&packet, head.words, words))
        return STATUS_UNABLE;
    q.directory = directory[0];
    q.argc = (int)head.words;
    q.columns = head.columns;
    q.colour = head.colour;
    return o->answer(opened, o->store, &q);
}

static _Noreturn void run_answer(const struct answerer_options *o, struct bytes packet, int out, int errors, pid_t parent)
{
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_DATA, MEMORY_MAX);
    limit(RLIMIT_CORE, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* whoever hands it on may be killed: the kernel refuses his signal to us then, as he is root without CAP_KILL */
    if (child_end_after(ALONE_NS) < 0)
        _exit(STATUS_UNABLE);
    if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
        _exit(STATUS_UNABLE);
    (void)syscall(SYS_close_range, 3, ~0u, 0);
    _exit(answer(o, packet, parent));
}

/* ---- the one that hands on ---- */

struct handing {
    int socket, pipes[2]; /* to the daemon; what is printed, what is said */
    pid_t child; /* 0: not yet */
    uid_t uid;   /* what it becomes */
    uint64_t until_ns, taken_ns; /* CLOCK_MONOTONIC */
    char packet[1 + ANSWER_PIECE];
    size_t len;           /* of what has not gone */
};

/* It may be stopped, or wait for a file that never answers. It is root's until it is the asker's, and each signals his own only: CAP_KILL is
 * not ours; the kernel, too, asks for that right when we end before it. */
static void end_child(const struct handing *h)
{
    if (h->child <= 0)
        return;
    (void)kill(h->child, SIGKILL); /* a child that was not waited for yet */
    if (setresuid(h->uid, h->uid, h->uid) == 0)
        (void)kill(h->child, SIGKILL);
}

static _Noreturn void cut(struct handing *h, const char *why)
{
    int n = why ? snprintf(h->packet, sizeof(h->packet), "%c%s", ANSWER_CUT, why) : 0;

    if (n > 0)
        (void)send(h->socket, h->packet, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    end_child(h);
    _exit(0);
}

static void take(struct handing *h, unsigned which)
{
    ssize_t n = read(h->pipes[which], h->packet + 1, ANSWER_PIECE);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        close(h->pipes[which]);
        h->pipes[which] = -EBADF;
        return;
    }
    h->packet[0] = which ? ANSWER_ERRORS : ANSWER_OUTPUT;
    h->len = 1 + (size_t)n;
}

static void hand_over(struct handing *h)
{
    ssize_t n = send(h->socket, h->packet, h->len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        cut(h, NULL);
    if (n < 0)
        return;
    h->len = 0;
    h->taken_ns = clock_ns(CLOCK_MONOTONIC);
}

/* By its user, whose process it is: the record would stay open as long. */
static bool is_stopped(const struct handing *h)
{
    siginfo_t info = { .si_pid = 0 };

    return h->child > 0 && waitid(P_PID, (id_t)h->child, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == h->child;
}

static void wait_and_hand_on(struct handing *h)
{
    struct pollfd fds[] = { { h->socket, h->len ? POLLOUT : 0, 0 },
                            { h->len ? -1 : h->pipes[1], POLLIN, 0 },
                            { h->len ? -1 : h->pipes[0], POLLIN, 0 } };
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now >= h->until_ns)
        cut(h, "it took longer than ten minutes");
    if (h->len && now >= h->taken_ns + STALL_NS)
        cut(h, "nobody took the answer for a minute");
    if (is_stopped(h))
        cut(h, "it was stopped");
    if (poll(fds, ARRAY_SIZE(fds), 1000) <= 0)
        return;
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) /* whoever asked is gone, or the daemon is */
        cut(h, NULL);
    if (fds[0].revents & POLLOUT)
        hand_over(h);
    else if (fds[1].revents)
        take(h, 1);
    else if (fds[2].revents)
        take(h, 0);
}

static void finish(struct handing *h)
{
    struct pollfd over = { .fd = (int)syscall(SYS_pidfd_open, h->child, 0), .events = POLLIN };
    int status = 0;

    if (over.fd >= 0 && poll(&over, 1, END_MS) == 0) /* a disk that never answers */
        cut(h, "it did not end");
    while (waitpid(h->child, &status, 0) < 0 && errno == EINTR)
        ;
    h->child = 0;
    if (!WIFEXITED(status))
        cut(h, WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? "it took too much of the processor" : "it was ended");
    h->packet[0] = ANSWER_STATUS;
    h->packet[1] = (char)WEXITSTATUS(status);
    h->len = 2;
    h->taken_ns = clock_ns(CLOCK_MONOTONIC);
    while (h->len)
        wait_and_hand_on(h);
}

/* Of all that there are this one is to go first where memory is short. */
static void offer_to_the_oom_killer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        (void)write_all(fd, bytes_of("1000"));
        close(fd);
    }
}

static _Noreturn void hand_on(const struct answerer_options *o, struct bytes packet, int socket)
{
    struct handing h = { .socket = socket };
    struct asker_head head = { 0 };
    pid_t own = getpid();
    int out[2], errors[2];

    memcpy(&head, packet.data, MIN(packet.len, sizeof(head)));
    h.uid = head.uid;
    (void)signal(SIGCHLD, SIG_DFL); /* the socket's end is ours: nobody kills us, for we have to end whoever answers */
    offer_to_the_oom_killer();
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
        cut(&h, "no pipe");
    h.child = fork();
    if (h.child < 0)
        cut(&h, "no process");
    if (h.child == 0)
        run_answer(o, packet, out[1], errors[1], own);
    close(out[1]);
    close(errors[1]);
    h.pipes[0] = out[0];
    h.pipes[1] = errors[0];
    h.taken_ns = clock_ns(CLOCK_MONOTONIC);
    h.until_ns = h.taken_ns + ALL_NS;
    while (h.len || h.pipes[0] >= 0 || h.pipes[1] >= 0)
        wait_and_hand_on(&h);
    finish(&h);
    _exit(0);
}

/* ---- the one that waits for questions ---- */

/* The packet's length; 0: the daemon has ended. *ret_fd: -EBADF if there is none. */
static ssize_t receive(int socket, char *packet, int *ret_fd)
{
    union {
        char data[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = { packet, ANSWER_MAX };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.data, .msg_controllen = sizeof(control.data) };
    struct cmsghdr *c;
    ssize_t n;

    *ret_fd = -EBADF;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    return n;
}

static _Noreturn void run(const struct answerer_options *o, int socket)
{
    static char packet[ANSWER_MAX]; /* too large for a stack, and this process has one */
    ssize_t n;
    int fd;

    child_begin(socket, "culprit-answer");
    (void)keep_capabilities(CAP_SETUID, CAP_SETGID); /* without them whoever asks gets to know that */
    (void)signal(SIGCHLD, SIG_IGN); /* who hands on says himself how it went */
    while ((n = receive(socket, packet, &fd)) > 0) {
        if (fd >= 0 && fork() == 0) {
            close(socket);
            hand_on(o, (struct bytes){ packet, (size_t)n }, fd);
        }
        if (fd >= 0)
            close(fd);
    }
    _exit(0);
}

int answerer_start(const struct answerer_options *options, int *ret_socket, struct err *err)
{
    int ends[2], size = 4 * ANSWER_MAX;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(err, -errno, "whoever answers questions to the record");
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    pid = fork();
    if (pid == 0)
        run(options, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_set(err, -errno, "whoever answers questions to the record");
    }
    *ret_socket = ends[0];
    return 0;
}
