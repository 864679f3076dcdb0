/* SPDX-License-Identifier: MIT */
/* What culprit watches by a rule of auditctl's. */
#pragma once

#include "rules/rule.h"

struct rule_watch {
    struct bytes path;    /* [CONTAINER:]PATH; borrowed from the rule, as the key is */
    struct bytes key;     /* BYTES_NULL: none */
    unsigned permissions; /* enum permission */
};

/* False: it is no watch (-w, or -a with path= or dir= that auditctl shows as one), and adds none. */
bool rule_as_watch(const struct rule *rule, struct rule_watch *ret);
