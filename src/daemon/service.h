/* SPDX-License-Identifier: MIT */
/* `culprit daemon`: the life of an observation that nobody watches, by a configuration that can be exchanged. */
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "event/event.h"
#include "util/bytes.h"
#include "util/err.h"
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

    void *data;
    void (*problem)(void *data, const char *file, unsigned line, const char *text, bool warning); /* as config_report's */
    void (*notice)(void *data, const char *text); /* one line for people */
    void (*gap)(void *data, const struct gap *gap);
};

/*
 * Runs until SIGTERM or SIGINT, and reads the configuration again at SIGHUP. Called with one thread.
 * 0: ended on request; -EINVAL: the configuration has mistakes, which were reported; -EBUSY: there is another
 * daemon; -errno of what could not be opened or armed. err has the one line.
 */
int service_run(const struct service_options *options, struct err *err);
