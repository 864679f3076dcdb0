/* SPDX-License-Identifier: MIT */
#include "copies/keeping_again.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "copies/keeping.h"
#include "foreign/sandbox.h"
#include "util/child.h"
#include "util/clock.h"
#include "util/macro.h"

#define LONG_NS (60 * NS_PER_S) /* whoever lived for so long is begun anew at once; whoever did not, after a pause, which becomes so long */

static pid_t begin(int socket, const char *directory, uint64_t limit, const struct keeping_before *before)
{
    pid_t starter = getpid(), pid = fork();

    if (pid)
        return pid;
    /* one without us would not be noticed when it is killed */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != starter)
        _exit(1);
    keeping_run(socket, directory, limit, before);
}

/* False: whoever asked for it has ended. */
static bool pause_for(int socket, uint64_t ns)
{
    struct pollfd end = { .fd = socket, .events = POLLRDHUP };

    return poll(&end, 1, (int)(ns / NS_PER_MS)) <= 0;
}

_Noreturn void keeping_run_again(int socket, const char *directory, uint64_t limit)
{
    struct keeping_before before = { 0 };
    uint64_t pause_ns = 0;

    child_begin(socket, "culprit-copies");
    (void)sandbox_keep_capabilities(KEEPING_CAPABILITIES);
    for (;;) {
        uint64_t begun_ns = clock_ns(CLOCK_MONOTONIC);
        pid_t pid = begin(socket, directory, limit, &before);
        int status = 0;

        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (pid > 0 && WIFEXITED(status))
            _exit(WEXITSTATUS(status));
        before.killed++;
        if (pid > 0 || !before.lost_ns)
            before.lost_ns = clock_ns(CLOCK_REALTIME);
        pause_ns = clock_ns(CLOCK_MONOTONIC) - begun_ns > LONG_NS ? 0 : MIN(MAX(2 * pause_ns, NS_PER_S), LONG_NS);
        if (!pause_for(socket, pause_ns))
            _exit(0);
    }
}
