/* SPDX-License-Identifier: MIT */
/* What the formats of a search share: where to append, and answers that are needed again and again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/ecs.h"
#include "search/match.h"
#include "util/sbuf.h"

struct word_interpreter; /* libauparse's state for csv and text */

struct search_formatter {
    const struct search_query *query;
    const struct ecs_host *host;
    struct word_interpreter *interpreter;
    uint64_t ctime_sec; /* the last second that was written, and how */
    char ctime_text[32];
    uint64_t sequence;
    uint64_t no_file; /* events that OCSF's class has no place for */
    bool machine_known;
    int machine; /* of this host, libaudit's MACH_* */
    struct sbuf scratch;
};
