/* SPDX-License-Identifier: MIT */
/* A group of records read into one struct (facts.h). Pure. */
#pragma once

#include "sensor/audit/facts.h"
#include "sensor/audit/group.h"

void audit_scratch_done(struct audit_scratch *scratch); /* frees its memory: views of audit_facts_read() end here */
/* Views in *ret point into the group's records and into `scratch`: valid until either changes.
 * -ENOMEM only; what is missing or damaged is marked in *ret. */
int audit_facts_read(const struct audit_group *group, struct audit_scratch *scratch,
                     struct audit_facts *ret);
