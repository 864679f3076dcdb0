/* SPDX-License-Identifier: MIT */
#include "util/priority.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

#define OBSERVER_NICE (-10) /* on a processor with eight others that are busy: awake after 30 ms at most, else 60 to 120 */
#define RESET_ON_FORK 0x01

/* As the kernel has it: not every C library does. */
struct attributes {
    __u32 size, policy;
    __u64 flags;
    __s32 nice;
    __u32 priority;
    __u64 runtime, deadline, period;
};

/* Of the calling thread alone: in Linux each has its own. */
static int own_nice(void)
{
    errno = 0;
    return getpriority(PRIO_PROCESS, 0);
}

bool priority_raise(void)
{
    return sched_getscheduler(0) == SCHED_OTHER && own_nice() == 0 && errno == 0 &&
           setpriority(PRIO_PROCESS, 0, OBSERVER_NICE) == 0;
}

bool priority_raise_session(void)
{
    _cleanup_close_ int fd = getsid(0) == getpid() ? open("/proc/self/autogroup", O_RDWR | O_CLOEXEC) : -EBADF;
    char text[64];
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    int nice;

    if (n <= 0)
        return false;
    text[n] = '\0';
    if (sscanf(text, "/autogroup-%*d nice %d", &nice) != 1 || nice != 0)
        return false;
    n = snprintf(text, sizeof(text), "%d", OBSERVER_NICE);
    return write(fd, text, (size_t)n) == n;
}

void priority_keep_to_oneself(void)
{
    struct attributes a = {
        .size = sizeof(a), .policy = SCHED_OTHER, .flags = RESET_ON_FORK, .nice = OBSERVER_NICE
    };

    if (syscall(SYS_sched_setattr, 0, &a, 0) < 0)
        (void)setpriority(PRIO_PROCESS, 0, 0);
}
