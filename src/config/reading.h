/* SPDX-License-Identifier: MIT */
/* One text that is being read: what its blocks and auditctl's rules have in common. One thread. */
#pragma once

#include "config/config.h"

struct reading {
    struct config *config;
    struct config_report *report;
    const char *file;      /* in the configuration's arena */
    const struct cfg_t *section;  /* the block that is being read; NULL: none */
    struct config_block block;
    int error;             /* -ENOMEM */
};

/* Adds a copy; what it points to has to be the configuration's already. -ENOMEM */
int config_add_block(struct config *c, enum config_section section, const struct config_block *block);
/* A watch that was read whole, whose last line is `line`. It is not added where a problem was reported: -EEXIST, -E2BIG, -EINVAL;
 * -ENOMEM: reading->error as well. */
int config_add_watch(struct reading *reading, const struct config_block *w, unsigned line);
/* "FILE:LINE", in `buffer`. */
const char *config_source_text(const struct config_source *from, char *buffer, size_t size);
