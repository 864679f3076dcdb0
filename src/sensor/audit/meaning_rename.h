/* SPDX-License-Identifier: MIT */
/* What a rename did: which file went where, what it replaced, what two files exchanged. Pure. */
#pragma once

struct meaning_work;

/* Adds the changes of one rename(), refused or not; none where it did nothing (two links of one file). The records alone decide
 * which of two parents is the old one; where they do not say, the change says so (parents_unsure). */
void audit_meaning_rename(struct meaning_work *w);
