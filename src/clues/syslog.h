/* SPDX-License-Identifier: MIT */
/* One message of the system's log as a fact. Pure. */
#pragma once

#include "clues/fact.h"

struct syslog_message {
    uint64_t time_ns;
    struct bytes ident, message; /* "CRON", "(root) CMD (...)" */
    struct bytes place;
    struct bytes by; /* before it, in what is shown; empty: nothing */
    bool of_user;    /* anybody may have written it: it is shown where it names the path, and points at nobody */
};

/* Adds what it says of the question, if anything: of a known kind within a moment, or a line that names the path in the hour before. */
void syslog_message(struct sbuf *answer, const struct clue_question *q, const struct syslog_message *m);

/* The text of one file of syslog. Its first time, 0 = none. */
uint64_t syslog_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
