/* SPDX-License-Identifier: MIT */
/* Paths by what the caller of a system call wrote. Pure. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "event/event.h"
#include "sensor/audit/facts.h"
#include "sensor/audit/object.h"
#include "util/bytes.h"

/* `name` below the absolute `dir` (BYTES_NULL: not known), without "." and "..", NUL-terminated. False: relative to a
 * directory that is not known, or too long. */
bool audit_written_path(struct bytes dir, struct bytes name, char *ret, size_t size);
/* The path that the caller wrote, made absolute; false: it is relative to a directory that is not known. */
bool audit_written_from_cwd(const struct audit_facts *facts, struct bytes name, char ret[PATH_MAX]);
/* The end of a rename that lies outside of what is watched, by what the caller wrote. */
void audit_written_outside(const struct audit_facts *facts, enum audit_nametype type, struct event *e, struct bytes *field);

/* Does a relative name of the call begin at the working directory? Others may take another one. */
bool audit_written_begins_at_cwd(const struct audit_facts *f);

/* Which of a file's names in the index, of which `first` is one, was written, as far as the end of that says; 0 = none.
 * ret_several: more than one may be it. */
uint32_t audit_written_name(const struct audit_object *o, const struct audit_facts *f, uint32_t first, struct bytes written, bool *ret_several);
