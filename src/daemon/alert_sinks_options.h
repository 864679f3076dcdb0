/* SPDX-License-Identifier: MIT */
/* What the daemon's sinks need of it. */
#pragma once

#include "util/log.h"

struct alert_sinks_options {
    const struct log *log;
    void *data;
    /* Messages do not get out of a sink, or were dropped by it: said once until they do again. All texts are escaped. */
    void (*failing)(void *data, const char *name, const char *text);
};
