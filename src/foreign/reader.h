/* SPDX-License-Identifier: MIT */
/* The reader's side (foreign/foreign.h), and what both sides say to each other. */
#pragma once

#include <sys/types.h>

#include "foreign/job.h"

/* One datagram, the request behind it, and a descriptor: where the answer goes, or a socket to be served. */
struct question {
    const struct foreign_job *job; /* NULL: serve */
    void (*serve)(int socket);
    uint32_t timeout_ms;
};

/* In front of an answer. */
struct answer_head {
    int r;
    uint32_t len;
};

/* Does not return: it ends with `starter`, its parent. */
_Noreturn void reader_run(int socket, pid_t starter);
