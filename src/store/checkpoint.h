/* SPDX-License-Identifier: MIT */
/*
 * SQLite's log goes back into the file by a thread and a connection of its own: that waits for the disk, and a writer
 * who waits as long loses what it has in memory if it is killed. The log comes to the disk by that thread, too.
 */
#pragma once

#include "util/err.h"

struct checkpointer;

/* Opens the file once more and starts the thread; checkpointer_free() ends it. -ENOMEM, -errno, or an error of SQLite's with err's
 * text. */
int checkpointer_new(const char *path, struct checkpointer **ret, struct err *err);
void checkpointer_wake(struct checkpointer *checkpointer); /* any thread */
/* Something is in the log that a power cut is not to take: some seconds later the disk has it. SQLite waits for it only where the log goes
 * into the file; the kernel may leave it in memory for half a minute. Any thread; NULL is fine. */
void checkpointer_written(struct checkpointer *checkpointer);
/* Until it is not at work, nor will be before it is woken again: SQLite waits for nobody else's checkpoint, it answers that it is busy.
 * That is as long as the disk takes. NULL is fine. */
void checkpointer_wait(struct checkpointer *checkpointer);
void checkpointer_free(struct checkpointer *checkpointer); /* NULL is fine */
