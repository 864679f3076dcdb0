/* SPDX-License-Identifier: MIT */
/* One function a format. */
#pragma once

#include <time.h>

#include "search/format.h"

struct interpreter; /* libauparse's state for csv and text */

struct search_formatter {
    const struct search_query *query;
    const struct ecs_host *host;
    struct interpreter *interpreter;
    uint64_t ctime_sec; /* the last second that was written, and how */
    char ctime_text[32];
    uint64_t sequence;
    uint64_t no_file; /* events that OCSF's class has no place for */
    bool machine_known;
    int machine; /* of this host, libaudit's MACH_* */
    struct sbuf scratch;
};

void format_raw_record(const struct search_event *event, const struct search_record *record,
                       struct sbuf *out);
void format_raw(const struct search_event *event, struct sbuf *out);
void format_default(struct search_formatter *f, const struct search_event *event, struct sbuf *out);
void format_interpreted(struct search_formatter *f, const struct search_event *event, struct sbuf *out);
int format_csv(struct search_formatter *f, const struct search_event *event,
               struct search_matcher *matcher, struct sbuf *out);
int format_text(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out);
int format_json(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out);
int format_ocsf(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out);
void interpreter_free(struct interpreter *interpreter);

/* strftime() for formats that are the locale's own (%x), as ausearch prints them; "" if it fails. */
const char *format_when(const char *format, const struct tm *tm, char *buffer, size_t size);

/* Text as --escape wants it. */
void format_escaped(enum search_escape mode, struct bytes text, struct sbuf *out);
