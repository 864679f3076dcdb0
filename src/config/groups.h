/* SPDX-License-Identifier: MIT */
/* What is watched without anybody having asked for it: what people regret not having watched. */
#pragma once

#include <stdbool.h>

struct config_group {
    const char *name;
    struct config_group_path {
        const char *path; /* NULL at the end */
        bool if_there;    /* on some machines only, and then from the beginning: it is not waited for */
    } paths[12];
    const char *help;
};

/* NULL past the end. */
const struct config_group *config_group(unsigned index);
