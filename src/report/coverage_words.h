/* SPDX-License-Identifier: MIT */
/* Moments, spans and limits of coverage in words; into `out`. For report/. */
#pragma once

#include "report/case_state.h"
#include "util/sbuf.h"

struct coverage_permission {
    unsigned permission; /* enum permission */
    const char *words;   /* "reading" */
    const char *name;    /* in JSON; NULL: the table's end */
};
extern const struct coverage_permission coverage_permissions[];

/* "fanotify", "audit + bpf" */
void coverage_write_sensors(struct sbuf *out, unsigned sensors);
/* "nothing lost", "12 lost: the verdict may be incomplete", "12 events are not in the log" */
void coverage_write_loss(const struct case_ *c, struct sbuf *out);
/* "3 Nov" with the year where it is another one, "14:02:11" today; with_time: both. */
void coverage_add_moment(struct sbuf *out, uint64_t time_ns, bool with_time);
/* "from ... to ...", "since ..." where it goes on. */
void coverage_add_span(struct sbuf *out, uint64_t from_ns, uint64_t to_ns);
/* ... and what is older was removed. */
void coverage_add_removed(struct sbuf *out, const struct case_question *q);
void coverage_add_duration(struct sbuf *out, uint64_t ns);
/* What of it was watched: places, kinds of changes, and what options left out; nothing where it was all. */
bool coverage_add_limits(struct sbuf *out, const struct coverage *v, unsigned asked);
/* It was recorded on another machine than the case is about. */
bool coverage_is_elsewhere(const struct case_ *c, const struct coverage *v);
