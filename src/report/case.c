/* SPDX-License-Identifier: MIT */
/* Collecting: events, lives, gaps and coverage go in. */
#include "report/case.h"

#include <errno.h>
#include <stdlib.h>

#include "report/case_state.h"
#include "report/culprit.h"
#include "report/follow.h"
#include "report/tally.h"
#include "report/trace.h"

struct case_ *case_new(const struct case_options *options)
{
    struct case_ *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->options = *options;
    c->options.target = arena_copy(&c->arena, options->target);
    c->options.command = arena_copy(&c->arena, options->command);
    c->own_status = -1;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->traces, "", 0, 0, &c->no_trace);
    if (!c->no_trace.hh.tbl) {
        case_free(c);
        return NULL;
    }
    if (!options->command.len)
        c->options.command_status = -1;
    return c;
}

void case_free(struct case_ *c)
{
    if (!c)
        return;
    slots_done(&c->seen.slots);
    free(c->seen.at);
    follow_done(c);
    while (c->culprits) {
        struct culprit *s = c->culprits;

        c->culprits = s->next;
        culprit_free(s);
    }
    arena_done(&c->arena);
    free(c);
}

void case_set_command(struct case_ *c, pid_t pid, uint64_t start_ns)
{
    c->options.command_pid = pid;
    c->options.command_start_ns = start_ns;
}

void case_set_command_status(struct case_ *c, int status, uint64_t command_ns)
{
    c->options.command_status = status;
    c->options.command_ns = command_ns;
}

void case_set_unsettled(struct case_ *c)
{
    c->options.settle_ns = 0;
}

void case_set_own_status(struct case_ *c, int status)
{
    c->own_status = status;
}

void case_leave_out(struct case_ *c, enum filter_result why, uint64_t count)
{
    if (why == FILTER_ALLOWED)
        c->allowed += count;
    else if (why == FILTER_OTHER)
        c->filtered += count;
}

int case_add_event(struct case_ *c, const struct event *event)
{
    struct culprit *s = case_culprit(c, event);

    c->judged = false;
    c->events++;
    c->refused += event->error > 0;
    if (!c->first_ns || event->time_ns < c->first_ns)
        c->first_ns = event->time_ns;
    c->last_ns = MAX(c->last_ns, event->time_ns);
    if (!s) {
        c->beyond++;
        return 0;
    }
    culprit_add(c, s, event);
    follow_event(c, s, event, true);
    return 0;
}

void case_leave_out_event(struct case_ *c, enum filter_result why, const struct event *event)
{
    struct culprit *s = case_culprit(c, event);

    case_leave_out(c, why, 1);
    if (s)
        follow_event(c, s, event, false);
}

int case_add_rollup(struct case_ *c, const struct store_rollup *rollup, struct event *const *samples,
                    unsigned sample_count)
{
    uint64_t read = sample_count ? MIN((uint64_t)sample_count, rollup->count) : 1, rest = rollup->count - read;
    struct culprit *s;
    struct tally *t;

    for (uint64_t i = 0; i < read; i++)
        (void)case_add_event(c, sample_count ? samples[i] : rollup->sample);
    if (!rest)
        return 0;
    s = case_culprit(c, rollup->sample);
    t = s ? case_tally(c, s, rollup->sample, VARIANT_PLAIN) : NULL;
    c->events += rest;
    c->refused += rollup->sample->error > 0 ? rest : 0;
    c->last_ns = MAX(c->last_ns, rollup->last_ns);
    if (!t) {
        c->beyond += rest;
        return 0;
    }
    if (!t->reported) {
        t->first_ns = rollup->first_ns;
        t->directory_of = arena_copy(&c->arena, bytes_dirname(rollup->sample->path));
    }
    t->reported += rest;
    t->unread += rest;
    t->files_beyond = true;
    t->last_ns = MAX(t->last_ns, rollup->last_ns);
    s->last_ns = MAX(s->last_ns, rollup->last_ns);
    s->rhythm.unknown = true;
    return 0;
}

int case_add_life(struct case_ *c, const struct lifecycle_event *life)
{
    c->starts += life->kind == LIFECYCLE_START;
    /* where the engine has layers, one goes with it; by hand the files stay where they were */
    if (life->kind == LIFECYCLE_DESTROY && !c->removed.len &&
        (bytes_equal_str(life->container->runtime, "docker") || bytes_equal_str(life->container->runtime, "podman"))) {
        c->removed = arena_copy(&c->arena, life->container->name);
        c->judged = false;
    }
    return 0;
}

void case_not_recorded(struct case_ *c)
{
    c->options.not_recorded = true;
}

int case_add_gap(struct case_ *c, const struct gap *gap)
{
    if (gap->reason == LOST_AUDIT_NUMBERS) {
        c->not_in_log += gap->count; /* whoever saved the log may have left them out */
    } else if (gap_has_changes(gap)) {
        c->lost += gap->count;
        c->lost_unknown |= gap->count == 0;
    }
    if (c->gap_count < ARRAY_SIZE(c->gaps))
        c->gaps[c->gap_count++] = *gap;
    else
        c->gaps_beyond++;
    return 0;
}

int case_add_explanation(struct case_ *c, enum explanation kind, uint64_t time_ns, uint64_t files,
                         struct bytes detail)
{
    if (c->explained_count == ARRAY_SIZE(c->explained))
        return -ENOSPC;
    c->explained[c->explained_count++] =
        (struct explained){ kind, time_ns, files, arena_copy(&c->arena, detail) };
    c->judged = false;
    return 0;
}

bool case_answered(const struct case_ *c)
{
    for (size_t i = 0; i < c->explained_count; i++)
        if (c->explained[i].kind != EXPLANATION_BEFORE && c->explained[i].kind != EXPLANATION_ABSENT)
            return true;
    return c->events > 0;
}

uint64_t case_events(const struct case_ *c)
{
    return c->events;
}

uint64_t case_lost(const struct case_ *c)
{
    return c->lost ? c->lost : c->lost_unknown ? 1 : 0;
}

uint64_t case_left_out(const struct case_ *c)
{
    return c->filtered;
}
