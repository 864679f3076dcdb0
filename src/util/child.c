/* SPDX-License-Identifier: MIT */
#include "util/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/macro.h"

void child_begin(int keep, const char *name)
{
    /* those of the terminal that stop: others would wait for us, such as writers for the copy of a file */
    static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;

    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        (void)signal(ignored[i], SIG_IGN); /* it ends when whom it works for does */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        if (fd != keep)
            (void)dup2(null, fd); /* whoever waits for the end of our output does not wait for it */
    if (keep > 3)
        (void)syscall(SYS_close_range, 3, (unsigned)keep - 1, 0);
    (void)syscall(SYS_close_range, (unsigned)MAX(keep + 1, 3), ~0u, 0);
    (void)!chdir("/");
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

int child_end_after(uint64_t after_ns)
{
    struct sigevent kill = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    struct itimerspec at = { .it_value = { (time_t)(after_ns / NS_PER_S), (long)(after_ns % NS_PER_S) } };
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &kill, &timer) < 0 || timer_settime(timer, 0, &at, NULL) < 0)
        return -errno;
    return 0;
}
