/* SPDX-License-Identifier: MIT */
/* Who was there, and what was run by whom, by the records that login, accounting and shells keep. Pure. */
#pragma once

#include "clues/fact.h"

/* wtmp: sessions that lasted at a moment, starts of the machine near it. The earliest time in it; 0: none. */
uint64_t people_wtmp(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* btmp: logins that were refused near a moment, as many as there were of whom from where. q->extra: the text of /etc/passwd; a name that is not
 * in it is not repeated, as it may be a password that was typed too early. Points at nobody. */
uint64_t people_btmp(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* Process accounting (acct(5), version 3): what removes or changes files and began just before a moment. */
uint64_t people_accounting(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* A history of bash or zsh: what names the path and changes something, with its time if the shell noted it. user: whose. */
void people_history(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes user, struct bytes text);
