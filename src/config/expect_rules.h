/* SPDX-License-Identifier: MIT */
/* What the configuration expects, and what is not to be said, as alert/ has it. */
#pragma once

#include "alert/expect.h"
#include "alert/redact.h"
#include "config/config.h"

/* Rows and blocks, copied to the arena; whose work is culprit's own is the caller's to say. -ENOMEM: *ret is as it was. */
int config_expect_rules(const struct config *c, struct arena *arena, struct expect_rules *ret);
struct redact_rules config_redaction(const struct config *c);
