/* SPDX-License-Identifier: MIT */
#include "report/follow_contents.h"

#include <string.h>

#include "event/syscall_name.h"
#include "report/follow_watched.h"
#include "report/tally.h"

static bool is_unchanged(const struct event *e)
{
    const struct file_state *a = &e->before, *b = &e->after;

    if (e->operation == OPERATION_CHMOD)
        return (a->known & b->known & FILE_MODE) && (a->mode & 07777) == (b->mode & 07777);
    if (e->operation == OPERATION_CHOWN)
        return (a->known & b->known & (FILE_UID | FILE_GID)) && a->known == b->known &&
               (!(a->known & FILE_UID) || a->uid == b->uid) && (!(a->known & FILE_GID) || a->gid == b->gid);
    if (e->operation == OPERATION_SETFLAGS)
        return ((a->known & b->known & FILE_FLAGS) && a->flags == b->flags) || bytes_equal_str(e->note, EVENT_NOTE_SAME);
    return event_attribute_is_unknown(e) && bytes_equal_str(e->note, EVENT_NOTE_SAME);
}

/* By audit's word alone: open(2) emptied the file, and what was written through the descriptor audit does not see. */
static bool is_open_alone(const struct event *e)
{
    const char *call = e->sensors == SENSOR_AUDIT || e->sensors == SENSOR_AUDIT_LOG ? event_call_name(e) : NULL;

    return call && (strncmp(call, "open", 4) == 0 || strcmp(call, "creat") == 0);
}

/* truncate(2) or ftruncate(2) to a length that leaves something: nothing was emptied to be filled. */
static bool is_cut(const struct event *e)
{
    const char *call = (e->after.known & FILE_SIZE) && e->after.size ? event_call_name(e) : NULL;

    return call && strstr(call, "truncate"); /* truncate64 as well */
}

/* fanotify, which sees no calls, reports the cut once more at the close of the file. */
static bool is_cut_again(const struct trace *trace, const struct event *e)
{
    return e->operation == OPERATION_WRITE && (e->before.known & e->after.known & FILE_SIZE) &&
           e->before.size == trace->cut_from && e->after.size == trace->cut_to;
}

static void cut(const struct step *step, struct trace *trace)
{
    const struct event *e = step->e;

    if (!trace)
        trace = trace_add(step->c, e, e->path, BYTES_NULL, BYTES_NULL);
    if (trace) {
        trace->cut_by = step->s;
        trace->cut_from = e->before.size;
        trace->cut_to = e->after.size;
        trace->emptied_by = NULL;
    }
    step_count(step, VARIANT_PLAIN, e->path, BYTES_NULL);
}

/* Waits: if the same culprit writes to the file now, it was overwritten. */
static void emptied(const struct step *step, struct trace *trace)
{
    const struct event *e = step->e;

    if (!trace)
        trace = trace_add(step->c, e, e->path, BYTES_NULL, BYTES_NULL);
    trace_lost(trace);
    if (trace && trace->emptied_by && trace->emptied_by != step->s)
        trace_commit(step->c, trace);
    if (trace) {
        trace->emptied_by = step->s;
        trace->cut_from = e->before.size;
        trace->cut_to = e->after.size;
    }
    step_wait(step, trace, is_open_alone(e) ? VARIANT_REOPENED : VARIANT_PLAIN, e->path, BYTES_NULL);
}

/* Opened or written by who has just emptied it. */
static void filled(const struct step *step, struct trace *trace)
{
    enum variant variant = bytes_equal_str(step->e->note, EVENT_NOTE_CUT) ? VARIANT_CUT : VARIANT_OVERWRITTEN;

    if (step->e->operation == OPERATION_OPEN_WRITE && (step->e->sensors & SENSOR_AUDIT) && trace->cut_to) {
        trace->cut_by = step->s; /* audit saw that it was not the opening which made it shorter */
        trace->emptied_by = NULL;
    } else if (step->e->operation == OPERATION_WRITE && !trace_overwritten(step->c, step->s, trace, variant, step->e->time_ns)) {
        step_count(step, VARIANT_PLAIN, step->e->path, BYTES_NULL); /* the emptying was reported by itself long ago */
        return;
    }
    step_fold(step, variant, FOLD_CONTENTS);
}

void follow_changed(const struct step *step)
{
    const struct event *e = step->e;
    struct trace *trace = trace_find(step->c, e, e->path);
    bool own = trace && trace->maker == step->s;
    enum variant variant = is_unchanged(e)         ? VARIANT_UNCHANGED
                           : watched_is_around(e)          ? VARIANT_AROUND
                           : own                   ? VARIANT_OWN
                           : e->operation_presumed ? VARIANT_UNCERTAIN
                                                   : VARIANT_PLAIN;

    if (own)
        step_wait(step, trace, variant, e->path, BYTES_NULL);
    else if (step->counted && e->operation == OPERATION_TRUNCATE && variant == VARIANT_PLAIN && is_cut(e))
        cut(step, trace);
    else if (trace && trace->cut_by == step->s && is_cut_again(trace, e))
        step_fold(step, VARIANT_PLAIN, FOLD_CONTENTS);
    else if (step->counted && e->operation == OPERATION_TRUNCATE && variant == VARIANT_PLAIN && (!trace || (!trace->maker && !trace->gone_by)))
        emptied(step, trace);
    else if (trace && trace->emptied_by == step->s && (e->operation == OPERATION_WRITE || e->operation == OPERATION_OPEN_WRITE))
        filled(step, trace);
    else
        step_count(step, variant, e->path, BYTES_NULL);
}
