/* SPDX-License-Identifier: MIT */
/* The descriptors that the loop waits for. */
#pragma once

#include "daemon/pipeline_state.h"

/* fd < 0: nothing to wait for. ready: of SOURCE_CALLER only. -E2BIG, -ENOMEM, or as epoll_ctl(2). */
int pipeline_add_source(struct pipeline *p, enum source_kind kind, int fd, void (*ready)(void *, int),
                        void *data, struct err *err);
/* The descriptor of a source may change: *known is left, and `fd` takes its place; -1: none. */
void pipeline_follow_fd(struct pipeline *p, enum source_kind kind, void *data, int *known, int fd);
