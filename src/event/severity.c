/* SPDX-License-Identifier: MIT */
#include "event/severity.h"

static const char *const names[SEVERITY_COUNT] = { "none", "low", "medium", "high", "critical" };

const char *severity_name(enum severity severity)
{
    return names[(unsigned)severity < SEVERITY_COUNT ? severity : 0];
}

enum severity severity_by_name(struct bytes name)
{
    unsigned i = SEVERITY_LOW;

    while (i < SEVERITY_COUNT && !bytes_equal_str(name, names[i]))
        i++;
    return (enum severity)i;
}

static const struct {
    const char *name, *words;
} states[ALERT_STATE_COUNT] = {
    [ALERT_BEGINS] = { "begins", "" },
    [ALERT_GOES_ON] = { "goes-on", ", goes on" },
    [ALERT_RESOLVED] = { "resolved", ", over" },
};

const char *alert_state_name(enum alert_state state)
{
    return states[(unsigned)state < ALERT_STATE_COUNT ? state : ALERT_BEGINS].name;
}

const char *alert_state_words(enum alert_state state)
{
    return states[(unsigned)state < ALERT_STATE_COUNT ? state : ALERT_BEGINS].words;
}
