/* SPDX-License-Identifier: MIT */
/* Copies of what is watched, kept beside the record: what the pipeline has to do with them. */
#pragma once

#include "daemon/pipeline_state.h"

/* Before there are threads. 0 also where none are asked for. */
int pipeline_open_copies(struct pipeline *p, struct err *err);
void pipeline_close_copies(struct pipeline *p);
void pipeline_copy_object(struct pipeline *p, const struct watch_object *object);
/* Says what is kept, once all of it is; after a minute it goes on by itself. */
void pipeline_await_copies(struct pipeline *p);
void pipeline_look_at_kept(const struct pipeline *p, struct pipeline_condition *ret);
/* From time to time: says what is not kept any more. */
void pipeline_look_at_copies(struct pipeline *p);
