/* SPDX-License-Identifier: MIT */
/* What auditd.conf says of its logs; the defaults are auditd's own where it says nothing. */
#pragma once

#include <stdint.h>

#include "util/err.h"

#define AUDITD_CONF_PATH "/etc/audit/auditd.conf"
#define AUDIT_LOG_DEFAULT_PATH "/var/log/audit/audit.log"

struct audit_log_config {
    char *log_file;          /* owned */
    uint32_t end_of_event_s; /* end_of_event_timeout, seconds */
};

void audit_log_config_done(struct audit_log_config *config); /* frees what it holds, not the struct */

/* A missing file is no error: *ret holds the defaults, and the result is -ENOENT.
 * -EINVAL: a line that auditd would refuse too; err says which. */
int audit_log_config_read(const char *path, struct audit_log_config *ret, struct err *err);
