/* SPDX-License-Identifier: MIT */
/* Asking the daemon for a command: what goes wrong is said, and is an exit status. */
#pragma once

#include "control/client.h"

struct json_t;

/* 0, or the exit status. */
int ctl_connect(const char *socket, struct control_asker *ret);
/* The call has been written. 0 with a reply that is no error, or the exit status. */
int ctl_ask(struct control_asker *asker, struct control_reply *ret);
/* On a line. */
void ctl_write_json(const struct json_t *value);
