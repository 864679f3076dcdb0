/* SPDX-License-Identifier: MIT */
#include "attribution/ci_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/asked.h"
#include "attribution/procfs.h"
#include "cause/launcher.h"
#include "util/arena.h"
#include "util/hash_table.h"
#include "util/limits.h"
#include "util/macro.h"

#define WAIT_MS 300    /* before the event goes on without */
#define VALUE_MAX 80   /* bytes of one value: it is in a sentence */
#define GATHER_MAX (128 * 1024)
#define JOBS_MAX 256   /* remembered; the oldest goes first */
#define ASKED_MAX 64   /* processes of a job that are asked which one it is: first comes a login shell's profile */
#define DEPTH_SEEN 4   /* below the runner: GitLab's has a shell, a part of which runs the commands */

/* The variables of one runner, by its manual. A job counts by `job`; the others may be missing. */
static const struct runner {
    const char *job, *project, *workflow, *run;
} runners[] = {
    { "GITHUB_JOB", "GITHUB_REPOSITORY", "GITHUB_WORKFLOW", "GITHUB_RUN_ID" }, /* Gitea's and Forgejo's too */
    { "CI_JOB_NAME", "CI_PROJECT_PATH", NULL, "CI_JOB_ID" },                   /* GitLab */
    { "BUILDKITE_LABEL", "BUILDKITE_PIPELINE_SLUG", NULL, "BUILDKITE_BUILD_NUMBER" },
    { "BUILDKITE_JOB_ID", "BUILDKITE_PIPELINE_SLUG", NULL, "BUILDKITE_BUILD_NUMBER" }, /* a step without a label */
    { "DRONE_STEP_NAME", "DRONE_REPO", "DRONE_STAGE_NAME", "DRONE_BUILD_NUMBER" },
    { "CIRCLE_JOB", "CIRCLE_PROJECT_REPONAME", NULL, "CIRCLE_BUILD_NUM" },
    { "SYSTEM_JOBDISPLAYNAME", "BUILD_REPOSITORY_NAME", "BUILD_DEFINITIONNAME", "BUILD_BUILDNUMBER" }, /* Azure */
    { "CI_STEP_NAME", "CI_REPO", "CI_WORKFLOW_NAME", "CI_PIPELINE_NUMBER" },   /* Woodpecker */
    { "JOB_NAME", NULL, "STAGE_NAME", "BUILD_NUMBER" },                        /* Jenkins */
};

/* ---- pure parts ---- */

static void add_value(struct sbuf *out, const char *before, struct bytes value)
{
    size_t len = MIN(value.len, (size_t)VALUE_MAX);

    while (len < value.len && len && ((unsigned char)value.data[len] & 0xc0) == 0x80)
        len--; /* no half a character */
    sbuf_add_str(out, before);
    sbuf_add(out, value.data, len);
    if (len < value.len)
        sbuf_add_str(out, "…");
}

static void add_variable(struct sbuf *out, const char *before, struct bytes environment, const char *name)
{
    struct bytes value = name ? procfs_variable(environment, name, '\0') : BYTES_NULL;

    if (value.len)
        add_value(out, before, value);
}

void ci_job_describe(struct bytes environment, struct sbuf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(runners); i++) {
        const struct runner *r = &runners[i];
        struct bytes job = procfs_variable(environment, r->job, '\0');

        if (!job.len)
            continue;
        add_value(out, "job ", job);
        add_variable(out, " of ", environment, r->project);
        add_variable(out, ", workflow ", environment, r->workflow);
        add_variable(out, ", run ", environment, r->run);
        return;
    }
}

/* ---- in a worker ---- */

static int gather(struct bytes request, struct gathered *g)
{
    const char *proc;
    uint64_t start_ns;
    pid_t pid;
    char *text;
    size_t len;
    int r = asked_about(request, &pid, &start_ns, &proc);

    if (r == 0)
        r = procfs_read_environment(proc, pid, start_ns, &text, &len);
    return r < 0 ? r : gathered_add(g, "environment", text, len);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    (void)request;
    ci_job_describe(gathered_get(g, "environment"), answer);
    return answer->len ? sbuf_error(answer) : -ENOENT;
}

static const struct foreign_job environment_job = { "the job of a CI runner", GATHER_MAX, gather, parse, false };

