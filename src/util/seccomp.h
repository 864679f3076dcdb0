/* SPDX-License-Identifier: MIT */
/* System calls given up, by number: a seccomp filter of a few rows. It is never lost again, and children have it too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seccomp_row {
    unsigned call;     /* SYS_... */
    bool of_first;     /* only where the lower half of its first argument is `first` */
    uint32_t first;
};

enum seccomp_kind {
    SECCOMP_ONLY_THESE, /* all other calls fail with EPERM */
    SECCOMP_NOT_THESE,  /* these fail with EPERM, and the kernel writes it to its log; all others are as they were */
};

/*
 * all_threads: those that there are already, too. Calls by another machine's numbers (32 bit programs', x32's) end the
 * thread with the first kind, and are not there (ENOSYS) with the second. count: 200 at most.
 * 0; -EINVAL or -ENOSYS: this kernel has no filters; -EACCES: neither CAP_SYS_ADMIN nor PR_SET_NO_NEW_PRIVS; -EBUSY: a
 * thread has a filter that is not ours. Then nothing was given up.
 */
int seccomp_give_up(enum seccomp_kind kind, const struct seccomp_row *rows, size_t count, bool all_threads);
