/* SPDX-License-Identifier: MIT */
/*
 * The line of a crontab that a command of cron came from: the user's own table, /etc/crontab, /etc/cron.d. Read as it is
 * now: a line that was changed since is not found. In a worker (foreign/foreign.h), waited for a moment only.
 */
#pragma once

#include "util/sbuf.h"

/*
 * place: whose files, by inside_by_root() and the like. user: whose job it is. -ENOENT: no line gives this command to the
 * shell, or several that differ do; -ETIMEDOUT and others: it is not known. *ret: the file, a NUL, the line.
 */
int crontab_find(struct bytes place, struct bytes user, struct bytes command, struct sbuf *ret);

/*
 * Pure. The next line of *rest that does, as crontab(5) has it; *rest is moved behind it. with_user: the line names a user
 * behind the times (/etc/crontab). '%' ends the command, "\%" is one. BYTES_NULL: none.
 */
struct bytes crontab_next(struct bytes *rest, bool with_user, struct bytes user, struct bytes command);
