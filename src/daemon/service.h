/* SPDX-License-Identifier: MIT */
/* `culprit daemon`: the life of an observation that nobody watches, by a configuration that can be exchanged. */
#pragma once

#include "daemon/service_options.h"
#include "util/err.h"

/*
 * Runs until SIGTERM or SIGINT, and reads the configuration again at SIGHUP. Called with one thread.
 * 0: ended on request; -EINVAL: the configuration has mistakes, which were reported; -EBUSY: there is another
 * daemon; -errno of what could not be opened or armed. err has the one line.
 */
int service_run(const struct service_options *options, struct err *err);
