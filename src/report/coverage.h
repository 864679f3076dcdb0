/* SPDX-License-Identifier: MIT */
/* What was observed, in words: the lines below a verdict (coverage.c), what is said where nothing was recorded
 * (coverage_answer.c), and the same as JSON (coverage_json.c). For report/. */
#pragma once

#include "event/coverage.h"
#include "report/case_options.h"

struct case_;

/* In order of the beginnings, for each target anew. */
int case_add_coverage(struct case_ *c, const struct coverage *coverage);
/* What is still observed was observed until then; other coverage may follow. */
void case_end_coverage(struct case_ *c, uint64_t to_ns);
int case_add_question(struct case_ *c, const struct case_question *question); /* copies */
/* Was never all of it watched? Then out gets what was: "only /a/b", "not changes of permissions and owners". */
bool case_watched_partly(const struct case_ *c, struct sbuf *out);
bool case_was_watched(const struct case_ *c); /* some of it at least, at some time that was asked for */

/* Each line on what was observed: its label ("" = it belongs to the one before) and its text without newline. */
void coverage_each_line(const struct case_ *c, void (*line)(void *data, const char *label, struct bytes text), void *data);

/* Each sentence where nobody is accused and nothing explains it: "nothing happened to X in 10 minutes (...)",
 * "X was never watched; the nearest that was: Y, since 3 Nov". */
void coverage_each_answer(const struct case_ *c, void (*line)(void *data, struct bytes text), void *data);
/* Targets that nobody watched, beside a verdict on others. */
void coverage_each_unwatched(const struct case_ *c, void (*line)(void *data, struct bytes text), void *data);

/* ,"coverage":[...],"lost":0,"gaps":0,"watched":[...] */
void coverage_write_json(const struct case_ *c, struct sbuf *out);
