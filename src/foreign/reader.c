/* SPDX-License-Identifier: MIT */
#include "foreign/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foreign/sandbox.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/write.h"

#define WORKERS_MAX 8 /* that hang or work, some 100 MB each at worst; what hangs is ended at its deadline */

#define BIT(c) (UINT64_C(1) << (c))
/* trusted.overlay.* is shown to CAP_SYS_ADMIN only; O_NOATIME needs CAP_FOWNER */
#define OPENING (BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_ADMIN) | \
                 BIT(CAP_FOWNER) | BIT(CAP_SYS_CHROOT) | BIT(CAP_SETUID) | BIT(CAP_SETGID))

static void answer(int fd, int r, struct bytes text)
{
    struct answer_head head = { r, (uint32_t)text.len };

    if (text.len > FOREIGN_ANSWER_MAX)
        head = (struct answer_head){ -EFBIG, 0 };
    if (write_all(fd, (struct bytes){ (const char *)&head, sizeof(head) }) < 0 || write_all(fd, (struct bytes){ text.data, head.len }) < 0)
        _exit(1);
}

/* Ends it also while it waits for a file system: a signal whose default is to end is a fatal one. */
static void end_after(uint32_t ms)
{
    struct itimerval at = { .it_value = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 } };

    (void)signal(SIGALRM, SIG_DFL);
    (void)setitimer(ITIMER_REAL, &at, NULL);
}

static _Noreturn void work(const struct question *q, struct bytes request, int fd, int lent)
{
    struct gathered g = { .max = q->job->gather_max, .lent = lent };
    struct sbuf out = SBUF_INIT;
    int r = 0;

    end_after(q->timeout_ms);
    if (q->job->gather)
        r = q->job->gather(request, &g);
    if (r == 0)
        r = q->job->open_world ? sandbox_give_away() : sandbox_close(fd);
    if (r == 0 && q->job->parse)
        r = q->job->parse(request, &g, &out);
    if (r == 0)
        r = sbuf_error(&out);
    if (r < 0)
        answer(fd, r, BYTES_NULL);
    else if (q->job->parse || !g.count)
        answer(fd, r, sbuf_bytes(&out));
    else
        answer(fd, r, g.files[g.count - 1].content);
    _exit(0);
}

static void start_worker(int socket, const struct question *q, struct bytes request, const int *fds)
{
    pid_t pid = fork();

    if (pid < 0)
        answer(fds[0], -errno, BYTES_NULL);
    if (pid != 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    close(socket);
    if (q->job)
        work(q, request, fds[0], fds[1]);
    q->serve(fds[0]);
    _exit(0);
}

/* A question and its descriptors, -EBADF where there is none; false: there is nobody any more who asks. */
static bool receive(int socket, struct question *q, char *request, size_t *ret_len, int *ret_fds)
{
    struct iovec parts[] = { { q, sizeof(*q) }, { request, FOREIGN_REQUEST_MAX } };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 2)];
    struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof(control) };
    ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

    ret_fds[0] = ret_fds[1] = -EBADF;
    if (n == 0 || (n < 0 && errno != EINTR))
        return false;
    if (n >= (ssize_t)sizeof(*q) && c && c->cmsg_type == SCM_RIGHTS) {
        memcpy(ret_fds, CMSG_DATA(c), MIN(c->cmsg_len - CMSG_LEN(0), sizeof(int) * 2));
        *ret_len = (size_t)n - sizeof(*q);
    }
    return true;
}

static void on_child(int number)
{
    (void)number; /* only interrupts: what ended is counted where the next question is waited for */
}

/* Whoever started it may name files in its arguments: these are not files that the reader has to do with. */
static void forget_arguments(void)
{
    _cleanup_close_ int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    char buffer[4096];
    ssize_t n = 0, part;
    size_t first = strlen(program_invocation_name) + 1;

    while (fd >= 0 && (part = read(fd, buffer, sizeof(buffer))) > 0)
        n += part;
    if (n > (ssize_t)first)
        memset(program_invocation_name + first, 0, (size_t)n - first);
}

static void prepare(int socket, pid_t starter)
{
    struct sigaction child = { .sa_handler = on_child };

    child_begin(socket, "culprit-reader");
    (void)sigaction(SIGCHLD, &child, NULL);
    forget_arguments();
    (void)sandbox_keep_capabilities(OPENING);
    /* by the end of its socket it ends too, but not while somebody has stopped it */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != starter)
        _exit(0);
}

_Noreturn void reader_run(int socket, pid_t starter)
{
    static char request[FOREIGN_REQUEST_MAX]; /* too large for a stack, and this process has one */
    struct question q;
    unsigned workers = 0;
    size_t len = 0;
    int fds[2];

    prepare(socket, starter);
    while (receive(socket, &q, request, &len, fds)) {
        while (workers && waitpid(-1, NULL, WNOHANG) > 0)
            workers--;
        if (fds[0] < 0)
            continue;
        if (workers < WORKERS_MAX) {
            start_worker(socket, &q, (struct bytes){ request, len }, fds);
            workers++;
        } else if (q.job) {
            answer(fds[0], -EBUSY, BYTES_NULL);
        }
        closep(&fds[0]);
        closep(&fds[1]);
    }
    _exit(0);
}
