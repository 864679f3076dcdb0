/* SPDX-License-Identifier: MIT */
/* Threads that signals do not reach: these are the main thread's. */
#pragma once

#include <pthread.h>
#include <signal.h>

/* `run` in a thread of its own, which the caller joins. -EAGAIN: the system has too many. */
static inline int thread_start(pthread_t *ret, void *(*run)(void *data), void *data)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = -pthread_create(ret, NULL, run, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

/* For pthread_cleanup_push(): a thread that is cancelled leaves its functions without their ends, and the address sanitizer would go on
 * to guard their variables. */
static inline void thread_left(void *unused)
{
    (void)unused;
#ifdef __SANITIZE_ADDRESS__
    __asan_handle_no_return();
#endif
}
