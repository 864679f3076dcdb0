/* SPDX-License-Identifier: MIT */
/* A kernel before 5.6, which has no openat2(), or a seccomp filter that is older than it, by dep_older_kernel. Any thread. Included once a
 * program. */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static atomic_int openat2_fails; /* with this errno; 0: it is this machine's */

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list ap;

    if (number == SYS_openat2 && openat2_fails) {
        errno = openat2_fails;
        return -1;
    }
    va_start(ap, number);
    for (unsigned i = 0; i < ARRAY_SIZE(a); i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* By each of them in turn: this kernel's, none, one that a filter refuses. */
static const int openat2_errnos[] = { 0, ENOSYS, EPERM };
