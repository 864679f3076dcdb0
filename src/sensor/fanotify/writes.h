/* SPDX-License-Identifier: MIT */
/* Files that are being written to. */
#pragma once

#include "sensor/fanotify/state.h"

/* One table a sensor, in its thread. */
struct fanotify_writes *fanotify_writes_new(void); /* NULL: out of memory */
void fanotify_writes_free(struct fanotify_writes *w); /* emits nothing; NULL is fine */
/* The actor of now has made that file, and may have it open: closing it is the end of making it. */
void fanotify_writes_made(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct file_state *file,
                          const struct fanotify_cause *now);
/* Contents or times of that file changed, or it was closed (mask: FAN_MODIFY, FAN_CLOSE_WRITE): emits what is known to be so by now, and
 * remembers a file that is still open; where too many are, a write is emitted at once. */
void fanotify_written(struct fanotify_object *o, uint32_t directory, struct bytes name, uint64_t mask, bool times_set,
                      const struct tree_change *change, const struct fanotify_cause *cause);
/* Contents differ from what the index had; how that came is not known. */
void fanotify_emit_changed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                           const struct tree_change *change, const struct fanotify_cause *cause);
/* now_ms: CLOCK_MONOTONIC. Emits a write of files that stay open and were not emitted for a second; all: of every one that was written to. */
void fanotify_writes_tick(struct sensor *s, uint64_t now_ms, bool all);
/* The object is not watched any more: its files are forgotten, and nothing is emitted of them. */
void fanotify_writes_forget(struct fanotify_object *o);
/* Read or executed; the same again within a second is not emitted. */
void fanotify_accessed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                       enum operation operation, const struct fanotify_cause *cause);
