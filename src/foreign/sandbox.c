/* SPDX-License-Identifier: MIT */
#include "foreign/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/macro.h"
#include "util/seccomp.h"

#define NOBODY 65534
#define MEMORY_MAX (512ul * 1024 * 1024) /* what may be gathered for one question is less than half of that */
#define CPU_SECONDS 5                    /* the deadline on the clock is shorter; this one holds if that is missed */

int sandbox_keep_capabilities(uint64_t mask)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (unsigned i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(mask >> (32 * i));
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static void limit(int resource, rlim_t value)
{
    struct rlimit old, new = { value, value };

    if (getrlimit((__rlimit_resource_t)resource, &old) == 0)
        new.rlim_cur = new.rlim_max = MIN(value, old.rlim_max);
    (void)setrlimit((__rlimit_resource_t)resource, &new);
}

static int be_nobody(void)
{
    if (geteuid() == 0) { /* as a user it is nobody's already, as far as that goes */
        (void)setgroups(0, NULL);
        if (syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 || syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0)
            return errno == EPERM ? 0 : -errno; /* root without CAP_SETUID: its capabilities go all the same */
    }
    return 0;
}

int sandbox_give_away(void)
{
    int r = be_nobody();

    if (r == 0)
        r = sandbox_keep_capabilities(0);
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = -errno;
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CPU, CPU_SECONDS);
#ifndef __SANITIZE_ADDRESS__ /* its shadow is terabytes */
    limit(RLIMIT_AS, MEMORY_MAX);
#endif
    return r;
}

/* Empty, and nobody's to write in. Not allowed without CAP_SYS_CHROOT; the filter then keeps files away alone. */
static void empty_root(void)
{
    if (chroot("/proc/self/fdinfo") == 0)
        (void)!chdir("/");
}

static int close_others(int fd)
{
    if (fd > 0 && syscall(SYS_close_range, 0, (unsigned)fd - 1, 0) < 0) {
        for (int i = 0; i < 1024; i++) /* a kernel before 5.9 */
            if (i != fd)
                (void)close(i);
        return 0;
    }
    return syscall(SYS_close_range, (unsigned)fd + 1, ~0u, 0) < 0 ? -errno : 0;
}

#define ALLOW(name) { .call = SYS_##name }

static int filter_calls(void)
{
    static const struct seccomp_row allowed[] = {
        ALLOW(read),
        ALLOW(write),
        ALLOW(writev),
        ALLOW(close),
        ALLOW(exit),
        ALLOW(exit_group),
        ALLOW(rt_sigreturn),
        ALLOW(rt_sigprocmask),
        ALLOW(restart_syscall),
        ALLOW(brk),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(madvise),
        ALLOW(mprotect),
#ifdef SYS_mmap2
        ALLOW(mmap2),
#endif
#ifdef SYS_mmap
        ALLOW(mmap),
#endif
#ifdef SYS_futex
        ALLOW(futex),
#endif
        ALLOW(getpid),
        ALLOW(gettid),
        ALLOW(getrandom),
        ALLOW(sysinfo), /* qsort() asks how much memory there is */
        ALLOW(clock_gettime),
        ALLOW(gettimeofday),
    };

    return seccomp_give_up(SECCOMP_ONLY_THESE, allowed, ARRAY_SIZE(allowed), false);
}

int sandbox_close(int fd)
{
    int r;

    empty_root();
    r = sandbox_give_away();
    if (r == 0)
        r = close_others(fd);
    return r == 0 ? filter_calls() : r;
}
