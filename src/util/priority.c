/* SPDX-License-Identifier: MIT */
#include "util/priority.h"

#include <errno.h>
#include <linux/types.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

void priority_keep_to_oneself(void)
{
    struct attributes a = {
        .size = sizeof(a), .policy = SCHED_OTHER, .flags = RESET_ON_FORK, .nice = OBSERVER_NICE
    };

    if (syscall(SYS_sched_setattr, 0, &a, 0) < 0)
        (void)setpriority(PRIO_PROCESS, 0, 0);
}
