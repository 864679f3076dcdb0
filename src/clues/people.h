/* SPDX-License-Identifier: MIT */
/* Who was there, and what was run by whom, by the records that login, accounting and shells keep. Pure. */
#pragma once

#include <stdbool.h>

#include "clues/fact.h"

/* Somebody was logged in; to_ns 0: still. A fact, if that was at a moment. name: of the record. */
struct login_session {
    struct bytes user, line, host; /* empty: not known */
    uint64_t from_ns, to_ns;
};
void people_session(struct sbuf *answer, const struct clue_question *q, struct bytes name, const struct login_session *s);
/* The machine was started, or shut down: a fact if that was near a moment. */
void people_machine(struct sbuf *answer, const struct clue_question *q, struct bytes name, uint64_t ns, bool start);

/* wtmp: sessions that lasted at a moment, starts of the machine near it. The earliest time in it; 0: none. */
uint64_t people_wtmp(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* btmp: logins that were refused near a moment, as many as there were of whom from where. q->extra: the text of /etc/passwd; a name that is not
 * in it is not repeated, as it may be a password that was typed too early. Points at nobody. */
uint64_t people_btmp(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* Process accounting (acct(5), version 3): what removes or changes files and began just before a moment. */
uint64_t people_accounting(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* A history of bash or zsh: what names the path and changes something, with its time if the shell noted it. user: whose. */
void people_history(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes user, struct bytes text);