/* ---- asking it ---- */

/* What a runner started, with all below it. */
struct runner_job {
    pid_t pid;
    uint64_t start_ns;
    unsigned asked;
    struct asked_one {
        pid_t pid;
        uint64_t start_ns;
    } who[ASKED_MAX]; /* its processes that were asked */
    struct arena own;
    struct bytes text; /* empty: not known yet */
    UT_hash_handle hh;
};

struct ci_jobs {
    struct asked_processes *asked;
    struct runner_job *jobs; /* by pid, in the order of their making */
};

int ci_jobs_new(const char *proc, struct ci_jobs **ret, struct err *err)
{
    struct ci_jobs *jobs = calloc(1, sizeof(*jobs));
    int r;

    if (!jobs)
        return err_set(err, -ENOMEM, "jobs of CI runners");
    r = asked_new(&environment_job, proc, &jobs->asked, err);
    if (r < 0) {
        ci_jobs_free(jobs);
        return r;
    }
    *ret = jobs;
    return 0;
}

static void forget(struct ci_jobs *jobs, struct runner_job *job)
{
    HASH_DEL(jobs->jobs, job);
    arena_done(&job->own);
    free(job);
}

void ci_jobs_free(struct ci_jobs *jobs)
{
    if (!jobs)
        return;
    while (jobs->jobs)
        forget(jobs, jobs->jobs);
    asked_free(jobs->asked);
    free(jobs);
}

/* The process that the runner itself started, at or above p; NULL: no runner did. */
static const struct process *outermost(const struct process *p, unsigned depth)
{
    for (unsigned i = 0; p->parent && i < depth; i++, p = p->parent)
        if (launcher_is_ci(p->parent))
            return launcher_is_ci(p) ? NULL : p;
    return NULL;
}

static struct runner_job *job_of(struct ci_jobs *jobs, const struct process *p, unsigned depth)
{
    const struct process *first = outermost(p, depth);
    struct runner_job *job;

    if (!first || !first->start_ns)
        return NULL;
    HASH_FIND(hh, jobs->jobs, &first->pid, sizeof(first->pid), job);
    if (job && process_is(first, job->pid, job->start_ns))
        return job;
    if (job)
        forget(jobs, job);
    if (HASH_COUNT(jobs->jobs) >= JOBS_MAX)
        forget(jobs, jobs->jobs);
    job = calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->pid = first->pid;
    job->start_ns = first->start_ns;
    HASH_ADD(hh, jobs->jobs, pid, sizeof(job->pid), job);
    HASH_FREE_IF_OUT(hh, job);
    return job;
}

static void put(struct ci_jobs *jobs, struct runner_job *job, const struct process *p)
{
    if (job->text.len || job->asked >= ASKED_MAX)
        return;
    for (unsigned i = 0; i < job->asked; i++)
        if (process_is(p, job->who[i].pid, job->who[i].start_ns))
            return;
    job->who[job->asked++] = (struct asked_one){ p->pid, p->start_ns };
    asked_put(jobs->asked, p);
}

/* What is known of any of its processes by now. */
static void collect(struct ci_jobs *jobs, struct runner_job *job)
{
    struct bytes answer;

    for (unsigned i = 0; i < job->asked && !job->text.len; i++)
        if (asked_get(jobs->asked, job->who[i].pid, job->who[i].start_ns, 0, &answer) == 0)
            job->text = arena_copy(&job->own, answer);
}

void ci_jobs_see(struct ci_jobs *jobs, const struct process *p)
{
    struct runner_job *job = job_of(jobs, p, DEPTH_SEEN);

    if (!job)
        return;
    collect(jobs, job);
    put(jobs, job, p);
}

struct bytes ci_jobs_find(struct ci_jobs *jobs, const struct process *p)
{
    struct runner_job *job = job_of(jobs, p, LIMIT_LINEAGE);
    struct bytes answer;

    if (!job)
        return BYTES_NULL;
    collect(jobs, job);
    if (!p->exited_ns)
        put(jobs, job, p); /* it was there before we were, or does not descend from the runner directly */
    if (!job->text.len && asked_get(jobs->asked, p->pid, p->start_ns, WAIT_MS, &answer) == 0)
        job->text = arena_copy(&job->own, answer);
    return job->text;
}
