/* SPDX-License-Identifier: MIT */
/* What the daemon's configuration expects, for commands that judge the record by it. */
#pragma once

#include "alert/expect.h"
#include "config/config.h"

struct cli_expected {
    struct config config;
    struct arena arena;
    struct expect_rules rules;
};

/* config_dir: NULL: the usual one, which need not be there. 0, or the exit status: what is wrong was said. Give it to cli_expected_done(). */
int cli_expected_begin(struct cli_expected *e, const char *config_dir);
void cli_expected_done(struct cli_expected *e);
