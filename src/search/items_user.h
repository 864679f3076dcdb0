/* SPDX-License-Identifier: MIT */
/* Records that programs wrote. Each returns false where ausearch finds the record malformed. */
#pragma once

#include "search/items_state.h"

bool read_user_message(struct record_reading *r, struct record_place p, struct bytes *avc_subject,
                       struct bytes *avc_object);
bool read_login(struct record_reading *r, struct record_place p);
bool read_daemon(struct record_reading *r, struct record_place p);
bool read_daemon_peer(struct record_reading *r, struct record_place p);
