/* SPDX-License-Identifier: MIT */
/* Files that are being written to. */
#pragma once

#include "sensor/fanotify/state.h"

struct fanotify_writes *fanotify_writes_new(void);
void fanotify_writes_free(struct fanotify_writes *w);
size_t fanotify_writes_count(const struct fanotify_writes *w); /* files that are remembered */
/* The actor of now has made that file, and may have it open: closing it is the end of making it. */
void fanotify_writes_made(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct file_state *file,
                          const struct fanotify_cause *now);
void fanotify_written(struct fanotify_object *o, uint32_t directory, struct bytes name, uint64_t mask, bool times_set,
                      const struct tree_change *change, const struct fanotify_cause *cause);
/* Contents differ from what the index had; how that came is not known. */
void fanotify_emit_changed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                           const struct tree_change *change, const struct fanotify_cause *cause);
void fanotify_writes_tick(struct sensor *s, uint64_t now_ms, bool all);
void fanotify_writes_forget(struct fanotify_object *o);
/* Read or executed; the same again within a second is not emitted. */
void fanotify_accessed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                       enum operation operation, const struct fanotify_cause *cause);
