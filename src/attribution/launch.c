/* SPDX-License-Identifier: MIT */
#include "attribution/launch.h"

#include <errno.h>
#include <string.h>

#include "attribution/crontab.h"
#include "attribution/inside.h"
#include "attribution/launch_client.h"
#include "attribution/timer.h"
#include "cause/argv.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/sbuf.h"

/* ---- arguments ---- */

static struct bytes shell_command(const struct process *p)
{
    struct bytes rest = p->args, word = BYTES_NULL;

    (void)argv_take(&rest, &word);
    if (!argv_take(&rest, &word) || !bytes_equal_str(word, "-c") || !argv_take(&rest, &word))
        return BYTES_NULL;
    return word;
}

/* ---- cron ---- */

static bool is_cron(const struct process *p)
{
    struct bytes name = bytes_basename(p->executable), rest = p->args, first;

    if (bytes_equal_str(name, "busybox") && argv_take(&rest, &first))
        name = bytes_basename(first);
    return bytes_equal_str(name, "cron") || bytes_equal_str(name, "crond");
}

/* Did cron, of which the parent is a likeness, start this image by sh -c? */
static bool is_job(const struct process *p)
{
    return p->parent && is_cron(p->parent) && !is_cron(p) && shell_command(p).len && !p->args_truncated;
}

static void find_crontab(const struct launch_sources *s, struct process *p)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, answer = SBUF_INIT;
    struct bytes user = p->real_user_name.len ? p->real_user_name : p->user_name, file, line;

    if (p->origin == ORIGIN_HOST)
        inside_by_root(&place, bytes_of("/"));
    else if (p->container)
        inside_by_process(&place, p->container->pid);
    if (p->container && !place.len)
        (void)inside_by_engine(&place, s->engines, p->container);
    if (crontab_find(sbuf_bytes(&place), user, shell_command(p), &answer) < 0)
        return;
    file = bytes_of(sbuf_str(&answer));
    line = (struct bytes){ file.data + file.len + 1, answer.len - file.len - 1 };
    p->launch.kind = LAUNCH_CRONTAB;
    process_set(p, &p->launch.text, line);
    process_set(p, &p->launch.place, file);
    process_set(p, &p->launch.user, user);
}

/* ---- timers ---- */

/* A service that somebody started by hand is not its timer's. */
static void find_timer(const struct launch_sources *sources, struct process *p)
{
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;

    if (timer_find(p, sources->timers_hang, &answer) < 0)
        return;
    for (struct process *image = p; image; image = image->earlier)
        if (!image->launch.kind) {
            image->launch.kind = LAUNCH_TIMER;
            process_set(image, &image->launch.text, sbuf_bytes(&answer));
        }
}

static bool is_first_of_service(const struct process *p)
{
    return p->origin == ORIGIN_HOST && p->parent && p->parent->pid == 1 && p->start_ns &&
           bytes_ends_with(p->owner.unit, bytes_of(".service"));
}

/* ---- jobs of CI runners ---- */

/* No process above it has a CI job yet: the one nearest to the runner counts. */
static bool has_no_job(const struct process *p)
{
    for (unsigned depth = 0; p && depth < LIMIT_LINEAGE; depth++, p = p->parent)
        if (p->launch.kind == LAUNCH_CI_JOB)
            return false;
    return true;
}

static void find_ci_job(const struct launch_sources *sources, struct process *p)
{
    struct bytes job = sources->ci_jobs && has_no_job(p) ? ci_jobs_find(sources->ci_jobs, p) : BYTES_NULL;

    for (struct process *image = p; image && job.len; image = image->earlier)
        if (!image->launch.kind) {
            image->launch.kind = LAUNCH_CI_JOB;
            process_set(image, &image->launch.text, job);
        }
}

/* What this process was before, and was looked at then. */
static const struct process *looked_before(const struct process *p)
{
    while (p && !p->launch.looked)
        p = p->earlier;
    return p;
}

void launch_find(const struct launch_sources *sources, struct process *p)
{
    const struct process *before = looked_before(p);

    if (before == p)
        return;
    for (struct process *image = p; image && image != before; image = image->earlier)
        if (is_job(image))
            find_crontab(sources, image);
    if (before && before->launch.kind != LAUNCH_CRONTAB && !p->launch.kind)
        process_set_launch(p, before);
    else if (!before && launch_came_in(p))
        launch_find_client(sources, p);
    else if (!before && is_first_of_service(p))
        find_timer(sources, p);
    if (!p->launch.kind) /* docker-untar is what dockerd's child has executed */
        launch_find_copier(sources, p);
    if (!p->launch.kind) /* each exec has an environment of its own */
        find_ci_job(sources, p);
    for (struct process *image = p; image && image != before; image = image->earlier)
        image->launch.looked = true;
}
