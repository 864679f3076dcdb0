/* SPDX-License-Identifier: MIT */
/*
 * SQLite's log goes back into the file by a thread and a connection of its own: that waits for the disk, and a writer
 * who waits as long loses what it has in memory if it is killed.
 */
#pragma once

#include "util/err.h"

struct checkpointer;

int checkpointer_new(const char *path, struct checkpointer **ret, struct err *err);
void checkpointer_wake(struct checkpointer *checkpointer); /* any thread */
void checkpointer_free(struct checkpointer *checkpointer); /* NULL is fine */
