/* SPDX-License-Identifier: MIT */
/* The mounts below a watched path of the host: each is another file system, with a root of its own. */
#pragma once

#include <stdbool.h>

#include "foreign/mounts.h"
#include "util/bytes.h"
#include "util/sbuf.h"

/*
 * The mount points strictly below `path` (absolute, normalised) in our own mount namespace, appended to
 * `out`, each ended by NUL, in the order of mounting. Returns how many; -errno: not readable.
 */
int bpf_mounts_below(struct bytes path, struct sbuf *out);

/* The same from the text of a mountinfo (proc(5)); pure. */
int bpf_mounts_parse(struct bytes mountinfo, struct bytes path, struct sbuf *out);

/* May that mount point be looked at? No: it does not answer (foreign/mounts.h), or lies below *silent, which did not; *silent is
 * then set, and points into `point` of that call. */
bool bpf_mount_answers(struct foreign_mounts *mounts, struct bytes point, struct bytes *silent);
