/* SPDX-License-Identifier: MIT */
/* What the daemon needs of whoever starts it; all of it is borrowed until service_run() returns. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/answerer.h"
#include "event/event.h"
#include "util/bytes.h"
#include "util/log.h"

struct service_options {
    const struct log *log;
    const char *config_dir;
    const char *runtime_dir;      /* "/run/culprit" */
    const char *docker_socket;    /* where the configuration has none; NULL: the usual places */
    const char *notify_socket;    /* NULL: nobody wants to know */
    uint64_t watchdog_ns;         /* a sign of life at least so often; 0: none is asked for */
    struct bytes host_id, host_name, boot_id;
    bool no_seccomp;

    struct answerer_options answerer; /* questions to the record by whoever may look; its store is not used */

    void *data;
    void (*problem)(void *data, const char *file, unsigned line, const char *text, bool warning); /* as config_report's */
    void (*notice)(void *data, const char *text); /* one line for people */
    void (*gap)(void *data, const struct gap *gap);
};
