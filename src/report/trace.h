/* SPDX-License-Identifier: MIT */
/* Files followed by name, for follow.c: what waits with each of them until it is known as what it counts. */
#pragma once

#include "report/case_state.h"

/* It makes a name that was not there: create, mkdir, mknod, symlink, link. */
bool trace_is_creation(enum operation operation);

/* The file that has this name now; NULL: not followed. */
struct trace *trace_find(struct case_ *c, const struct event *e, struct bytes path);
/* A new one, of a name that is not in the table. NULL: out of memory. */
struct trace *trace_add(struct case_ *c, const struct event *e, struct bytes path, struct bytes original, struct bytes previous);
/* The directory e->previous_path was renamed: what its culprits made below it is followed by its new name. Where directories are renamed
 * faster than TRACES_MAX traces can be looked at, the old names stay. */
void trace_move_below(struct case_ *c, const struct event *e);
struct bytes trace_path(const struct trace *trace);
void trace_drop(struct case_ *c, struct trace *trace);   /* NULL is fine; what waits is lost: count it before */
void trace_forget(struct case_ *c, struct trace *trace); /* counts what waits, then drops it; NULL is fine */
void trace_make_room(struct case_ *c);                   /* frees the oldest one where the table is full */

/* The event as a part of its own: one change of that tally. */
struct part trace_part(struct tally *t, const struct event *e);
bool trace_wait(struct trace *trace, struct tally *t, const struct event *e); /* false: no room */
void trace_commit(struct case_ *c, struct trace *trace); /* what waits is reported, or folded as a part of what is reported */
/* It is written to at `time_ns` by `s`, who emptied it: what waits as that counts as `variant`: overwritten, or cut, and that perhaps. false: that
 * was reported by itself. */
bool trace_overwritten(struct case_ *c, struct culprit *s, struct trace *trace, enum variant variant, uint64_t time_ns);
void trace_lost(struct trace *trace);                    /* its file goes: if that was kept as an old one, it is no more; NULL is fine */
void trace_fold(struct trace *trace, enum fold why);     /* what waits is folded */

void follow_commit(struct case_ *c); /* what waits is counted as it is now */
/* Frees all traces; what waits is not counted any more. */
void follow_done(struct case_ *c);
