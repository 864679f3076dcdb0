/* SPDX-License-Identifier: MIT */
/* How grave an alert is and how it goes, for those who judge and those who deliver. Numbers are in spools: never reuse one. */
#pragma once

#include "util/bytes.h"

enum severity {
    SEVERITY_LOW = 1,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
    SEVERITY_COUNT,
};

enum alert_state {
    ALERT_BEGINS,
    ALERT_GOES_ON,
    ALERT_RESOLVED,
    ALERT_STATE_COUNT,
};

/* "high"; "none": it is no severity. */
const char *severity_name(enum severity severity);
enum severity severity_by_name(struct bytes name); /* SEVERITY_COUNT: none */

/* "goes-on" */
const char *alert_state_name(enum alert_state state);
/* For people, behind the severity: ", goes on"; "" where it begins. */
const char *alert_state_words(enum alert_state state);
