/* SPDX-License-Identifier: MIT */
/*
 * Files that users, processes and containers own are opened, read and understood in processes of their own,
 * so that neither a file system that never answers nor a file that was made for us costs more than one answer.
 *
 * A reader process is forked at the start, before there are threads; it keeps the capabilities that opening
 * needs and understands nothing. For each question it forks a worker, which
 *   1. gathers: opens beneath a root (util/beneath.h) and reads into memory, bounded; this may hang,
 *   2. gives everything away: capabilities, user, root directory, descriptors, memory and processor time, and
 *      by a seccomp filter every system call but those on its own memory and its answer,
 *   3. parses what it gathered, and writes the answer into a pipe.
 * It ends at its deadline whatever it does; who asked waits no longer than that, and goes on without.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "foreign/job.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

/* Starts the reader; later calls do nothing. Early in main(), while there is one thread. */
int foreign_start(void);

/* 0 and the answer; what gather() or parse() returned; -ETIMEDOUT; -EBUSY: too many hang already;
 * -EBADMSG: the worker was ended by its limits. err says what could not be read. From any thread. */
int foreign_ask(const struct foreign_job *job, struct bytes request, unsigned timeout_ms, struct sbuf *ret,
                struct err *err);

/* A question whose answer need not be there at once. */
struct foreign_pending {
    int fd; /* poll it for reading: the answer is there, or never will be; -EBADF: nothing is asked */
    struct sbuf so_far;
    int lend; /* a descriptor that goes with the question; -EBADF: none; borrowed */
};

#define FOREIGN_PENDING_NONE ((struct foreign_pending){ .fd = -EBADF, .so_far = SBUF_INIT, .lend = -EBADF })

/* Puts the question if none is pending, and waits for wait_ms (0: not at all). -EAGAIN: not yet; call again with
 * the same question. Else as foreign_ask(), and nothing is pending any more; *ret is valid until the next call. */
int foreign_wait(struct foreign_pending *p, const struct foreign_job *job, struct bytes request, unsigned timeout_ms,
                 unsigned wait_ms, struct bytes *ret);
void foreign_pending_done(struct foreign_pending *p);

/* What happened, in words: err_set() for the outcomes above. */
int foreign_say(const struct foreign_job *job, int r, struct err *err);

/* Is that process the reader, or a worker of it by its parent? What they read is not reported. */
bool foreign_is_ours(pid_t pid, pid_t parent);

/* One process that answers small questions one after the other, by `serve` in a loop: a socket to it, or
 * -errno. It keeps its capabilities, so `serve` must understand nothing. It ends when the socket is closed. */
int foreign_serve(void (*serve)(int socket));
