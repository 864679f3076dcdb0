/* SPDX-License-Identifier: MIT */
/* What this kernel's fanotify can do: asked by trying, never by its version. */
#pragma once

#include <stdbool.h>

#include "util/err.h"

struct fanotify_features {
    bool names;   /* FAN_REPORT_DFID_NAME, Linux 5.9: without it there is no sensor */
    bool target;  /* FAN_REPORT_TARGET_FID, 5.17: names made and deleted at once stay apart */
    bool pidfd;   /* FAN_REPORT_PIDFD, 5.15 */
    bool rename;  /* FAN_RENAME, 5.17: both names in one event */
    bool errors;  /* FAN_FS_ERROR, 5.16 */
    bool flags;   /* chattr makes an event of changed attributes */
};

/* Changes nothing. -EPERM: CAP_SYS_ADMIN is missing; -ENOSYS, -EINVAL: no fanotify with names. */
int fanotify_probe(struct fanotify_features *ret, struct err *err);

/* A group with everything that there is. bounded: with the kernel's own limit of events waiting
 * (fs.fanotify.max_queued_events), else without one. */
int fanotify_group_open(const struct fanotify_features *features, bool bounded, struct err *err);
