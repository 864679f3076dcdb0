/* SPDX-License-Identifier: MIT */
/*
 * Questions about processes that may be gone when the answer is needed: put at once, in workers (foreign/foreign.h) that nobody
 * waits for, and what they found is kept for whoever asks later. Bounded: the oldest is forgotten.
 */
#pragma once

#include <errno.h>

#include "event/process.h"
#include "foreign/foreign.h"
#include "util/err.h"

struct asked_processes;

/* One kind of question, whose request is taken apart by asked_about(). proc: "/proc", or a directory of the same shape in tests.
 * Both borrowed. */
int asked_new(const struct foreign_job *job, const char *proc, struct asked_processes **ret, struct err *err);
void asked_free(struct asked_processes *a); /* NULL is fine */

/* Puts the question, once for each process; does not wait. */
void asked_put(struct asked_processes *a, const struct process *p);
/* Waits at most that long. 0 and the answer, valid until the next asked_put(); -EAGAIN: not yet; -ENODATA: it was never put; else
 * what the job returned. */
int asked_get(struct asked_processes *a, pid_t pid, uint64_t start_ns, unsigned wait_ms, struct bytes *ret);

/* In the worker: which process. proc ends with a NUL. */
int asked_about(struct bytes request, pid_t *ret_pid, uint64_t *ret_start_ns, const char **ret_proc);
