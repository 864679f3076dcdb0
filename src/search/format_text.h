/* SPDX-License-Identifier: MIT */
/* Text as ausearch writes it: a record as it is, times of the locale, what --escape asks for. */
#pragma once

#include <time.h>

#include "search/items.h"
#include "search/query.h"
#include "util/sbuf.h"

/* As the log has it, with what auditd added by enriching it, and a newline. */
void format_raw_record(const struct search_event *event, const struct search_record *record,
                       struct sbuf *out);

/* strftime() for formats that are the locale's own (%x), as ausearch prints them; "" if it fails. */
const char *format_when(const char *format, const struct tm *tm, char *buffer, size_t size);

/* Text as --escape wants it. */
void format_escaped(enum search_escape mode, struct bytes text, struct sbuf *out);
