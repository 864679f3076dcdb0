/* SPDX-License-Identifier: MIT */
/* What every unit test includes, in the order cmocka needs. A test is a table; the row's name is its message. */
#pragma once

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/bytes.h"
#include "util/macro.h"

/* Bytes that malloc() has given out; 0 where the C library does not say, or a sanitizer has them. */
static inline size_t heap_in_use(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
#else
    return 0;
#endif
}

/* fork() for a child that waits: it ends with the test, also where an assertion ends that first. Else it would keep the test's
 * output open, and whoever runs the test would wait for it. */
static inline pid_t fork_child(void)
{
    pid_t pid = fork();

    if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        _exit(127);
    return pid;
}

/* BYTES("a\0b") keeps the NUL in the middle; for string literals only. */
#define BYTES(s) ((struct bytes){ s, sizeof(s) - 1 })

#define assert_bytes(b, s) \
    do { \
        struct bytes b_ = (b); \
        assert_int_equal(b_.len, strlen(s)); \
        assert_memory_equal(b_.data ? b_.data : "", s, b_.len); \
    } while (0)

/* Make one cmocka test of each row: ROWS is an array whose first member is `const char *name`. */
#define RUN_ROWS(rows, function) \
    ({ \
        struct CMUnitTest tests_[ARRAY_SIZE(rows)]; \
        for (size_t i_ = 0; i_ < ARRAY_SIZE(rows); i_++) \
            tests_[i_] = (struct CMUnitTest){ .name = (rows)[i_].name, \
                                              .test_func = function, \
                                              .initial_state = (void *)(uintptr_t)&(rows)[i_] }; \
        _cmocka_run_group_tests(#rows, tests_, ARRAY_SIZE(tests_), NULL, NULL); \
    })
