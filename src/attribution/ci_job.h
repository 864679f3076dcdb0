/* SPDX-License-Identifier: MIT */
/*
 * Which job of a CI runner a process belongs to. Runners say it in the environment of their jobs and nowhere else, and a job
 * may write there what it likes: what is found here is what the environment says, and the output says so.
 */
#pragma once

#include "event/process.h"
#include "util/err.h"
#include "util/sbuf.h"

struct ci_jobs;

/* proc: "/proc", or a directory of the same shape in tests; borrowed. */
int ci_jobs_new(const char *proc, struct ci_jobs **ret, struct err *err);
void ci_jobs_free(struct ci_jobs *jobs); /* NULL is fine */

/* p has just executed something: asked for its job at once if it is one, as it may be gone soon; nobody waits. */
void ci_jobs_see(struct ci_jobs *jobs, const struct process *p);
/* The job of p, whose launchers have been attributed, in words: "job build of acme/shop, run 4711"; raw bytes: escape them.
 * BYTES_NULL: no runner started it, by the kernel's facts, or which job it is is not known. Valid until the next call. */
struct bytes ci_jobs_find(struct ci_jobs *jobs, const struct process *p);

/* Pure. Of an environment, each variable ended by a NUL. Nothing where it names no job. */
void ci_job_describe(struct bytes environment, struct sbuf *out);
