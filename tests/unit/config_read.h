/* SPDX-License-Identifier: MIT */
/* What the tests of the configuration share: a text read, and what is said of it. */
#pragma once

#include "config/config.h"

struct said {
    struct sbuf text;
};

static inline void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    struct said *said = data;

    if (line)
        sbuf_addf(&said->text, "%s:%u: %s%s\n", file, line, warning ? "warning: " : "", text);
    else
        sbuf_addf(&said->text, "%s: %s%s\n", file, warning ? "warning: " : "", text);
}

static inline void read_text(struct config *c, struct bytes text, struct said *said)
{
    struct config_report report = { .data = said, .problem = on_problem };

    assert_int_equal(config_init(c), 0);
    assert_int_equal(config_read(c, "f", text, &report), 0);
    assert_int_equal(report.errors != 0, said->text.len != 0);
}
