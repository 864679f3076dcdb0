/* SPDX-License-Identifier: MIT */
/* An event whose change one of several processes made (event/share.h): are they all of one cause? */
#pragma once

#include "attribution/attribution.h"

/* After attribution_event(). If each of them is known, and all are of one cause, the event gets that operation;
 * else it is left as it is. An event without a share is left alone. */
void attribution_share(struct attribution *a, struct event *e);
