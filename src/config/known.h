/* SPDX-License-Identifier: MIT */
/* Which targets stand in the configuration already, however they are written. */
#pragma once

#include "util/bytes.h"

struct config_source {
    const char *file; /* NULL: the default */
    unsigned line;    /* 0: not known */
};

struct config_known;

/* -EEXIST: *ret_found says where; it lives as long as `known`. -ENOMEM, -EINVAL: it is no target. `from` is copied. */
int config_know(struct config_known **known, struct bytes target, const struct config_source *from,
                const struct config_source **ret_found);
void config_forget(struct config_known **known);
