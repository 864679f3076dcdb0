/* SPDX-License-Identifier: MIT */
/* For how long the record is kept, as the configuration has it. */
#pragma once

#include "config/config.h"
#include "util/log.h"

struct pipeline;

/* The store keeps it so from now on. */
void retain_configured(struct pipeline *pipeline, const struct config *c, const struct log *log);
