/* SPDX-License-Identifier: MIT */
#include "foreign/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/macro.h"

#define AT_ONCE (64 * 1024)
#define KILLED_MS 1000

int program_output(int fd, size_t max, unsigned timeout_ms, struct sbuf *out)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + timeout_ms;
    size_t before = out->len;

    for (;;) {
        uint64_t now = clock_ms(CLOCK_MONOTONIC);
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        char *room;
        ssize_t n;

        if (now >= until || poll(&ready, 1, (int)(until - now)) == 0)
            return -ETIMEDOUT;
        room = sbuf_room(out, AT_ONCE);
        if (!room)
            return -ENOMEM;
        n = read(fd, room, MIN((size_t)AT_ONCE, max + 1 - (out->len - before)));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        sbuf_added(out, (size_t)n);
        if (out->len - before > max)
            return 1;
    }
}

int program_wait(pid_t pid, int r)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + KILLED_MS;
    int status = 0;
    pid_t ended;

    if (r)
        (void)kill(pid, SIGKILL);
    while ((ended = waitpid(pid, &status, r ? WNOHANG : 0)) <= 0) {
        if (ended < 0 && errno != EINTR)
            return 255;
        if (r && clock_ms(CLOCK_MONOTONIC) >= until)
            return 255; /* a file system that took its question and never answers keeps also a killed one */
        if (r)
            (void)poll(NULL, 0, 10);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

bool program_end_with(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}
