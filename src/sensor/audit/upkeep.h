/* SPDX-License-Identifier: MIT */
/* What has to be looked at again and again. */
#pragma once

#include "sensor/audit/audit_state.h"

/* Only while we own the stream and nobody else listens: leave out what nobody here needs. */
void audit_exclude_records(struct sensor *s, bool on);
/* Was somebody looking when the life of the container began to which this object belongs? Else it is a gap. */
void audit_check_start(struct sensor *s, const struct audit_object *o);
/* Rules for the changes of names anywhere, while a container is awaited. */
int audit_window(struct sensor *s, bool on, struct err *err);
/* Whatever is due now. */
void audit_upkeep(struct sensor *s);
