/* SPDX-License-Identifier: MIT */
/*
 * What was found when we came: audit's settings, as the first culprit of this boot wrote them down below state_dir, whose the
 * stream is, and since when processes can be seen. Asks nothing of the kernel's audit system.
 */
#pragma once

#include "sensor/audit/session_state.h"
#include "util/bytes.h"

#define AUDIT_STATE_FILE "audit" /* in state_dir */

/* The settings are as they were found; changed by somebody who is gone; by another culprit that runs. */
enum holder { HOLDER_NONE, HOLDER_GONE, HOLDER_OTHER };

/* Reads what was written down in this boot: s->original where the settings are changed, s->blind_before_ns. False: nothing, or
 * nothing that can be trusted; then *ret_holder is HOLDER_NONE and `s` as it was. */
bool audit_session_load(struct audit_session *s, enum holder *ret_holder);
/* changed: the settings are changed and have to be put back. Whole or not at all. -errno. */
int audit_session_save(const struct audit_session *s, bool changed);

/*
 * Whoever finds, changes or puts back audit's settings does it alone: what another one has found meanwhile would be what he has just changed.
 * make: the directory, too. -EBADF: no lock is to be had here, or who has it did not let go for two seconds; then it is done without. To be given to
 * audit_session_unlock(). Not across the session's life.
 */
int audit_session_lock(const char *state_dir, bool make);
void audit_session_unlock(int lock); /* -EBADF is fine */

/* Since when processes can be seen, by audit's status before we changed it. remembered: audit_session_load() had it. */
void audit_session_find_blind(struct audit_session *s, const struct audit_status *now, bool remembered);

/* The stream is that process's: s->owner_pid, s->owner_name. 0: nobody's. */
void audit_session_name_owner(struct audit_session *s, uint32_t pid);

/* True if the kernel's command line switches auditing on: audit=1 or audit=on, the last one counts. Pure. */
bool audit_boot_option(struct bytes line);
