/* SPDX-License-Identifier: MIT */
/* The daemon's configuration as it is read, at the start and anew: its mistakes for whoever asks, and what differs from the one before. */
#pragma once

#include "config/config.h"
#include "util/err.h"
#include "util/log.h"
#include "util/sbuf.h"

struct configured {
    const char *directory;
    void *data;
    void (*problem)(void *data, const char *file, unsigned line, const char *text, bool warning); /* as config_report's */
    struct sbuf problems; /* the mistakes of the last reading, a line each; bounded */
};

/* 0: *ret is the caller's; -EINVAL after its mistakes were reported, -ENOMEM. */
int configured_load(struct configured *c, struct config *ret, struct err *err);
/* Says of each value that is another one now, and counts from the next start on only; true: there is one. */
bool configured_counts_later(const struct config *before, const struct config *now, const struct log *log);
void configured_done(struct configured *c);
