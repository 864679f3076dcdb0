/* SPDX-License-Identifier: MIT */
/* Records that programs wrote: as those of search/items_kernel.h. */
#pragma once

#include "search/items_state.h"

/* USER_...: of most programs. avc_subject, avc_object: where it is the message of an AVC, its contexts go there, and what is missing of the
 * rest is no mistake; both NULL: the contexts go to the items. */
bool read_user_message(struct record_reading *r, struct record_place p, struct bytes *avc_subject,
                       struct bytes *avc_object);
/* LOGIN: who logged in. */
bool read_login(struct record_reading *r, struct record_place p);
/* DAEMON_START, _END, _ABORT, _CONFIG, _ROTATE, _RESUME: auditd of itself. */
bool read_daemon(struct record_reading *r, struct record_place p);
/* DAEMON_ACCEPT, DAEMON_CLOSE: who sent records to auditd over the network. */
bool read_daemon_peer(struct record_reading *r, struct record_place p);
