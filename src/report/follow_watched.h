/* SPDX-License-Identifier: MIT */
/* Where a change lies, seen from what is watched. Pure. */
#pragma once

#include "report/case_state.h"

/* A rename out of what is watched: to the user that file is gone. */
bool watched_is_left(const struct event *e);
/* A rename of what was in what is watched before: its name is gone from there. */
bool watched_had(const struct event *e);
/* fanotify saw it leave what is watched, to where it could not look any more. */
bool watched_is_left_unseen(const struct event *e);
/* An engine's own mounts around the container that it sets up, which the container does not see. */
bool watched_is_around(const struct event *e);
/* An engine's rename of the folder that holds a container's mounted root; no file of the container changes. */
bool watched_is_bundle(const struct culprit *s, const struct event *e);
