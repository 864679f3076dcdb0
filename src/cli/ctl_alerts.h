/* SPDX-License-Identifier: MIT */
/* What the daemon says of its alerts, for people. */
#pragma once

#include "util/sbuf.h"

struct json_t;

/* Lines of the status: counts, and what is open. alerts: NULL: they are off. */
void ctl_write_alerts(const struct json_t *alerts, struct sbuf *out);
/* A line. */
void ctl_write_silence(const struct json_t *silence, struct sbuf *out);
void ctl_write_explanation(const struct json_t *explanation, struct sbuf *out);
