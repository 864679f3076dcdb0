/* SPDX-License-Identifier: MIT */
/*
 * auditd is about to start. The kernel notifies an owner of its stream that somebody wants it (AUDIT_REPLACE) only while
 * it refuses that one, and auditd then gives up: whoever wants to let it in has to leave before it asks, some
 * milliseconds after it is executed.
 */
#pragma once

#include <stdbool.h>

/* A descriptor that is readable when auditd is executed; -errno: this kernel does not notify (before 5.0), or it is not
 * installed. The caller closes it. */
int audit_newcomer_open(void);
/* Once more where its files are: a new version of it is another file. */
void audit_newcomer_look(int fd);
/* True if root has executed it since the last call. Does not block. */
bool audit_newcomer_seen(int fd);
