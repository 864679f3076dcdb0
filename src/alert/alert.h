/* SPDX-License-Identifier: MIT */
/* One alert, as the sinks get it, and how often there is one. */
#pragma once

#include "alert/severity.h"
#include "event/event.h"
#include "util/bytes.h"
#include "util/clock.h"

#define ALERT_FIRST_NS (1 * NS_PER_S)            /* from the first event to the first word: what it is about shows within that */
#define ALERT_UPDATE_NS (5 * 60 * NS_PER_S)      /* and then at most so often, unless it gets graver */
#define ALERT_QUIET_NS (15 * 60 * NS_PER_S)      /* without an event for so long it is over */
#define ALERT_LINE_MAX (128 * 1024)              /* bytes of one alert as JSON */
#define ALERT_SENTENCE_MAX (8 * 1024)            /* bytes of its sentence, beside a "…" */
#define ALERT_WATCH_MAX 4096                     /* bytes of its watch */

/* One message about a matter. Everything is borrowed for the call. */
struct alert {
    enum alert_state state;
    enum severity severity;
    const char *id;          /* of the matter: 32 hexadecimal digits */
    uint64_t events;
    uint64_t first_ns;       /* CLOCK_REALTIME */
    const struct container *victim; /* NULL: the host, or culprit itself */
    struct bytes watch;
    struct bytes watched;    /* the same as it is configured, whatever is redacted: for what acts on it, not to be reported. BYTES_NULL: culprit itself */
    struct bytes sentence;   /* for people; escaped for a terminal */
    struct bytes line;       /* JSON with a newline: ECS, with culprit.alert */
};
