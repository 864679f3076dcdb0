/* SPDX-License-Identifier: MIT */
#pragma once

#include "sensor/audit/meaning.h"
#include "sensor/audit/object.h"

/* Note in the index what the changes of one record did. */
void audit_apply(struct audit_object *o, const struct audit_facts *facts,
                 const struct audit_change *changes, unsigned count);
