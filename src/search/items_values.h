/* SPDX-License-Identifier: MIT */
/* Values in records. Each returns false where ausearch finds the record malformed. */
#pragma once

#include "search/items_state.h"

/* The first occurrence of `text` at or behind `from`; NULL if there is none. */
const char *place_find(const struct record_place *p, const char *from, const char *text);
/* The number that follows the name; the place moves behind it. `base` as in strtoul. */
enum number_result {
    NUMBER_MISSING,   /* no such name */
    NUMBER_BAD,       /* not ended by a blank, or too large */
    NUMBER_READ,
};
enum number_result place_number(struct record_place *p, const char *name, int base, bool may_end,
                                unsigned long *ret);
/* The same where the value's beginning is known. */
bool place_number_at(struct record_place *p, const char *value, int base, bool may_end, unsigned long *ret);
/* The text from `value` to the next blank; false if there is none. */
bool place_word(struct record_place *p, const char *value, struct bytes *ret);

/* A copy that lasts as long as the event is read. Room was made when the event began: where it is used up, BYTES_NULL and items->failed. */
struct bytes items_keep(struct search_items *items, struct bytes text);
/* Adds to the list; the text is borrowed from the record or from items_keep(). Out of memory: it is not added, and items->failed. */
void items_add(struct search_items *items, struct search_strings *list, struct bytes text);
int items_hex(char c); /* -1: not a hexadecimal digit */
/* "quoted" or hexadecimal behind the name; false: the quote is not closed. */
bool items_text(struct search_items *items, struct record_place *p, const char *value, struct bytes *ret);
/* As items_text(), but text that is neither is taken as it is. */
bool items_text_or_word(struct search_items *items, struct record_place *p, const char *value, struct bytes *ret);
/* The path at `value`, quoted, hexadecimal or "(null)", is one of the event's files; one that begins with "." behind the working directory. */
bool items_path(struct search_items *items, struct record_place *p, const char *value);
/* The keys at `value`, each by itself: several are joined by AUDIT_KEY_SEPARATOR, and hexadecimal then. */
bool items_keys(struct search_items *items, struct record_place *p, const char *value);

/* A user's name: as auditd wrote it into the record under `field` (any case), on the machine that the log is of, else as it is here; BYTES_NULL
 * where nobody has that id. Lives as long as the record and r->users. */
struct bytes reading_user(struct record_reading *r, const char *field, uint32_t uid);
/* The record's uid or auid, with the name that it has there. */
void reading_set_uid(struct record_reading *r, uint32_t uid);
void reading_set_auid(struct record_reading *r, uint32_t auid);

/* Whether the question needs this id: what it does not need is not read, and cannot be malformed. */
bool wants_auid(const struct search_query *q);
bool wants_uid(const struct search_query *q);
bool wants_euid(const struct search_query *q);

/* Names of user ids, looked up once by getpwuid(): one thread. */
struct search_users;
struct search_users *search_users_new(void);         /* NULL: out of memory */
void search_users_free(struct search_users *users); /* NULL is fine */
