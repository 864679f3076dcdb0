/* SPDX-License-Identifier: MIT */
/* What the daemon says: to people by lines, to the service manager by sd_notify(3). For the thread that observes. */
#pragma once

#include "daemon/service_state.h"

/* One line for people, up to LIMIT_ERR bytes. */
_printf_(2, 3) void service_notice(const struct service *s, const char *format, ...);
/* The same with a text that is escaped already, also to whoever looks on. data: struct service. */
void service_on_notice(void *data, const char *text);
/* A sign of life, if the manager wants one and it is time for it; may be called as often as one likes. */
void service_give_sign(struct service *s);
/* What is watched now, and what is not as the configuration wants it. */
void service_report_ready(struct service *s);
