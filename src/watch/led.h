/* SPDX-License-Identifier: MIT */
/* Links on the way to a watched path that were changed: what they lead to is watched anew, and whether anything had happened there before. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event;
struct object;
struct watchset;

/* The event concerns that object: is it a link that leads elsewhere since? */
void led_note(struct watchset *set, struct object *found, const struct event *event);

/*
 * watchset_poll(), for links that were changed. True where something may have been missed: the kernel dates a change of a file by its
 * ctime, or that of its directory, and one there is not older than the link; or none of that is known (another file system than the link's, more
 * than 20,000 files, a link that was changed twice, reads and executions, which are not dated). Then *ret_from_ns is since when
 * (CLOCK_REALTIME). Renames by one temporary name within a moment, which the kernel may report as one, count as one.
 */
bool watchset_poll_links(struct watchset *set, uint64_t *ret_from_ns);
