/* SPDX-License-Identifier: MIT */
/*
 * Fields that several types of records have: user ids, labels, results. Each takes them in the order in which ausearch
 * does, moves the place behind what it read, and returns false where ausearch finds the record malformed.
 */
#pragma once

#include "search/items_state.h"

/* A number that must, or may, follow `name`. */
bool must_read(struct record_place *p, const char *name, uint32_t *ret);
bool may_read(struct record_place *p, const char *name, uint32_t *ret);
/* The label that follows `name`, if there is one; may_end: it may be the record's last field. */
bool read_subject(struct record_reading *r, struct record_place *p, const char *name, bool may_end);
/* obj=; there need not be one. */
void read_object(struct record_reading *r, struct record_place *p);
/* res=, if the query asks for the result. */
bool read_result(struct record_reading *r, struct record_place *p);
/* What SYSCALL and its like have: ppid pid auid uid gid euid egid tty ses comm exe subj res. */
bool read_task(struct record_reading *r, struct record_place *p);
