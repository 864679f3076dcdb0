/* SPDX-License-Identifier: MIT */
#include "report/follow_step.h"

#include "report/culprit.h"
#include "report/tally.h"

struct fingerprint step_name_key(const struct event *e, struct bytes path)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, e->victim ? e->victim->id : BYTES_NULL);
    fingerprint_add(&of, path);
    return fingerprint_end(&of);
}

void step_count_in(struct case_ *c, struct tally *t, const struct event *e, struct bytes path, struct bytes other)
{
    struct part part = trace_part(t, e);

    if (t)
        tally_add(c, t, &part, &(struct sample){ path, other });
    else
        c->beyond++;
}

struct tally *step_tally(const struct step *step, enum variant variant)
{
    struct tally *t = step->counted ? case_tally(step->c, step->s, step->e, variant) : NULL;

    if (t)
        tally_describe(step->c, t, step->e);
    return t;
}

void step_count(const struct step *step, enum variant variant, struct bytes path, struct bytes other)
{
    if (step->counted)
        step_count_in(step->c, step_tally(step, variant), step->e, path, other);
}

/* Counted at once where the trace has no room for it. */
void step_wait(const struct step *step, struct trace *trace, enum variant variant, struct bytes path,
                      struct bytes other)
{
    struct tally *t = step_tally(step, variant);

    if (!step->counted || (t && trace && trace_wait(trace, t, step->e)))
        return;
    step_count_in(step->c, t, step->e, path, other);
}

void step_fold(const struct step *step, enum variant variant, enum fold why)
{
    struct tally *t = step_tally(step, variant);

    if (t)
        t->folded[why]++;
    else if (step->counted)
        step->c->beyond++;
}
