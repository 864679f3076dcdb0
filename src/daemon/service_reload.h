/* SPDX-License-Identifier: MIT */
/* The configuration is read again while the daemon observes. For its one thread. */
#pragma once

#include "daemon/service_state.h"

/* Reads and puts it in force. A configuration with mistakes changes nothing: that is said, to the manager and to people. */
void service_reload(struct service *s);
/* What is watched has changed: those who judge events are given the new watches. */
void service_look_at_watches(struct service *s);
