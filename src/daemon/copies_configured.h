/* SPDX-License-Identifier: MIT */
/* Of which watches the configuration keeps copies. */
#pragma once

#include "config/config.h"
#include "daemon/pipeline.h"

/* Whether any are kept, and how many bytes of them: counts from the start on. */
void copies_configured_options(const struct config *c, struct pipeline_options *options);
/* Of which, once they are watched. What cannot be is said. */
void copies_configure(struct pipeline *pipeline, const struct config *c, const struct log *log);
