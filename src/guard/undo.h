/* SPDX-License-Identifier: MIT */
/* Undoing what guards hold, whoever held it. A file that two guards hold is released by the end of the last one. */
#pragma once

#include "guard/state.h"
#include "util/sbuf.h"

/*
 * Releases the list of the guard called `name`, but for what other guards hold, and forgets it, unless something could not be
 * released: then it stays written down, for whoever tries next. What stayed immutable is in *ret: failed.
 */
void guard_undo(const char *directory, const char *name, const struct guard_method *method, const struct guard_list *list,
                struct guard_released *ret);
/*
 * Those that nobody holds any more are undone; how many, and one line for people, escaped, appended to `said`, which says
 * also what could not be. ret_failed (may be NULL): of how many files.
 */
size_t guard_take_back(const char *directory, struct sbuf *said, size_t *ret_failed);
/* Ends guards by their targets' text (NULL: all): how many. Those that do not answer are killed, and undone here; said, ret_failed as
 * above. */
size_t guard_end(const char *directory, const char *target, struct sbuf *said, size_t *ret_failed);
