/* SPDX-License-Identifier: MIT */
/*
 * Asked of each process that is read from /proc with a file in its arguments, so a worker for each would cost
 * too much: one process answers all, by two bytes that it compares and does not interpret. Where it hangs, it
 * ends by its own clock, and the next question gets another one.
 */
#include "foreign/script.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "foreign/foreign.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define WAIT_MS 300
#define HANG_MS 1000
#define DISTRUST_NS (60 * NS_PER_S)
#define DISTRUSTED_MAX 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int server = -EBADF; /* one for the process: whoever asks does so in turn, under the lock */
static struct {
    int server; /* one that has not answered in time: it hangs, or the machine is busy */
    uint64_t whose;
} late = { .server = -EBADF };
static struct {
    uint64_t whose, until_ns;
} distrusted[DISTRUSTED_MAX];

static bool begins_as_script(int root, struct bytes path)
{
    _cleanup_close_ int fd = beneath_open_file(root, path);
    char magic[2];

    return fd >= 0 && read(fd, magic, 2) == 2 && memcmp(magic, "#!", 2) == 0;
}

static void arm(unsigned ms)
{
    struct itimerval at = { .it_value = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 } };

    (void)setitimer(ITIMER_REAL, &at, NULL);
}

static void serve(int socket)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    char path[PATH_MAX];

    for (;;) {
        struct iovec part = { path, sizeof(path) };
        struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                            .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
        struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
        char yes;
        int root;

        if (n <= 0 || !c || c->cmsg_type != SCM_RIGHTS)
            return;
        memcpy(&root, CMSG_DATA(c), sizeof(root));
        arm(HANG_MS);
        yes = begins_as_script(root, (struct bytes){ path, (size_t)n });
        arm(0);
        close(root);
        if (send(socket, &yes, 1, MSG_NOSIGNAL) != 1)
            return;
    }
}

static bool is_distrusted(uint64_t whose)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (late.server >= 0 && late.whose == whose)
        return true;
    for (size_t i = 0; i < DISTRUSTED_MAX; i++)
        if (distrusted[i].until_ns > now && distrusted[i].whose == whose)
            return true;
    return false;
}

static void distrust(uint64_t whose)
{
    size_t oldest = 0;

    for (size_t i = 0; i < DISTRUSTED_MAX; i++)
        if (distrusted[i].until_ns < distrusted[oldest].until_ns)
            oldest = i;
    distrusted[oldest].whose = whose;
    distrusted[oldest].until_ns = clock_ns(CLOCK_MONOTONIC) + DISTRUST_NS;
}

static void close_server(int *fd)
{
    closep(fd);
    *fd = -EBADF;
}

/* Was it only slow? One that was ended by its own clock has met a file that does not answer. */
static void look_at_late(void)
{
    char yes;
    ssize_t n = late.server < 0 ? -1 : recv(late.server, &yes, 1, MSG_DONTWAIT);

    if (late.server < 0 || (n < 0 && errno == EAGAIN))
        return;
    if (n <= 0)
        distrust(late.whose);
    close_server(&late.server);
}

static int send_path(int root, struct bytes path)
{
    struct iovec part = { (void *)(uintptr_t)path.data, path.len };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &root, sizeof(int));
    return sendmsg(server, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* 0, 1 or -errno: no answer. */
static int ask(int root, struct bytes path)
{
    struct pollfd ready = { .events = POLLIN };
    char yes = 0;
    int r = 0;

    if (server < 0)
        server = foreign_serve(serve);
    if (server < 0)
        return server;
    r = send_path(root, path);
    if (r < 0)
        return r;
    ready.fd = server;
    if (poll(&ready, 1, WAIT_MS) != 1)
        return -ETIMEDOUT;
    return recv(server, &yes, 1, MSG_DONTWAIT) == 1 ? yes == 1 : -EPIPE;
}

bool foreign_is_script(int root, struct bytes path, uint64_t whose)
{
    int r = -EINVAL;

    if (!path.len || path.len >= PATH_MAX)
        return false;
    pthread_mutex_lock(&lock);
    look_at_late();
    if (!is_distrusted(whose))
        r = ask(root, path);
    if (r == -ETIMEDOUT && late.server < 0) {
        late.server = TAKE_FD(server);
        late.whose = whose;
    } else if (r == -ETIMEDOUT) {
        distrust(whose);
    }
    if (r < 0 && r != -EINVAL)
        close_server(&server);
    pthread_mutex_unlock(&lock);
    return r == 1;
}
