/* SPDX-License-Identifier: MIT */
/* What the control socket needs of the daemon. */
#pragma once

#include "daemon/alerting.h"
#include "daemon/answerer.h"
#include "daemon/status.h"

struct control_options {
    const struct log *log;
    const char *path;
    struct status *status;
    struct arming *arming;
    const char *store_path;
    struct ecs_host host;
    struct alerting *alerting;   /* NULL: alerts are off */
    struct answerer_options answerer; /* its store is not used; answer NULL: nobody is answered */
    void *data;
    void (*view)(void *data, struct status_view *ret); /* what status and metrics show, as it is now */
    void (*reload)(void *data); /* asks for one; control_reloaded() says how it went */
};
