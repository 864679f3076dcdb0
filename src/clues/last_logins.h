/* SPDX-License-Identifier: MIT */
/* The last login of each user, and the databases that took the place of lastlog and wtmp. Pure. */
#pragma once

#include "clues/fact.h"

/* lastlog: a record for each uid. part: what begins at the file's byte `from`, which begins a record; passwd: the text of /etc/passwd. */
void last_logins_part(struct sbuf *answer, const struct clue_question *q, struct bytes passwd, uint64_t from, struct bytes part);
/* lastlog2's database, wtmpdb's: written to, as SQLite wants it; of one that is damaged what can be read. wtmpdb's earliest time is returned,
 * 0: none. */
void last_logins_lastlog2(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes database);
uint64_t last_logins_wtmpdb(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes database);
