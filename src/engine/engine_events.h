/* SPDX-License-Identifier: MIT */
/*
 * Lifecycle events of all engines, as they come: options->life of engines_new() is called from engines_dispatch() and
 * engines_sync(), on the caller's thread.
 */
#pragma once

#include "util/err.h"

struct engines;

/* Follow the life of the containers: readable when engines_dispatch() has work; -1: nothing to follow yet. */
int engines_fd(const struct engines *e);
/* 1: a daemon that did not answer in time has answered now; asking again is worth it. */
int engines_dispatch(struct engines *e, struct err *err);
/* Deliver what the engines have already reported and nobody has read yet; takes at most timeout_ms. */
int engines_sync(struct engines *e, unsigned timeout_ms, struct err *err);
