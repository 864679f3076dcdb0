/* SPDX-License-Identifier: MIT */
/* One event on its way into the case: where it is counted, or waits for what becomes of its file. One thread. */
#pragma once

#include "report/case_state.h"
#include "report/trace.h"
#include "util/fingerprint.h"

/* Who did it, and where it is counted; not counted: it only shows what became of the file. */
struct step {
    struct case_ *c;
    struct culprit *s;
    const struct event *e;
    bool counted;
};

/* What says that two events are of the same path of the same victim. */
struct fingerprint step_name_key(const struct event *e, struct bytes path);
/* Of this kind of change, made where there is none. NULL: not counted, or the case has no room. */
struct tally *step_tally(const struct step *step, enum variant variant);
/* In that tally; NULL: among what is beyond the case's room. */
void step_count_in(struct case_ *c, struct tally *t, const struct event *e, struct bytes path, struct bytes other);
/* At once. other: the second name of the change, BYTES_NULL: it has none. Texts are copied. */
void step_count(const struct step *step, enum variant variant, struct bytes path, struct bytes other);
/* Waits in the trace of its file. Counted at once where that has no room for it. */
void step_wait(const struct step *step, struct trace *trace, enum variant variant, struct bytes path, struct bytes other);
/* Counted, and not reported, for that reason. */
void step_fold(const struct step *step, enum variant variant, enum fold why);
