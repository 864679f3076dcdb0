/* SPDX-License-Identifier: MIT */
/* A program that a sink starts. */
#pragma once

#include "sink/sink.h"

struct sink_program {
    char *const *argv;   /* whole path first; NULL at the end */
    struct bytes input;  /* of its standard input */
    bool gains;          /* it may be set-id, where nothing else forbids that */
};

/* As the sink's user, until it ends. 0: status 0. -errno with what it did. */
int sink_run_program(const struct sink_program *program, const struct sink_settings *s, const struct sink_message *m, struct err *err);
