/* SPDX-License-Identifier: MIT */
/* who --from: the verdict from audit logs alone. */
#pragma once

#include "attribution/agents.h"
#include "cli/print.h"
#include "cli/who_places.h"
#include "report/case.h"
#include "report/summary.h"
#include "sensor/audit/log/files.h"
#include "store/query.h"
#include "watch/target.h"

struct who_log {
    const struct audit_log_files *files;
    struct store_query *query; /* since, until */
    struct printer *printer;
    bool json;
    struct case_ *case_;
    const struct agents *agents; /* outlive the case */
    const struct filter *filter;
    struct summary *summary; /* who --by; NULL: none */
    struct who_places *places; /* all targets of the question */
    bool own;                /* the logs are this machine's, wherever they lie */
};

/* Asks the logs about one target. -ENOENT, -EINVAL: err says why. */
int who_log_ask(struct who_log *w, struct target *target, struct err *err);

/* Appends what one argument names; *ret_is_log: its first record could be read. */
int who_log_add(struct audit_log_files *files, const char *argument, bool *ret_is_log, struct err *err);
