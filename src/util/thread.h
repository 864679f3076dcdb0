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
