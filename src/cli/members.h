/* SPDX-License-Identifier: MIT */
/*
 * The daemon answers members of the group culprit, who may not read the store: this runs in a process of its own (daemon/answerer.h), looks
 * at the asker's options, and runs the command that was asked for. Who asks is cli/by_daemon.h.
 */
#pragma once

#include "daemon/answerer.h"

/* As struct answerer_options has them. */
void *members_open(const char *store);
int members_answer(void *opened, const char *store, const struct answer_question *question);
